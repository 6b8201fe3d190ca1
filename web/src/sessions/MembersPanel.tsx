import { useEffect, useMemo } from 'react';
import { rooms as roomsApi, sessions as sessionsApi } from '../net/api';
import { writeTo } from '../rooms/writeTo';
import { ask } from '../shell/ask';
import { usePhone } from '../shell/usePhone';
import { since } from '../shell/when';
import { loadSeats } from '../store/actions';
import { nameOf, rank, rightsIn } from '../store/select';
import { say, useParlor } from '../store/store';
import type { Seat } from '../store/state';
import { strings } from '../strings';
import type { Room, Session, User } from '../wire';
import { Avatar } from '../ui/Avatar';
import { Button, IconButton } from '../ui/controls';
import { confirm } from '../ui/dialog';
import { explain } from '../ui/explain';
import { Menu, type MenuItem } from '../ui/Menu';

const REFRESH_MS = 30_000;

interface Props {
  room: Room;
  session: Session;
  onClose: () => void;
}

interface Person {
  user: User;
  seat: Seat;
}

export function MembersPanel({ room, session, onClose }: Props) {
  const seats = useParlor((state) => state.seats[session.id]);
  const users = useParlor((state) => state.users);
  // Word of who comes and goes may be dropped on a busy server: ask now and then.
  useEffect(() => {
    const ask = () => void loadSeats(session.id).catch(() => {});
    ask();
    const timer = setInterval(ask, REFRESH_MS);
    return () => clearInterval(timer);
  }, [session.id]);
  const people = useMemo(() => {
    const all = Object.entries(seats ?? {}).flatMap(([id, seat]) => (users[id] ? [{ user: users[id], seat }] : []));
    return all.sort((a, b) => rank(b.seat.role) - rank(a.seat.role) || nameOf(a.user).localeCompare(nameOf(b.user)));
  }, [seats, users]);
  const here = people.filter(({ user }) => user.online);
  const away = people.filter(({ user }) => !user.online);
  const canAdd = session.main ? rightsIn(room).invite : !room.archived_at;
  // On a phone this is the whole page.
  const phone = usePhone();
  const Panel = phone ? 'main' : 'aside';
  const Title = phone ? 'h1' : 'h2';
  return (
    <Panel className="panel" aria-label={strings.members} data-landmark tabIndex={-1}>
      <header className="panel-head">
        <Title>{strings.members}</Title>
        <IconButton icon="close" label={strings.close} onClick={onClose} />
      </header>
      <div className="panel-scroll">
        {canAdd && (
          <Button className="panel-add" onClick={() => ask('AddPeople', { room, session: session.main ? null : session })}>
            {strings.addPeople}
          </Button>
        )}
        <PeopleSection title={strings.hereNow} people={here} room={room} session={session} />
        <PeopleSection title={strings.away} people={away} room={room} session={session} />
      </div>
    </Panel>
  );
}

function PeopleSection({ title, people, room, session }: { title: string; people: Person[]; room: Room; session: Session }) {
  const Title = usePhone() ? 'h2' : 'h3';
  if (!people.length) return null;
  return (
    <section className="panel-section">
      <Title>{title} <span className="tabular">{people.length}</span></Title>
      <ul>{people.map((person) => <PersonRow key={person.user.id} person={person} room={room} session={session} />)}</ul>
    </section>
  );
}

function PersonRow({ person: { user, seat }, room, session }: { person: Person; room: Room; session: Session }) {
  const me = useParlor((state) => state.me!.user.id);
  const groups = actionsFor(user, seat, room, session, me);
  const lastSeen = !user.online && user.last_seen_at ? strings.lastSeen(since(user.last_seen_at)) : '';
  return (
    <li className="person">
      <Avatar id={user.id} name={nameOf(user)} online={user.online} />
      <div className="person-text">
        <p className="person-name">
          <bdi>{nameOf(user)}</bdi>
          {user.id === me && <span className="quiet"> {strings.you}</span>}
          {seat.role !== 'member' && room.kind !== 'direct' && <span className="role">{strings.roles[seat.role]}</span>}
        </p>
        <p className="quiet person-about">{user.status || lastSeen || `@${user.username}`}</p>
        {user.online && <span className="hidden">{strings.online}</span>}
      </div>
      {groups.some((group) => group.length) && <Menu label={strings.actionsFor(nameOf(user))} groups={groups} />}
    </li>
  );
}

function actionsFor(user: User, seat: Seat, room: Room, session: Session, me: string): MenuItem[][] {
  if (user.id === me) return [];
  const name = nameOf(user);
  const rights = rightsIn(room);
  const above = rank(room.my_role) > rank(seat.role);
  const write: MenuItem = {
    label: strings.write, icon: 'edit', act: () => void writeTo([user.id]).catch((error) => say(explain(error), true)),
  };
  const roles = ['owner', 'moderator', 'member'].filter((role) => role !== seat.role).map((role): MenuItem => ({
    label: strings.makeRole(strings.roles[role]!),
    act: () => confirm({
      title: strings.roleSure(name, strings.roles[role]!), lead: strings.roleHint,
      action: strings.makeRole(strings.roles[role]!), onSubmit: () => roomsApi.setRole(room.id, user.id, role),
    }),
  }));
  const leaveSession: MenuItem = {
    label: strings.removeFromSession, danger: true,
    act: () => confirm({
      title: strings.removeSure(name), lead: strings.removeHint, action: strings.removeFromSession, danger: true,
      onSubmit: () => sessionsApi.remove(session.id, user.id),
    }),
  };
  const kick: MenuItem = {
    label: strings.kick, danger: true,
    act: () => confirm({
      title: strings.kickSure(name), lead: strings.kickHint, action: strings.kick, danger: true,
      onSubmit: () => roomsApi.kick(room.id, user.id),
    }),
  };
  const ban: MenuItem = { label: strings.ban, danger: true, act: () => ask('BanPerson', { room, user }) };
  const managesSession = !session.main && (session.created_by === me || rights.moderate);
  return [
    room.kind === 'direct' ? [] : [write],
    rights.settings ? roles : [],
    [...(managesSession ? [leaveSession] : []), ...(rights.moderate && above ? [kick, ban] : [])],
  ];
}
