import { messages as messagesApi, sessions as sessionsApi, users as usersApi, type PageBound } from '../net/api';
import { ApiError } from '../net/http';
import type { Member, Message } from '../wire';
import { counted, patchSession, reacted, readUpTo, withLog } from './apply';
import { explain } from '../ui/explain';
import { ownReaction } from './reactions';
import { say, store, update } from './store';
import { trimmed, withoutEnd, withPage, withPatch, withPosted } from './window';

const PAGE = 50;
const LEAP_AT = 40;
const KEEP_WHEN_LEFT = 150;
const HELD_MAX = 10_000;

const busy = new Set<string>();

/** Runs `work` unless the same thing is under way. */
async function once(key: string, work: () => Promise<void>): Promise<void> {
  if (busy.has(key)) return;
  busy.add(key);
  try {
    await work();
  } finally {
    busy.delete(key);
  }
}

/** Makes sure there is something to show: around the oldest unread message, or the newest page. */
export function openSession(id: string): Promise<void> {
  return once(`open ${id}`, async () => {
    const state = store.getState();
    const session = state.sessions[id];
    if (!session || state.logs[id]?.loaded) return;
    const far = session.unread > LEAP_AT;
    await loadPage(id, far ? { around: session.read_number + 1 } : {}, true);
  });
}

async function loadPage(id: string, bound: PageBound, replace: boolean): Promise<void> {
  const page = await sessionsApi.page(id, bound, PAGE);
  // The window may have moved elsewhere meanwhile; then nobody wants this page any more.
  if (!replace && !adjoins(id, bound)) return;
  update((state) => withLog(state, id, (log) => withPage(log, page, replace)));
  // Messages that were posted while the page was on its way are not in it.
  const head = store.getState().sessions[id]?.head_number ?? 0;
  const last = page.messages.at(-1)?.number ?? 0;
  if (!page.has_more_after && last < head) {
    update((state) => withLog(state, id, (log) => ({ ...log, hasAfter: true })));
  }
}

function adjoins(id: string, bound: PageBound): boolean {
  const held = store.getState().logs[id]?.messages ?? [];
  if ('before' in bound) return held[0]?.number === bound.before;
  return 'after' in bound && (held.at(-1)?.number ?? 0) >= bound.after && (held[0]?.number ?? 0) <= bound.after;
}

export function loadBefore(id: string): Promise<void> {
  return once(`before ${id}`, async () => {
    const log = store.getState().logs[id];
    const first = log?.messages[0]?.number;
    if (!log?.hasBefore || first === undefined) return;
    await loadPage(id, { before: first }, false);
    // Apart from the page, so that each change of the list is at one end only.
    setTimeout(() => update((state) => withLog(state, id, (held) => withoutEnd(held, HELD_MAX))));
  });
}

export function loadAfter(id: string): Promise<void> {
  return once(`after ${id}`, async () => {
    const log = store.getState().logs[id];
    const last = log?.messages.at(-1)?.number;
    if (log?.hasAfter && last !== undefined) await loadPage(id, { after: last }, false);
  });
}

export function loadAround(id: string, number: number): Promise<void> {
  return once(`around ${id}`, async () => {
    const log = store.getState().logs[id];
    if (log?.messages.some((message) => message.number === number)) return;
    await loadPage(id, { around: number }, true);
  });
}

export function loadNewest(id: string): Promise<void> {
  return once(`newest ${id}`, async () => {
    if (store.getState().logs[id]?.hasAfter) await loadPage(id, {}, true);
  });
}

/** A session that is no longer looked at keeps only its newest messages. */
export function closeSession(id: string): void {
  update((state) => withLog(state, id, (log) => trimmed(log, KEEP_WHEN_LEFT)));
}

export function loadSeats(id: string): Promise<void> {
  return once(`seats ${id}`, async () => {
    const members = await sessionsApi.members(id);
    update((state) => {
      const users = { ...state.users };
      const seats: Record<string, { role: string; joinedAt: string; readNumber: number | null }> = {};
      for (const { user, role, joined_at, read_number } of members as Member[]) {
        users[user.id] = user;
        seats[user.id] = { role, joinedAt: joined_at, readNumber: read_number ?? null };
      }
      const next = { ...state, users, seats: { ...state.seats, [id]: seats } };
      return patchSession(next, id, { member_count: members.length });
    });
  });
}

/** People who wrote and are gone are asked for one by one. */
export function loadUser(id: string): void {
  void once(`user ${id}`, async () => {
    if (store.getState().users[id]) return;
    const user = await usersApi.get(id).catch(() => null);
    if (user) update((state) => ({ ...state, users: { ...state.users, [id]: user } }));
    else await new Promise((done) => setTimeout(done, 30_000));
  });
}

/** What the server stored, put in place before its event arrives. */
export function stored(message: Message): void {
  update((state) => {
    const next = withLog(state, message.session_id, (log) => withPosted(log, message));
    return counted(next, message.session_id, message);
  });
  // Whoever writes has read what stands above; the server learns of it as of any other reading.
  tellRead(message.session_id, 0);
}

export async function editMessage(message: Message, content: string): Promise<void> {
  const edited = await messagesApi.edit(message.id, content);
  update((state) => withLog(state, message.session_id, (log) => withPatch(log, message.id, { edited })));
}

export async function deleteMessage(message: Message): Promise<void> {
  await messagesApi.remove(message.id);
  const deletedAt = new Date().toISOString();
  update((state) => withLog(state, message.session_id, (log) => withPatch(log, message.id, { deletedAt })));
}

/** Reacts, or takes it back: at once here, and back again if the server refuses. */
export async function toggleReaction(message: Message, emoji: string): Promise<void> {
  const state = store.getState();
  const me = state.me!.user.id;
  const held = state.logs[message.session_id]?.messages.find((one) => one.id === message.id) ?? message;
  const change = ownReaction(held, emoji, me);
  update((now) => reacted(now, message.session_id, change));
  try {
    await messagesApi.react(message.id, emoji, change.on);
  } catch (error) {
    update((now) => reacted(now, message.session_id, { ...change, on: !change.on, count: Math.max(0, change.count + (change.on ? -1 : 1)) }));
    say(explain(error), true);
  }
}

const markTimers = new Map<string, number>();
const MARK_MS = 400;

/** Moves one's own marker: at once here, a moment later on the server. */
export function markRead(id: string, number: number): void {
  const session = store.getState().sessions[id];
  if (!session || number <= session.read_number) return;
  update((state) => readUpTo(state, id, number));
  tellRead(id, MARK_MS);
}

function tellRead(id: string, afterMs: number): void {
  if (markTimers.has(id)) return;
  const tell = async () => {
    markTimers.delete(id);
    const read = store.getState().sessions[id]?.read_number;
    if (!read) return;
    try {
      await sessionsApi.read(id, read);
    } catch (error) {
      if (error instanceof ApiError && error.retryAfterMs) tellRead(id, error.retryAfterMs);
    }
  };
  markTimers.set(id, window.setTimeout(tell, afterMs));
}
