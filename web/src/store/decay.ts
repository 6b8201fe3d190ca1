import type { Message } from '../wire';
import { endedBy, endOf } from './ending';
import { isSealedSession, sealingPage } from './sealed';
import type { State } from './state';
import { store, update } from './store';
import { patched } from './window';

/** Messages disappear, and sessions end, at their moment, whether the server is there or not, and before anything else after a sleep. */

/** When the first of these is over; never: infinity. */
function firstEnd(messages: readonly Message[]): number {
  return messages.reduce((first, { expires_at, deleted_at }) => (expires_at && !deleted_at ? Math.min(first, Date.parse(expires_at)) : first), Infinity);
}

/** The state without what is over at this moment, and which messages these were, each with its session. */
export function decayedBy(state: State, now: number): { next: State; gone: [session: string, id: string][] } {
  const gone: [string, string][] = [];
  const left = (message: Message): Message => {
    if (!message.expires_at || message.deleted_at || Date.parse(message.expires_at) > now) return message;
    gone.push([message.session_id, message.id]);
    return patched(message, { deletedAt: message.expires_at });
  };
  const due = ({ messages }: { messages: Message[] }): boolean => firstEnd(messages) <= now;
  const logs = Object.entries(state.logs).filter(([, log]) => due(log)).map(([id, log]) => [id, { ...log, messages: log.messages.map(left) }] as const);
  const threads = Object.entries(state.threads).filter(([, thread]) => due(thread) || due({ messages: [thread.root] }))
    .map(([id, thread]) => [id, { ...thread, root: left(thread.root), messages: thread.messages.map(left) }] as const);
  if (!logs.length && !threads.length) return { next: state, gone };
  return { next: { ...state, logs: { ...state.logs, ...Object.fromEntries(logs) }, threads: { ...state.threads, ...Object.fromEntries(threads) } }, gone };
}

/** When the first of some messages is over. Most lists are the same as at the last look. */
const known = new WeakMap<Message[], number>();

/** A timer takes no longer span than this. */
const NAP_MAX_MS = 2_000_000_000;

let timer = 0;

function wait({ logs, threads, sessions }: State): void {
  let next = Math.min(...Object.values(sessions).map(endOf));
  for (const { messages } of [...Object.values(logs), ...Object.values(threads)]) {
    if (!known.has(messages)) known.set(messages, firstEnd(messages));
    next = Math.min(next, known.get(messages)!);
  }
  clearTimeout(timer);
  if (next !== Infinity) timer = window.setTimeout(decayNow, Math.min(next - Date.now(), NAP_MAX_MS));
}

/** Takes out of what is held what is over by now. */
function decayNow(): void {
  const now = Date.now();
  const { next: rest, over } = endedBy(store.getState(), now);
  const { next, gone } = decayedBy(rest, now);
  if (!gone.length && !over.length) return wait(next);
  update(() => next);
  const sealed = gone.filter(([session]) => isSealedSession(session));
  // What was opened here is not found any more either.
  if (sealed.length) void sealingPage().then(({ dropSealed }) => sealed.forEach(([, id]) => dropSealed(id)));
}

export function keepDecaying(): void {
  store.subscribe((state, before) => {
    if (state.logs !== before.logs || state.threads !== before.threads || state.sessions !== before.sessions) wait(state);
  });
  // A page that slept was told of no moment.
  for (const woken of ['visibilitychange', 'resume']) document.addEventListener(woken, decayNow);
  window.addEventListener('pageshow', decayNow);
}
