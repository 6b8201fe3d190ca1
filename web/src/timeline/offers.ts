import { inTone, type Emoji } from '../emoji/tone';
import { ROOM } from '../store/mentions';
import { nameOf, rightsIn } from '../store/select';
import type { State } from '../store/state';
import { strings } from '../strings';
import type { User } from '../wire';

/** Something that the word under the caret may become. */
export interface Offer {
  key: string;
  title: string;
  about: string;
  /** What stands for the word afterwards. */
  text: string;
  person?: User;
  emoji?: string;
}

const MEMBERS_MAX = 6;
const OTHERS_MAX = 2;
/** In a larger session, naming everybody is for those who keep order. */
const ROOM_FREE_MAX = 20;

/** People whose name begins so: who spoke last first, then the session's others, then who is elsewhere. */
export function namesFor(state: State, sessionId: string, word: string): Offer[] {
  const seats = state.seats[sessionId] ?? {};
  const recent = new Map<string, number>();
  for (const message of state.logs[sessionId]?.messages.slice(-100) ?? []) recent.set(message.sender_id, message.number);
  const fits = Object.values(state.users).filter((user) =>
    user.id !== state.me?.user.id && (user.username.toLowerCase().startsWith(word) || user.name.toLowerCase().includes(word)));
  fits.sort((a, b) => (recent.get(b.id) ?? 0) - (recent.get(a.id) ?? 0) || nameOf(a).localeCompare(nameOf(b)));
  const here = fits.filter((user) => seats[user.id]).slice(0, MEMBERS_MAX);
  const others = word ? fits.filter((user) => !seats[user.id]).slice(0, here.length ? OTHERS_MAX : MEMBERS_MAX) : [];
  return [
    ...here.map((user) => person(user, `@${user.username}`)),
    ...(several(state, sessionId) && mayNameAll(state, sessionId) && ROOM.startsWith(word) ? [{ key: ROOM, title: `@${ROOM}`, about: strings.mentionRoom, text: `@${ROOM} ` }] : []),
    ...others.map((user) => person(user, `@${user.username}, ${strings.notHere}`)),
  ];
}

function person(user: User, about: string): Offer {
  return { key: user.id, title: nameOf(user), about, text: `@${user.username} `, person: user };
}

function several(state: State, sessionId: string): boolean {
  return (state.sessions[sessionId]?.member_count ?? 0) > 2;
}

/** Whether the server takes `@room` from this person here; it decides again itself. */
export function mayNameAll(state: State, sessionId: string): boolean {
  const session = state.sessions[sessionId];
  const room = state.rooms[session?.room_id ?? ''];
  if (!session || !room) return false;
  return session.member_count <= ROOM_FREE_MAX || rightsIn(room).moderate;
}

export function emojiFor(found: Emoji[], tone: number): Offer[] {
  return found.map((one) => {
    const emoji = inTone(one, tone);
    return { key: one.emoji, title: one.short[0] ? `:${one.short[0]}:` : one.name, about: one.short[0] ? one.name : '', text: `${emoji} `, emoji };
  });
}

const NAMED = /(?<![\p{L}\p{N}_@])@([\p{L}\p{N}_.-]*[\p{L}\p{N}_])/gu;

/** People who are named in a text and are not in the session. */
export function namedElsewhere(state: State, sessionId: string, text: string): User[] {
  const seats = state.seats[sessionId];
  if (!seats || !text.includes('@')) return [];
  const wanted = new Set([...text.matchAll(NAMED)].map(([, name]) => name!.toLowerCase()));
  return Object.values(state.users).filter((user) => wanted.has(user.username.toLowerCase()) && !seats[user.id]);
}
