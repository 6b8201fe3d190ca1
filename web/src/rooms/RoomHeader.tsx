import { rooms as roomsApi, sessions as sessionsApi } from '../net/api';
import { ask } from '../shell/ask';
import { setLook, useLook } from '../shell/prefs';
import { href, navigate, paths } from '../shell/router';
import { usePhone } from '../shell/usePhone';
import { spanOf } from '../shell/when';
import { searchHere } from '../shell/useShortcuts';
import { rightsIn, roomTitle, sessionTitle } from '../store/select';
import { encryptionOf } from '../store/sealed';
import { say, useParlor } from '../store/store';
import { strings } from '../strings';
import { dropSide, openPins, openReaders, useTalk } from '../timeline/talk';
import type { Room, Session } from '../wire';
import { Avatar } from '../ui/Avatar';
import { IconButton } from '../ui/controls';
import { confirm } from '../ui/dialog';
import { Icon } from '../ui/Icon';
import { Menu, type MenuItem } from '../ui/Menu';

interface Props {
  room: Room;
  session: Session;
}

const SEARCH: MenuItem = { label: strings.searchHere, icon: 'search', act: searchHere };

export function RoomHeader({ room, session }: Props) {
  const me = useParlor((state) => state.me!.user.id);
  const panel = useLook((state) => state.panel);
  const side = useTalk((state) => state.side?.session === session.id);
  const pins = useTalk((state) => state.side?.session === session.id && state.side.kind === 'pins');
  const readers = useTalk((state) => state.side?.session === session.id && state.side.kind === 'readers');
  const sealed = encryptionOf(session) !== null;
  const decays = (session.message_ttl_s ?? 0) > 0;
  const phone = usePhone();
  const title = roomTitle(room, me);
  const others = room.people.filter((person) => person.id !== me);
  const other = useParlor((state) => (others.length === 1 ? (state.users[others[0]!.id] ?? others[0]) : undefined));
  const about = room.kind === 'direct' ? other?.status || (other?.online ? strings.online : '') : room.description;
  return (
    <header className="room-head">
      {phone && <IconButton icon="back" label={strings.back} onClick={() => navigate(paths.home)} />}
      <Avatar id={other?.id ?? room.id} name={title} room={room.kind !== 'direct'} online={other?.online ?? false} />
      <div className="room-head-text">
        <h1>
          <bdi>{title}</bdi>
          {room.kind === 'private' && <span className="room-lock" title={strings.kinds.private![0]}><Icon name="lock" size={16} /></span>}
        </h1>
        {about && <p className="room-about">{about}</p>}
      </div>
      {decays && <span className="room-decays" title={strings.decaysHere(spanOf(session.message_ttl_s!))}>
        <Icon name="timer" size={18} /><span aria-hidden="true">{spanOf(session.message_ttl_s!, 'narrow')}</span><span className="hidden">{strings.decaysHere(spanOf(session.message_ttl_s!))}</span>
      </span>}
      {sealed && <IconButton icon="shield" label={strings.whoReads} aria-pressed={readers} onClick={() => openReaders(session.id)} />}
      {!phone && <IconButton icon="pin" label={strings.pins} aria-pressed={pins} onClick={() => openPins(session.id)} />}
      {!phone && <IconButton icon="search" label={strings.searchHere} onClick={searchHere} />}
      <button type="button" className="people-button" aria-pressed={panel && !side} title={strings.members}
        aria-label={`${strings.members}: ${session.member_count}`} onClick={() => showPeople(!panel || side)}>
        <Icon name="people" /> <span className="tabular">{session.member_count}</span>
      </button>
      <Menu label={strings.roomMenu} groups={[...(phone ? [[SEARCH, pinsItem(session)]] : []), decayItems(room, session, me), sessionItems(room, session, me), roomItems(room, title)]} />
    </header>
  );
}

function pinsItem(session: Session): MenuItem {
  return { label: strings.pins, icon: 'pin', act: () => openPins(session.id) };
}

function showPeople(shown: boolean): void {
  dropSide();
  setLook({ panel: shown });
}

/** Of two people who write to each other alone, either sets it. */
function decayItems(room: Room, session: Session, me: string): MenuItem[] {
  const manages = room.kind === 'direct' || (session.created_by === me && !session.main) || rightsIn(room).moderate;
  return manages && !session.ended_at ? [{ label: strings.decay, icon: 'timer', act: () => ask('Decay', { session }) }] : [];
}

function sessionItems(room: Room, session: Session, me: string): MenuItem[] {
  if (session.main || session.ended_at) return [];
  const title = sessionTitle(session);
  const manages = session.created_by === me || rightsIn(room).moderate;
  const rename = () => ask('EditName', {
    title: strings.renameSession, label: strings.sessionName, name: session.name,
    onSave: (name) => sessionsApi.rename(session.id, name),
  });
  return [
    { label: strings.addPeople, icon: 'people', act: () => ask('AddPeople', { room, session }) },
    ...(manages ? [{ label: strings.renameSession, icon: 'edit', act: rename }, { label: strings.ending, icon: 'timer', act: () => ask('Ending', { session }) }] as MenuItem[] : []),
    {
      label: strings.leaveSession, icon: 'leave',
      act: () => confirm({
        title: strings.leaveSessionSure(title), lead: strings.leaveSessionHint, action: strings.leaveSession, danger: true,
        onSubmit: () => sessionsApi.remove(session.id, me),
      }),
    },
    ...(manages ? [{
      label: strings.endSession, icon: 'close', danger: true,
      act: () => confirm({
        title: strings.endSure(title), lead: strings.endHint, action: strings.endSession, danger: true,
        onSubmit: () => sessionsApi.end(session.id),
      }),
    } as MenuItem] : []),
  ];
}

function roomItems(room: Room, title: string): MenuItem[] {
  const direct = room.kind === 'direct';
  const settings: MenuItem = { label: strings.roomSettings, icon: 'settings', act: () => navigate(paths.roomSettings(room.id)) };
  const link: MenuItem = { label: strings.copyLink, icon: 'link', act: () => void copyLink(room.id) };
  const add: MenuItem = { label: strings.addPeople, icon: 'people', act: () => ask('AddPeople', { room, session: null }) };
  const leave: MenuItem = {
    label: strings.leaveRoom, icon: 'leave', danger: true,
    act: () => confirm({
      title: strings.leaveSure(title), lead: strings.leaveHint, action: strings.leaveRoom, danger: true,
      onSubmit: () => roomsApi.leave(room.id),
    }),
  };
  if (direct) return [leave];
  return [...(rightsIn(room).invite ? [add] : []), link, settings, leave];
}

export async function copyLink(roomId: string): Promise<void> {
  const link = location.origin + href(paths.room(roomId));
  try {
    await navigator.clipboard.writeText(link);
    say(strings.linkCopied);
  } catch {
    say(link);
  }
}
