import { messages as messagesApi, sessions as sessionsApi, users as usersApi, type PageBound } from '../net/api';
import { ApiError } from '../net/http';
import type { Member, Message, MessagePage } from '../wire';
import { patchMessage, patchSession, posted, reacted, readUpTo, withLog } from './apply';
import { explain } from '../ui/explain';
import { takeFirst } from './first';
import { ownReaction } from './reactions';
import { isShut, mayEncrypt, sealedOf, sealingPage } from './sealed';
import { say, store, update } from './store';
import { heldRoot, rootOf, threadRead, withThread } from './threads';
import { throughHidden, trimmed, withoutEnd, withPage } from './window';
import { tellWindows } from './windows';

const PAGE = 50;
const LEAP_AT = 40;
const KEEP_WHEN_LEFT = 150;
const HELD_MAX = 10_000;

const busy = new Map<string, Promise<void>>();

/** Runs `work`, unless the same thing is under way: then that is waited for. */
function once(key: string, work: () => Promise<void>): Promise<void> {
  const running = busy.get(key);
  if (running) return running;
  const begun = work().finally(() => busy.delete(key));
  busy.set(key, begun);
  return begun;
}

/** Makes sure there is something to show: around the oldest unread message, or the newest page. */
export function openSession(id: string): Promise<void> {
  return once(`open ${id}`, async () => {
    const state = store.getState();
    const session = state.sessions[id];
    const log = state.logs[id];
    if (!session || log?.loaded) return;
    const held = log && takeFirst(session, log.seq);
    if (held) {
      const page = await openedPage(held);
      await drawn();
      return showPage(id, page, {}, true);
    }
    const far = session.unread > LEAP_AT;
    await loadPage(id, far ? { around: session.read_number + 1 } : {}, true);
  });
}

const DRAWN_MS = 100;

/** Waits until the empty list is drawn, or nobody looks: before it is measured it cannot go to its end, and its beginning would be seen. */
function drawn(): Promise<void> {
  return new Promise((done) => {
    requestAnimationFrame(() => setTimeout(done));
    setTimeout(done, DRAWN_MS);
  });
}

async function loadPage(id: string, bound: PageBound, replace: boolean): Promise<void> {
  showPage(id, await openedPage(await sessionsApi.page(id, bound, PAGE)), bound, replace);
}

function showPage(id: string, page: MessagePage, bound: PageBound, replace: boolean): void {
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

const OPENING_MS = 1_200;

/** A page of sealed messages waits a moment for their words, so that nothing jumps when they come. */
async function openedPage(page: MessagePage): Promise<MessagePage> {
  if (!mayEncrypt() || !page.messages.some(isShut)) return page;
  const late = new Promise<Message[]>((done) => setTimeout(() => done(page.messages), OPENING_MS));
  const open = sealingPage().then(({ openAll }) => openAll(page.messages)).catch(() => page.messages);
  return { ...page, messages: await Promise.race([open, late]) };
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
  update((state) => posted(state, message.session_id, message));
  // Whoever writes has read what stands above; the server learns of it as of any other reading.
  if (!message.thread_id) tellRead(message.session_id, 0);
}

export async function editMessage(message: Message, content: string): Promise<void> {
  const edited = sealedOf(message) ? await (await sealingPage()).editSealed(message, content) : await messagesApi.edit(message.id, content);
  update((state) => patchMessage(state, message.session_id, message.id, { edited }));
}

export async function deleteMessage(message: Message): Promise<void> {
  await messagesApi.remove(message.id);
  const deletedAt = new Date().toISOString();
  update((state) => patchMessage(state, message.session_id, message.id, { deletedAt }));
}

/** Reacts, or takes it back: at once here, and back again if the server refuses. */
export async function toggleReaction(message: Message, emoji: string): Promise<void> {
  const state = store.getState();
  const me = state.me!.user.id;
  const change = ownReaction(message, emoji, me);
  update((now) => reacted(now, message.session_id, change));
  try {
    if (sealedOf(message)) await (await sealingPage()).reactSealed(message, emoji, change.on);
    else await messagesApi.react(message.id, emoji, change.on);
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
  const through = throughHidden(store.getState().logs[id], number);
  if (!session || through <= session.read_number) return;
  update((state) => readUpTo(state, id, through));
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

const REPLIES = 50;

/** Makes sure that a thread's newest replies are there. */
export function openReplies(sessionId: string, id: string): Promise<void> {
  return once(`thread ${id}`, async () => {
    const known = rootOf(store.getState(), sessionId, id);
    const [root, page] = await Promise.all([known ?? messagesApi.get(id), messagesApi.replies(id, {}, REPLIES)]);
    update((state) => {
      // What was said while the page was on its way stands in the session.
      const last = page.messages.at(-1)?.number ?? 0;
      const live = state.logs[sessionId]?.messages.filter((reply) => reply.thread_id === id && reply.number > last) ?? [];
      const replies = { root: rootOf(state, sessionId, id) ?? root, messages: [...page.messages, ...live], hasBefore: page.has_more_before };
      return { ...state, threads: { ...state.threads, [id]: replies } };
    });
  });
}

/** Makes sure that a thread is there back to one reply. */
export async function loadRepliesTo(id: string, number: number): Promise<void> {
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const open = store.getState().threads[id];
    if (!open?.hasBefore || (open.messages[0]?.number ?? 0) <= number) return;
    await loadRepliesBefore(id);
  }
}

const PAGES_MAX = 40;

export function loadRepliesBefore(id: string): Promise<void> {
  return once(`thread before ${id}`, async () => {
    const first = store.getState().threads[id]?.messages[0]?.number;
    if (first === undefined) return;
    const page = await messagesApi.replies(id, { before: first }, REPLIES);
    update((state) => {
      const open = state.threads[id];
      if (open?.messages[0]?.number !== first) return state;
      const replies = { ...open, messages: [...page.messages, ...open.messages], hasBefore: page.has_more_before };
      return { ...state, threads: { ...state.threads, [id]: replies } };
    });
  });
}

/** A thread that is no longer looked at is asked for again when it is. */
export function closeReplies(id: string): void {
  update((state) => {
    const { [id]: _closed, ...threads } = state.threads;
    return { ...state, threads };
  });
}

export function markThreadRead(id: string): void {
  const open = store.getState().threads[id];
  const last = open?.messages.at(-1)?.number;
  if (!open || last === undefined || last <= (open.root.thread?.read_number ?? 0)) return;
  update((state) => threadRead(state, id, last));
  tellWindows({ said: 'thread-read', root: id, number: last });
  // Mentions in it are read with it.
  messagesApi.readThread(id, last).then(() => recount(open.root.session_id), () => {});
}

/** Another device, or another window, has read a thread. */
export function threadReadElsewhere(id: string, number: number): void {
  const root = heldRoot(store.getState(), id);
  update((state) => threadRead(state, id, number));
  if (root) recount(root.session_id);
  else messagesApi.get(id).then(({ session_id }) => recount(session_id), () => {});
}

const COUNT_MS = 400;
const COUNTS_MAX = 4;
const counting = new Map<string, number>();

/** Asks the server what is unread in threads of a session, where that cannot be told from what is held here. */
export function recount(id: string, left = COUNTS_MAX): void {
  clearTimeout(counting.get(id));
  counting.set(id, window.setTimeout(() => {
    counting.delete(id);
    sessionsApi.get(id).then((session) => {
      const held = store.getState().sessions[id];
      if (!held) return;
      const agree = session.head_seq === held.head_seq && session.read_number === held.read_number;
      // An answer of before, or an event still under way: a count of then would be wrong from now on.
      if (!agree && left > 1) return recount(id, left - 1);
      update((state) => patchSession(state, id, { thread_unread: session.thread_unread, ...(agree ? { mentions: session.mentions } : {}) }));
    }, () => {});
  }, COUNT_MS));
}

export async function followThread(sessionId: string, id: string, following: boolean): Promise<void> {
  await messagesApi.followThread(id, following);
  update((state) => withThread(state, sessionId, id, { following }));
  recount(sessionId);
}

export async function pinMessage(message: Message, on: boolean): Promise<void> {
  await messagesApi.pin(message.id, on);
  update((state) => patchMessage(state, message.session_id, message.id, { pinnedAt: on ? new Date().toISOString() : null }));
}
