import type { Decayed, Event as WireEvent, Message, Presence, ReadMarks, SessionEnd, TypingNow, User } from '../wire';
import { ended, putOff } from './ending';
import { mentions } from './mentions';
import { emptyLog, type Log, type Notice, type Patch, type State } from './state';
import { patchReplies, rootOf, withReply } from './threads';
import { plainAfter, withPatch, withPosted } from './window';

/** Where an event stands against what is already applied. */
export function position(state: State, event: WireEvent): 'old' | 'next' | 'hole' | 'foreign' {
  if (event.session_id) {
    const log = state.logs[event.session_id];
    return log ? order(event.seq ?? 0, log.seq) : 'foreign';
  }
  return order(event.user_seq ?? 0, state.userSeq);
}

function order(seq: number, applied: number): 'old' | 'next' | 'hole' {
  if (seq <= applied) return 'old';
  return seq === applied + 1 ? 'next' : 'hole';
}

/** The state after one event. Pure; only the next event of a log changes anything. */
export function applyEvent(state: State, event: WireEvent): State {
  if (position(state, event) !== 'next') return state;
  return event.session_id ? applyToSession(state, event, event.session_id) : applyToUser(state, event);
}

function applyToSession(state: State, event: WireEvent, id: string): State {
  const log = { ...state.logs[id]!, seq: event.seq! };
  let next: State = { ...state, logs: { ...state.logs, [id]: log } };
  const session = next.sessions[id];
  if (session) next = patchSession(next, id, { head_seq: Math.max(session.head_seq, event.seq!) });
  if (event.posted) return posted(next, id, event.posted);
  if (event.edited) return patchMessage(pinsMoved(next, id), id, event.edited.id, { edited: event.edited });
  if (event.deleted) return patchMessage(pinsMoved(next, id), id, event.deleted.message_id, { deletedAt: event.at });
  if (event.decayed) return decayed(pinsMoved(next, id), id, event.decayed, event.at);
  if (event.previewed) return patchMessage(next, id, event.previewed.message_id, { previews: event.previewed.previews });
  if (event.pinned) return pinned(next, id, event);
  if (event.reacted) return reacted(next, id, event.reacted);
  if (event.joined) return joined(next, id, event);
  if (event.left) return left(next, id, event);
  if (event.role_changed) return roleChanged(next, id, event.role_changed);
  if (event.session_settings) return settings(next, id, event);
  if (event.room_settings) return roomSettings(next, id, event);
  if (event.ended) {
    next = ended(next, id, state.sessions[id]?.ended_at ?? event.at);
    return withNotice(next, id, event, 'ended', null, event.ended.by ?? null, '');
  }
  return next;
}

/** The state with a message that was said. Told twice, it is there once. */
export function posted(state: State, id: string, message: NonNullable<WireEvent['posted']>): State {
  const next = counted(withLog(state, id, (log) => withPosted(log, message)), id, message);
  return stopTyping(message.thread_id ? withReply(next, message) : next, id, message.sender_id);
}

/** Whether a message names the reader. Words that are passed on name nobody, and nobody names themselves. */
function namesMe({ me }: State, { sender_id, content, forwarded }: Message): boolean {
  return me !== null && sender_id !== me.user.id && !forwarded && mentions(content, me.user.username);
}

/** The counters of the list after a message. One's own is read by being written. */
function counted(state: State, id: string, message: NonNullable<WireEvent['posted']>): State {
  const session = state.sessions[id];
  if (!session || message.number <= session.head_number) return state;
  const { end } = putOff(session, message.sent_at);
  const own = message.sender_id === state.me?.user.id;
  const mentioned = session.mentions + (namesMe(state, message) ? 1 : 0);
  // What is said in a thread is read with its thread.
  if (message.thread_id) return patchSession(state, id, { head_number: message.number, mentions: mentioned, end });
  return patchSession(state, id, {
    head_number: message.number,
    read_number: own ? message.number : session.read_number,
    unread: own ? 0 : session.unread + 1,
    mentions: own ? 0 : mentioned,
    end,
  });
}

export function reacted(state: State, id: string, change: NonNullable<WireEvent['reacted']>): State {
  const own = change.user_id === state.me?.user.id;
  return patchMessage(state, id, change.message_id, { reacted: [{ ...change, own }] });
}

function pinned(state: State, id: string, event: WireEvent): State {
  const { message_id, on } = event.pinned!;
  return pinsMoved(patchMessage(state, id, message_id, { pinnedAt: on ? event.at : null }), id);
}

/** What is pinned may look different now: whoever shows it asks again. */
function pinsMoved(state: State, id: string): State {
  return { ...state, pinsVersion: { ...state.pinsVersion, [id]: (state.pinsVersion[id] ?? 0) + 1 } };
}

/** The state after one message changed, in the timeline and in open threads. */
export function patchMessage(state: State, id: string, messageId: string, patch: Patch): State {
  const next = withLog(state, id, (log) => withPatch(log, messageId, patch));
  const threads = patchReplies(next.threads, id, messageId, patch);
  return threads === next.threads ? next : { ...next, threads };
}

function joined(state: State, id: string, event: WireEvent): State {
  const { user_id, username, name, by } = event.joined!;
  const user: User = state.users[user_id] ?? {
    id: user_id, no: 0, username, name, status: '', created_at: event.at, last_seen_at: null, online: false,
  };
  let next: State = { ...state, users: { ...state.users, [user_id]: { ...user, username, name } } };
  const seats = next.seats[id];
  if (seats && !seats[user_id]) {
    const seat = { role: roleOf(next, id, user_id), joinedAt: event.at, readNumber: null };
    next = { ...next, seats: { ...next.seats, [id]: { ...seats, [user_id]: seat } } };
  }
  next = countPeople(memberMoved(next, id, event), id, 1);
  return withNotice(next, id, event, 'joined', user_id, by ?? null, name || username);
}

function left(state: State, id: string, event: WireEvent): State {
  const { user_id, by, reason } = event.left!;
  const { [user_id]: _gone, ...others } = state.seats[id] ?? {};
  let next: State = state.seats[id] ? { ...state, seats: { ...state.seats, [id]: others } } : state;
  next = memberMoved(next, id, event);
  next = countPeople(stopTyping(next, id, user_id), id, -1);
  return withNotice(next, id, event, 'left', user_id, by ?? null, reason);
}

/** Who seals for a session has to know of its newest coming or going. */
function memberMoved(state: State, id: string, event: WireEvent): State {
  return state.sessions[id] ? patchSession(state, id, { membership_version: event.seq! }) : state;
}

function countPeople(state: State, id: string, by: number): State {
  const session = state.sessions[id];
  if (!session) return state;
  const next = patchSession(state, id, { member_count: Math.max(0, session.member_count + by) });
  const room = next.rooms[session.room_id];
  if (!session.main || !room) return next;
  const member_count = Math.max(0, room.member_count + by);
  return { ...next, rooms: { ...next.rooms, [room.id]: { ...room, member_count } } };
}

function roleOf(state: State, sessionId: string, userId: string): string {
  const room = state.rooms[state.sessions[sessionId]?.room_id ?? ''];
  return (room && state.seats[room.main_session_id]?.[userId]?.role) || 'member';
}

function roleChanged(state: State, id: string, change: NonNullable<WireEvent['role_changed']>): State {
  const roomId = state.sessions[id]?.room_id;
  const seats = { ...state.seats };
  for (const session of Object.values(state.sessions)) {
    const seat = seats[session.id]?.[change.user_id];
    if (session.room_id !== roomId || !seat) continue;
    seats[session.id] = { ...seats[session.id], [change.user_id]: { ...seat, role: change.role } };
  }
  const room = state.rooms[roomId ?? ''];
  if (!room || change.user_id !== state.me?.user.id) return { ...state, seats };
  return { ...state, seats, rooms: { ...state.rooms, [room.id]: { ...room, my_role: change.role } } };
}

/** The state without messages whose time was over, of which the server tells by their numbers. */
function decayed(state: State, id: string, { from, to }: Decayed, at: string): State {
  const threads = Object.values(state.threads).flatMap(({ root, messages }) => (root.session_id === id ? [root, ...messages] : []));
  const held = [...(state.logs[id]?.messages ?? []), ...threads];
  const due = new Set(held.filter(({ number, deleted_at }) => number >= from && number <= to && !deleted_at).map((message) => message.id));
  return [...due].reduce((next, gone) => patchMessage(next, id, gone, { deletedAt: at }), state);
}

function settings(state: State, id: string, event: WireEvent): State {
  const { name, by, message_ttl_s, end } = event.session_settings!;
  const before = state.sessions[id];
  const next = patchSession(state, id, { name, message_ttl_s: message_ttl_s ?? null, end: end ?? null });
  if (before && endWords(before.end) !== endWords(end)) return withNotice(next, id, event, 'ends', null, by, endWords(end));
  if (before && (before.message_ttl_s ?? null) !== (message_ttl_s ?? null)) {
    return withNotice(next, id, event, 'decays', null, by, message_ttl_s ? String(message_ttl_s) : '');
  }
  return withNotice(next, id, event, 'renamed', null, by, name);
}

/** An end as a notice keeps it: a moment, or so many seconds of silence. */
function endWords(end: SessionEnd | null | undefined): string {
  return end?.silence_s ? String(end.silence_s) : (end?.at ?? '');
}

function roomSettings(state: State, id: string, event: WireEvent): State {
  // All that it says is of the room, but for who set it.
  const { room_id, by, ...settings } = event.room_settings!;
  const room = state.rooms[room_id];
  if (!room) return state;
  const changed = { ...room, ...settings };
  const next = { ...state, rooms: { ...state.rooms, [room_id]: changed } };
  return room.name === settings.name ? next : withNotice(next, id, event, 'room', null, by, settings.name);
}

function applyToUser(state: State, event: WireEvent): State {
  const next: State = { ...state, userSeq: event.user_seq! };
  if (event.added) return added(next, event.added);
  if (event.removed) return removed(next, event.removed);
  if (event.room_created) {
    return { ...next, rooms: { ...next.rooms, [event.room_created.id]: event.room_created } };
  }
  if (event.settings) {
    const user = event.settings.user;
    return { ...next, me: event.settings, users: { ...next.users, [user.id]: { ...next.users[user.id], ...user } } };
  }
  if (event.device_added || event.device_removed) return { ...next, devicesVersion: next.devicesVersion + 1 };
  return next;
}

/** The state with a session one is now in; what is already known of it stays. */
export function added(state: State, { room, session }: NonNullable<WireEvent['added']>): State {
  // Read later, what is gone since is absent.
  if (!room || !session) return state;
  const users = { ...state.users };
  for (const person of room.people) users[person.id] = person;
  const known = state.sessions[session.id];
  return {
    ...state,
    users,
    rooms: { ...state.rooms, [room.id]: room },
    sessions: known ? state.sessions : { ...state.sessions, [session.id]: session },
    logs: known ? state.logs : { ...state.logs, [session.id]: emptyLog(session.head_seq) },
  };
}

function removed(state: State, gone: NonNullable<WireEvent['removed']>): State {
  const ids = gone.room
    ? Object.values(state.sessions).filter((session) => session.room_id === gone.room_id).map((session) => session.id)
    : [gone.session_id];
  return {
    ...state,
    rooms: gone.room ? without(state.rooms, [gone.room_id]) : state.rooms,
    sessions: without(state.sessions, ids),
    logs: without(state.logs, ids),
    seats: without(state.seats, ids),
    typing: without(state.typing, ids),
  };
}

/** Markers that moved, of others and of one's own other windows. */
export function applyRead(state: State, { session_id: id, marks }: ReadMarks): State {
  let next = state;
  for (const { user_id, number } of marks) {
    const seat = next.seats[id]?.[user_id];
    if (seat && (seat.readNumber ?? -1) < number) {
      const seats = { ...next.seats[id], [user_id]: { ...seat, readNumber: number } };
      next = { ...next, seats: { ...next.seats, [id]: seats } };
    }
    if (user_id === next.me?.user.id) next = readUpTo(next, id, number);
  }
  return next;
}

/** One's own marker moved to `number`; it never goes back. */
export function readUpTo(state: State, id: string, number: number): State {
  const session = state.sessions[id];
  if (!session || number <= session.read_number) return state;
  const unread = Math.min(session.unread, plainAfter(state.logs[id], session.head_number, number));
  return patchSession(state, id, {
    read_number: number,
    unread,
    mentions: Math.min(session.mentions, namedAfter(state, id, number)),
  });
}

/** How many messages after a number name the reader, at most; one in a thread is read with either marker. */
function namedAfter(state: State, id: string, number: number): number {
  const log = state.logs[id];
  const first = log?.messages[0]?.number;
  if (!log || first === undefined || log.hasAfter || first > number + 1) return Math.max(0, state.sessions[id]!.head_number - number);
  return log.messages.filter((message) => message.number > number && namesMe(state, message) && !isReadInThread(state, message)).length;
}

function isReadInThread(state: State, { session_id, thread_id, number }: Message): boolean {
  return Boolean(thread_id) && number <= (rootOf(state, session_id, thread_id!)?.thread?.read_number ?? 0);
}

export function applyPresence(state: State, { online, offline }: Presence): State {
  const users = { ...state.users };
  let changed = false;
  const set = (id: string, here: boolean) => {
    const user = users[id];
    if (!user || user.online === here) return;
    users[id] = { ...user, online: here };
    changed = true;
  };
  online.forEach((id) => set(id, true));
  offline.forEach((id) => set(id, false));
  return changed ? { ...state, users } : state;
}

export function applyTyping(state: State, { session_id, user_ids }: TypingNow): State {
  const others = user_ids.filter((id) => id !== state.me?.user.id);
  if (!others.length && !state.typing[session_id]?.length) return state;
  return { ...state, typing: { ...state.typing, [session_id]: others } };
}

function stopTyping(state: State, id: string, userId: string): State {
  const now = state.typing[id];
  if (!now?.includes(userId)) return state;
  return { ...state, typing: { ...state.typing, [id]: now.filter((other) => other !== userId) } };
}

function withNotice(
  state: State, id: string, event: WireEvent, kind: Notice['kind'],
  who: string | null, by: string | null, text: string,
): State {
  const after = state.sessions[id]?.head_number ?? 0;
  const notice: Notice = { seq: event.seq!, after, at: event.at, kind, who, by, text };
  return withLog(state, id, (log) => ({ ...log, notices: [...log.notices, notice].slice(-NOTICES_MAX) }));
}

const NOTICES_MAX = 200;

export function withLog(state: State, id: string, change: (log: Log) => Log): State {
  const log = state.logs[id];
  if (!log) return state;
  const next = change(log);
  return next === log ? state : { ...state, logs: { ...state.logs, [id]: next } };
}

export function patchSession(state: State, id: string, change: Partial<State['sessions'][string]>): State {
  const session = state.sessions[id];
  return session ? { ...state, sessions: { ...state.sessions, [id]: { ...session, ...change } } } : state;
}

function without<T>(record: Record<string, T>, ids: string[]): Record<string, T> {
  const rest = { ...record };
  for (const id of ids) delete rest[id];
  return rest;
}
