import { auth, rooms as roomsApi, sessions as sessionsApi } from '../net/api';
import { forgetAll } from '../files/attachments';
import { dropTicket } from '../files/ticket';
import { uuid } from '../net/uuid';
import { Outbox, type Draft, type Item } from '../outbox/outbox';
import { openShelf } from '../outbox/shelf';
import { tellPosted, tellRemoved } from './tell';
import { added } from './apply';
import { keepDecaying } from './decay';
import { newlyEnded } from './ending';
import { recount, stored, threadReadElsewhere } from './actions';
import { dropDrafts, flush as flushDrafts, forgetDrafts } from './drafts';
import { beginSealing, endSealing, isSealedSession, mayEncrypt, sealedOf, sealingPage } from './sealed';
import { around, store, update } from './store';
import { sync } from './sync';
import { rootOf } from './threads';
import { onWord, tellWindows } from './windows';
import type { State } from './state';
import type { Event, Message, Room, Session } from '../wire';

/** Ties the parts together: the outbox, the other windows, signing in and out. */

let outbox: Outbox | null = null;

export function start(): void {
  keepDecaying();
  store.subscribe((state, before) => newlyEnded(state, before).forEach(forgetSession));
  sync.onReady = () => {
    void readyOutbox();
    void beginSealing();
  };
  sync.onOpen = () => {
    outbox?.wake();
    if (store.getState().me) void beginSealing();
  };
  sync.onApplied = (event, before) => {
    const { posted } = event;
    const mine = posted?.sender_id === store.getState().me?.user.id;
    if (posted && mine) outbox?.seen(posted.client_id);
    if (posted && (sealedOf(posted) || !mine)) void tellWords(posted, mine);
    const over = event.deleted ? [event.deleted.message_id] : numbered(before, event);
    if (over.length && isSealedSession(event.session_id ?? '')) void sealingPage().then(({ dropSealed }) => over.forEach(dropSealed));
    // Whether one follows a thread that is not held, the server knows.
    if (posted?.thread_id && !rootOf(before, posted.session_id, posted.thread_id)) recount(posted.session_id);
    if (event.removed) tellRemoved(event.removed, before);
  };
  sync.onThreadRead = threadReadElsewhere;
  sync.onSignedOut = () => {
    dropTicket();
    forgetAll();
    forgetDrafts();
    void endSealing(false);
    outbox = null;
  };
  onWord((word) => {
    if (word.said === 'outbox') void outbox?.load();
    if (word.said === 'signed-out') sync.signedOut();
    if (word.said === 'signed-in' && around.getState().gate === 'out') void sync.boot();
    if (word.said === 'thread-read') threadReadElsewhere(word.root, word.number);
  });
  void sync.boot();
}

/** What was kept of a session beside what is held, and is not sent yet, is nobody's any more. */
function forgetSession(id: string): void {
  dropDrafts(id);
  void outbox?.clear(id);
  if (isSealedSession(id)) void sealingPage().then(({ dropSealedSession }) => dropSealedSession(id));
}

/** What is held of what has decayed. */
function numbered({ logs }: State, { session_id, decayed }: Event): string[] {
  const held = decayed ? (logs[session_id!]?.messages ?? []) : [];
  return held.flatMap(({ id, number }) => (number >= decayed!.from && number <= decayed!.to ? [id] : []));
}

/** Says a message aloud; what came sealed is opened first. */
async function tellWords(posted: Message, mine: boolean): Promise<void> {
  const said = sealedOf(posted) && mayEncrypt() ? await (await sealingPage()).openPosted(posted) : posted;
  if (!mine && !said.clear?.hidden && said.clear?.state !== 'shut') tellPosted(said);
}

async function readyOutbox(): Promise<void> {
  const userId = store.getState().me?.user.id;
  if (!userId || outbox) return;
  outbox = new Outbox(
    {
      shelf: await openShelf(),
      post,
      alone,
      changed: (items, tellOthers) => {
        around.setState({ outbox: items });
        if (tellOthers) tellWindows({ said: 'outbox' });
      },
      stored,
      later: (ms, work) => void window.setTimeout(work, ms),
    },
    userId,
  );
  await outbox.load();
  await outbox.flush();
}

/** What goes into a session that only its readers can open is sealed here first. */
async function post(item: Item): Promise<Message> {
  const { session_id, client_id, content, reply_to, thread_id, forward, ttl_s, files } = item;
  if (isSealedSession(session_id)) return (await sealingPage()).postSealed(item);
  return sessionsApi.send(session_id, { client_id, content, reply_to, thread_id, forward, ttl_s, files: files?.map(({ id }) => id) ?? [] });
}

/** Only one window of this browser sends. Without locks (plain http) the server still takes each id once. */
async function alone(work: () => Promise<void>): Promise<void> {
  if (navigator.locks) await navigator.locks.request('parlor.outbox', work);
  else await work();
}

export function sendMessage(session_id: string, content: string, more: Omit<Draft, 'client_id' | 'session_id' | 'content'> = {}): void {
  void outbox?.add({ client_id: uuid(), session_id, content, ...more });
}

export function retryItem(item: Item): void {
  void outbox?.retry(item.client_id);
}

export function discardItem(item: Item): void {
  void outbox?.discard(item.client_id);
}

export async function signIn(login: string, password: string): Promise<void> {
  await auth.login(login, password, deviceName());
  await sync.boot();
  tellWindows({ said: 'signed-in' });
}

export async function signOut(everywhere = false): Promise<void> {
  await flushDrafts();
  await endSealing(true);
  await (everywhere ? auth.logoutAll() : auth.logout()).catch(() => {});
  await outbox?.clear();
  sync.signedOut();
  tellWindows({ said: 'signed-out' });
}

/** Takes in a room one just entered, before its event arrives. */
export async function enter(room: Room): Promise<void> {
  if (store.getState().sessions[room.main_session_id]) {
    update((state) => ({ ...state, rooms: { ...state.rooms, [room.id]: room } }));
    return;
  }
  const { sessions } = await roomsApi.sessions(room.id);
  for (const session of sessions) take(room, session);
}

export function take(room: Room, session: Session): void {
  update((state) => added(state, { room, session }));
}

function deviceName(): string {
  const agent = navigator.userAgent;
  const browser = /Firefox/.test(agent) ? 'Firefox' : /Edg\//.test(agent) ? 'Edge' : /Chrome/.test(agent) ? 'Chrome' : 'Safari';
  const system = /Android/.test(agent) ? 'Android' : /iPhone|iPad/.test(agent) ? 'iOS' : /Mac/.test(agent) ? 'macOS' : /Windows/.test(agent) ? 'Windows' : 'Linux';
  return `${browser} on ${system}`;
}
