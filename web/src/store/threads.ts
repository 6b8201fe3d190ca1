import { mentionsAlone } from './mentions';
import type { Replies, State } from './state';
import { patched } from './window';
import type { Patch } from './state';
import type { Message, Thread } from '../wire';

const FACES_MAX = 5;
const NONE: Thread = { replies: 0, last_reply_at: null, user_ids: [], following: false, unread: 0, read_number: 0 };

/** The message that began a thread, after a reply in it. A reply that is counted already changes nothing. */
function withCount(root: Message, reply: Message, me: State['me']): Message {
  const thread = root.thread ?? NONE;
  if ((thread.last_reply_at ?? '') >= reply.sent_at) return root;
  const own = reply.sender_id === me?.user.id;
  const begins = thread.replies === 0 && root.sender_id === me?.user.id;
  const named = me !== null && !reply.forwarded && mentionsAlone(reply.content, me.user.username);
  const following = thread.following || own || begins || named;
  return {
    ...root,
    thread: {
      replies: thread.replies + 1,
      last_reply_at: reply.sent_at,
      user_ids: [reply.sender_id, ...thread.user_ids.filter((id) => id !== reply.sender_id)].slice(0, FACES_MAX),
      following,
      unread: own || !following ? 0 : thread.unread + 1,
      read_number: own ? reply.number : thread.read_number,
    },
  };
}

function append(replies: Replies, reply: Message): Replies {
  const last = replies.messages.at(-1);
  return last && last.number >= reply.number ? replies : { ...replies, messages: [...replies.messages, reply] };
}

/** The state after a reply in a thread: the message that began it counts it, an open thread shows it. */
export function withReply(state: State, reply: Message): State {
  const id = reply.thread_id!;
  const next = withRoot(state, reply.session_id, id, (root) => withCount(root, reply, state.me));
  const open = next.threads[id];
  const shown = open ? { ...next, threads: { ...next.threads, [id]: append(open, reply) } } : next;
  return unreadMoved(state, { ...shown, threadsVersion: shown.threadsVersion + 1 }, reply.session_id, id);
}

/** The session counts what is unread in the threads that one follows, as far as they are known. */
function unreadMoved(before: State, after: State, sessionId: string, id: string): State {
  const by = unreadOf(after, sessionId, id) - unreadOf(before, sessionId, id);
  const session = after.sessions[sessionId];
  if (!by || !session) return after;
  const thread_unread = Math.max(0, session.thread_unread + by);
  return { ...after, sessions: { ...after.sessions, [sessionId]: { ...session, thread_unread } } };
}

function unreadOf(state: State, sessionId: string, id: string): number {
  const thread = rootOf(state, sessionId, id)?.thread;
  return thread?.following ? thread.unread : 0;
}

export function rootOf(state: State, sessionId: string, id: string): Message | undefined {
  return state.threads[id]?.root ?? state.logs[sessionId]?.messages.find((message) => message.id === id);
}

function withRoot(state: State, sessionId: string, id: string, change: (root: Message) => Message): State {
  const log = state.logs[sessionId];
  const open = state.threads[id];
  const at = log?.messages.findIndex((message) => message.id === id) ?? -1;
  let next = state;
  if (log && at >= 0) {
    const messages = log.messages.slice();
    messages[at] = change(messages[at]!);
    next = { ...next, logs: { ...next.logs, [sessionId]: { ...log, messages } } };
  }
  return open ? { ...next, threads: { ...next.threads, [id]: { ...open, root: change(open.root) } } } : next;
}

/** Changes what one has to do with a thread: whether one follows it, how far one has read. */
export function withThread(state: State, sessionId: string, id: string, change: Partial<Thread>): State {
  const next = withRoot(state, sessionId, id, (root) => ({ ...root, thread: { ...(root.thread ?? NONE), ...change } }));
  return unreadMoved(state, { ...next, threadsVersion: next.threadsVersion + 1 }, sessionId, id);
}

/** The message that began a thread, wherever it is held. */
export function heldRoot(state: State, id: string): Message | undefined {
  if (state.threads[id]) return state.threads[id].root;
  for (const { messages } of Object.values(state.logs)) {
    const root = messages.find((message) => message.id === id);
    if (root) return root;
  }
  return undefined;
}

/** One's own marker in a thread moved, here or elsewhere. */
export function threadRead(state: State, id: string, number: number): State {
  const root = heldRoot(state, id);
  if (!root?.thread || number <= root.thread.read_number) return state;
  return withThread(state, root.session_id, id, { read_number: number, unread: Math.min(root.thread.unread, unreadAfter(state, root, number)) });
}

/** How many replies after a number are held: all of them, where the window of the thread or of the session reaches so far back. */
function unreadAfter(state: State, root: Message, number: number): number {
  const open = state.threads[root.id];
  const log = state.logs[root.session_id];
  const whole = log && !log.hasAfter && (log.messages[0]?.number ?? Infinity) <= number + 1;
  const replies = open ? open.messages : whole ? log.messages.filter((message) => message.thread_id === root.id) : [];
  return replies.filter((reply) => reply.number > number && reply.sender_id !== state.me?.user.id).length;
}

/** The open threads after one message changed. */
export function patchReplies(threads: State['threads'], session: string, id: string, patch: Patch): State['threads'] {
  const changed = Object.entries(threads).flatMap(([key, { root, messages, hasBefore }]) => {
    const at = messages.findIndex((message) => message.id === id);
    if (root.session_id !== session || (at < 0 && root.id !== id)) return [];
    const replies = messages.slice();
    if (at >= 0) replies[at] = patched(replies[at]!, patch);
    return [[key, { root: root.id === id ? patched(root, patch) : root, messages: replies, hasBefore }] as const];
  });
  return changed.length ? { ...threads, ...Object.fromEntries(changed) } : threads;
}
