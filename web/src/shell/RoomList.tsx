import { lazy, memo, Suspense, useMemo } from 'react';
import { countsByRoom, roomTitle, sortedRooms, type Counts } from '../store/select';
import { useHasDraft } from '../store/drafts';
import { encryptionOf } from '../store/sealed';
import { useParlor } from '../store/store';
import { strings } from '../strings';
import type { Room, User } from '../wire';
import { Avatar } from '../ui/Avatar';
import { IconButton, Link } from '../ui/controls';
import { openDialog } from '../ui/dialog';
import { Icon } from '../ui/Icon';
import { ask } from './ask';
import { paths, type Route } from './router';
import { usePhone } from './usePhone';

const Palette = lazy(() => import('../palette/Palette'));

const NOTHING: Counts = { unread: 0, mentions: 0 };

export function RoomList({ route }: { route: Route }) {
  const serverName = useParlor((state) => state.serverName);
  const rooms = useParlor((state) => state.rooms);
  const sessions = useParlor((state) => state.sessions);
  const users = useParlor((state) => state.users);
  const me = useParlor((state) => state.me!.user);
  const phone = usePhone();
  const groups = useMemo(() => sortedRooms({ rooms, me: { user: me } } as Parameters<typeof sortedRooms>[0]), [rooms, me]);
  const counts = useMemo(() => countsByRoom(sessions), [sessions]);
  const here = route.at === 'room' || route.at === 'room-settings' ? route.room : '';
  const row = (room: Room) => (
    <RoomRow key={room.id} room={room} title={roomTitle(room, me.id)} current={room.id === here}
      unread={(counts.get(room.id) ?? NOTHING).unread} mentions={(counts.get(room.id) ?? NOTHING).mentions}
      other={room.kind === 'direct' ? otherOf(room, me.id, users) : undefined} />
  );
  const Title = phone ? 'h1' : 'h2';
  const List = phone ? 'main' : 'nav';
  return (
    <List className="list" aria-label={strings.roomList} data-landmark id={phone ? 'main' : undefined} tabIndex={-1}>
      <header className="list-head">
        <Title className="list-title"><bdi>{serverName || strings.product}</bdi></Title>
        <IconButton icon="go" label={strings.palette} onClick={() => openDialog(<Suspense><Palette /></Suspense>)} />
      </header>
      <div className="list-scroll">
        <Section title={strings.rooms} action={strings.newRoom} onAction={() => ask('NewRoom')}>
          {groups.rooms.map(row)}
        </Section>
        <Section title={strings.direct} action={strings.newDirect} onAction={() => ask('NewDirect')}>
          {groups.direct.map(row)}
          {groups.direct.length === 0 && (
            <li><button type="button" className="list-hint" onClick={() => ask('NewDirect')}>{strings.noDirect}</button></li>
          )}
        </Section>
        {groups.archived.length > 0 && <Section title={strings.archived}>{groups.archived.map(row)}</Section>}
      </div>
    </List>
  );
}

function otherOf(room: Room, myId: string, users: Record<string, User>): User | undefined {
  const others = room.people.filter((person) => person.id !== myId);
  return others.length === 1 ? (users[others[0]!.id] ?? others[0]) : undefined;
}

interface SectionProps {
  title: string;
  action?: string;
  onAction?: () => void;
  children: React.ReactNode;
}

function Section({ title, action, onAction, children }: SectionProps) {
  const Title = usePhone() ? 'h2' : 'h3';
  return (
    <section className="list-section">
      <header className="list-section-head">
        <Title>{title}</Title>
        {action && <IconButton icon="plus" size={18} label={action} onClick={onAction} />}
      </header>
      <ul>{children}</ul>
    </section>
  );
}

interface RowProps {
  room: Room;
  title: string;
  current: boolean;
  unread: number;
  mentions: number;
  other: User | undefined;
}

const RoomRow = memo(function RoomRow({ room, title, current, unread, mentions, other }: RowProps) {
  const direct = room.kind === 'direct';
  const draft = useHasDraft(room.main_session_id) && !current;
  const sealed = useParlor((state) => encryptionOf(state.sessions[room.main_session_id]) !== null);
  return (
    <li>
      <Link to={paths.room(room.id)} className={unread || mentions ? 'room-row room-row-new' : 'room-row'} current={current}>
        <Avatar id={other?.id ?? room.id} name={title} size="small" room={!direct} online={other?.online ?? false} />
        <span className="room-row-name"><bdi>{title}</bdi></span>
        {sealed ? <span className="room-row-mark"><Icon name="sealed" size={14} /><span className="hidden">, {strings.encrypted}</span></span> : room.kind === 'private' && <Icon name="lock" size={14} />}
        {room.has_password && room.kind !== 'private' && <Icon name="key" size={14} />}
        {draft && <span className="room-row-draft">{strings.draft}</span>}
        {(unread > 0 || mentions > 0) && (
          <span className={mentions ? 'count count-mention' : 'count'}>
            <span aria-hidden="true">{mentions ? `@${short(mentions)}` : short(unread)}</span>
            <span className="hidden">{unread ? `, ${strings.unread(unread)}` : ''}{mentions ? `, ${strings.mentionsYou(mentions)}` : ''}</span>
          </span>
        )}
      </Link>
    </li>
  );
});

function short(count: number): string {
  return count > 99 ? '99+' : String(count);
}
