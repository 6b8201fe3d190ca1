import { ask } from '../shell/ask';
import { copyLink } from '../rooms/RoomHeader';
import { rightsIn, roomTitle } from '../store/select';
import { encryptionOf } from '../store/sealed';
import { useParlor } from '../store/store';
import { strings } from '../strings';
import type { Room, Session } from '../wire';
import { Avatar } from '../ui/Avatar';
import { Button } from '../ui/controls';

/** What stands above the first message: what this place is, and what to do with it. */
export function Intro({ room, session }: { room: Room; session: Session }) {
  const me = useParlor((state) => state.me!.user.id);
  const serverName = useParlor((state) => state.serverName);
  const title = session.main ? roomTitle(room, me) : session.name;
  if (room.lobby && session.main) return <LobbyIntro room={room} serverName={serverName || title} />;
  const other = room.people.find((person) => person.id !== me);
  const add = () => ask('AddPeople', { room, session: session.main ? null : session });
  const direct = room.kind === 'direct';
  return (
    <article className="intro" tabIndex={0} aria-label={direct ? title : strings.beginning(title)}>
      <Avatar id={direct ? (other?.id ?? room.id) : room.id} name={title} room={!direct} size="large" />
      <h2><bdi>{direct ? title : strings.beginning(title)}</bdi></h2>
      <p className="quiet">{introText(room, session, title)}</p>
      {!direct && !session.ended_at && (
        <div className="page-actions">
          {(session.main ? rightsIn(room).invite : true) && <Button onClick={add}>{strings.addPeople}</Button>}
          {session.main && room.kind !== 'private' && <Button onClick={() => void copyLink(room.id)}>{strings.copyLink}</Button>}
        </div>
      )}
    </article>
  );
}

function introText(room: Room, session: Session, title: string): string {
  if (encryptionOf(session)) return strings.sealedBegins;
  if (!session.main) return strings.sessionBegins;
  switch (room.kind) {
    case 'direct': return strings.directBegins(title);
    case 'private': return strings.privateBegins;
    case 'unlisted': return strings.unlistedBegins;
    default: return strings.publicBegins;
  }
}

function LobbyIntro({ room, serverName }: { room: Room; serverName: string }) {
  return (
    <article className="intro intro-lobby" tabIndex={0} aria-label={strings.lobbyTitle(serverName)}>
      <h2><bdi>{strings.lobbyTitle(serverName)}</bdi></h2>
      <p>{strings.lobbyLead}</p>
      <ol className="points">
        {strings.lobbyPoints.map(([title, text]) => <li key={title}><strong>{title}</strong> {text}</li>)}
      </ol>
      <div className="page-actions"><Button onClick={() => void copyLink(room.id)}>{strings.lobbyInvite}</Button></div>
    </article>
  );
}
