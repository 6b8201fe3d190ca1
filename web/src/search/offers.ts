import { nameOf, roomTitle, sessionTitle } from '../store/select';
import type { State } from '../store/state';
import { strings } from '../strings';
import { HAS, KEYS, type Chip, type Key } from './query';

/** Something that a half written condition may become. */
export interface Offer {
  key: string;
  title: string;
  about: string;
  avatar: { id: string; room: boolean } | null;
  /** Absent where there is still something to write. */
  chip: { key: Key; value: string } | null;
  /** What stands in the field after it was chosen. */
  text: string;
}

const OFFERED_MAX = 7;
const DAY_MS = 86_400_000;

/** What the conditions are, each with what it finds. */
export function allKeys(): Offer[] {
  return KEYS.map((key) => ({ key, title: `${key}:`, about: strings.searchKeys[key]!, avatar: null, chip: null, text: `${key}:` }));
}

export function offersFor(state: State, key: Key, value: string, now: number): Offer[] {
  const all = { from: people, in: rooms, session: sessions, has: things, after: days, before: days }[key](state, key, now);
  return all.filter(({ title, about }) => `${title} ${about}`.toLowerCase().includes(value)).slice(0, OFFERED_MAX);
}

function offer(key: Key, value: string, title: string, about: string, avatar: Offer['avatar'] = null): Offer {
  return { key: `${key}:${value}`, title, about, avatar, chip: { key, value }, text: '' };
}

function people(state: State): Offer[] {
  const me = state.me!.user;
  const others = Object.values(state.users).filter((user) => user.id !== me.id);
  const near = new Set(Object.values(state.seats).flatMap((seats) => Object.keys(seats)));
  others.sort((a, b) => Number(near.has(b.id)) - Number(near.has(a.id)) || nameOf(a).localeCompare(nameOf(b)));
  return [me, ...others].map((user) =>
    offer('from', user.id === me.id ? 'me' : user.username, nameOf(user), user.id === me.id ? strings.you : `@${user.username}`, { id: user.id, room: false }));
}

function rooms(state: State): Offer[] {
  const mine = state.me!.user.id;
  const all = Object.values(state.rooms).map((room) => offer('in', room.id, roomTitle(room, mine), '', { id: room.id, room: true }));
  return all.sort((a, b) => a.title.localeCompare(b.title));
}

function sessions(state: State): Offer[] {
  return Object.values(state.sessions).filter((session) => !session.main && !session.ended_at).map((session) => {
    const room = state.rooms[session.room_id];
    return offer('session', session.id, session.name, room ? roomTitle(room, state.me!.user.id) : '', { id: session.room_id, room: true });
  });
}

function things(): Offer[] {
  return HAS.map((thing) => offer('has', thing, strings.searchHas[thing]!, ''));
}

function days(_state: State, key: Key, now: number): Offer[] {
  return strings.searchDays.map(([back, title]) => {
    const day = new Date(now - back * DAY_MS).toISOString().slice(0, 10);
    return offer(key, day, title, day);
  });
}

/** What a chip says: names where it holds ids. */
export function chipText(state: State, { key, value, not }: Chip): string {
  const word = strings.searchWords[key] ?? key;
  return `${not ? `${strings.searchNot} ` : ''}${word} ${valueText(state, key, value)}`;
}

function valueText(state: State, key: string, value: string): string {
  const me = state.me?.user.id;
  if (key === 'in') {
    const room = state.rooms[value];
    return room ? roomTitle(room, me) : value;
  }
  if (key === 'session') {
    const session = state.sessions[value];
    return session ? sessionTitle(session) : value;
  }
  if (key === 'from') {
    if (value === 'me') return strings.you;
    const user = Object.values(state.users).find((one) => one.username.toLowerCase() === value.toLowerCase());
    return user ? nameOf(user) : value;
  }
  return key === 'has' ? (strings.searchHas[value]?.toLowerCase() ?? value) : value;
}
