import { deleteDB } from 'idb';
import { messages as messagesApi, sessions as sessionsApi } from '../net/api';
import { ApiError } from '../net/http';
import type { Item } from '../outbox/outbox';
import { patchSession, withLog } from '../store/apply';
import { mentions } from '../store/mentions';
import { encryptionOf, isShut, membershipOf, sealedOf, sealing } from '../store/sealed';
import { store, update } from '../store/store';
import type { State } from '../store/state';
import { sync } from '../store/sync';
import type { Message } from '../wire';
import { asked, reactionsOf, withOpened } from './clear';
import { accountOf, databasesOf } from './engine/places';
import { Link } from './link';
import { Openings } from './openings';
import type { Word } from './rpc';
import type { Opened, Payload } from './types';
import { words } from './words';

/** Ties the worker that has the keys to what the page shows: opens what came sealed, and seals what goes. */

let link: Link | null = null;
let account = '';
let unsubscribe = () => {};
let logs: State['logs'] = {};
let threads: State['threads'] = {};
let sessions: State['sessions'] = {};

export function startSealing(user: string, device: string): void {
  if (link) return;
  account = accountOf(user, device);
  link = new Link(account, heard);
  link.start();
  for (const [session, named] of unbegun.splice(0)) beginRoll(session, named);
  unsubscribe = store.subscribe(look);
}

export async function stopSealing(forget: boolean): Promise<void> {
  unsubscribe();
  const late = new Promise((done) => setTimeout(done, FORGET_MS));
  if (forget && link) await Promise.race([link.call('forget'), late]).catch(() => {});
  const names = forget && account ? databasesOf(account) : [];
  link?.stop();
  link = null;
  // A database goes when nobody has it open any more; what is under way goes on without being waited for.
  await Promise.race([Promise.allSettled(names.map((name) => deleteDB(name))), late]);
  openings.clear();
  seen.clear();
  [logs, threads] = [{}, {}];
}

const FORGET_MS = 4_000;

/** The worker, to be asked. */
export function keys(): Link {
  // What is begun before the keys are there waits for them, as without a connection.
  if (!link) throw new ApiError(['insecure', 'failed'].includes(sealing.getState().at) ? 'sealing' : 'unavailable', words.notReady, 0);
  return link;
}

function heard(word: Word): void {
  if (word.word === 'ready' || word.word === 'changed') void refresh();
  if (word.word === 'broken' && sealing.getState().at !== 'ready') sealing.setState({ at: 'failed' });
  if (word.word === 'gone') {
    link?.stop();
    sealing.setState({ at: 'failed' });
  }
  if (word.word === 'keys') again(new Set(word.sessions));
}

let refreshing = false;
let stale = false;

/** What the worker says of itself; several changes at once are asked for once. */
async function refresh(): Promise<void> {
  stale = true;
  if (refreshing) return;
  refreshing = true;
  try {
    while (stale && link) {
      stale = false;
      const before = sealing.getState();
      const status = await link.call('status');
      sealing.setState({ at: 'ready', status, version: sealing.getState().version + 1 });
      if (before.at !== 'ready') sync.onOpen();
      see(store.getState().sessions);
      if (before.at !== 'ready' || before.status?.signed !== status.signed) again(null);
      await new Promise((done) => setTimeout(done, CALM_MS));
    }
  } catch {
    // The next word from the worker asks again.
  } finally {
    refreshing = false;
  }
}

const CALM_MS = 120;

const openings = new Openings(async (messages) => keys().call('open', messages));

function me(): string {
  return store.getState().me?.user.id ?? '';
}

/** The same messages, with their own words. */
export async function openAll(messages: Message[]): Promise<Message[]> {
  return Promise.all(messages.map(async (message) => (isShut(message) ? withOpened(message, await openings.open(asked(message)), me()) : message)));
}

const looking = new Set<string>();

/** Whatever comes into the store sealed is opened, wherever it came from. */
function look(state: State): void {
  if (state.sessions !== sessions) see(state.sessions);
  sessions = state.sessions;
  if (state.logs === logs && state.threads === threads) return;
  const found: Message[] = [];
  for (const [id, log] of Object.entries(state.logs)) {
    if (log.messages !== logs[id]?.messages) found.push(...log.messages.filter(isNew));
  }
  [logs, threads] = [state.logs, state.threads];
  if (found.length) void openInto(found);
}

const seen = new Set<string>();

/** Every encrypted session is seen by the worker as soon as it is known here, also one that nobody opens. */
function see(known: State['sessions']): void {
  if (sealing.getState().at !== 'ready') return;
  const found = Object.values(known).filter((session) => !seen.has(session.id) && encryptionOf(session)).map(({ id }) => id);
  if (!found.length) return;
  for (const id of found) seen.add(id);
  // Asked for again with whatever comes next.
  link?.call('see', found).catch(() => found.forEach((id) => seen.delete(id)));
}

function isNew(message: Message): boolean {
  return isShut(message) && !looking.has(keyOf(message));
}

function keyOf(message: Message): string {
  return `${message.id} ${sealedOf(message)?.ciphertext ?? ''}`;
}

const PATIENCE_MS = 1_500;

async function openInto(messages: Message[]): Promise<void> {
  for (const message of messages) looking.add(keyOf(message));
  const late = setTimeout(() => put(messages.map((message) => [message, { state: 'shut', why: 'opening' }])), PATIENCE_MS);
  try {
    const answers = await Promise.all(messages.map(async (message) => [message, patient(message, await openings.open(asked(message)))] as const));
    clearTimeout(late);
    put(answers);
  } finally {
    for (const message of messages) looking.delete(keyOf(message));
  }
}

const KEYS_MS = 3_000;

/** Keys and the message come by two ways: that the keys are not there yet is said only when they are late. */
function patient(message: Message, found: Opened): Opened {
  if (found.state === 'open' || found.why !== 'keys' || message.clear) return found;
  setTimeout(() => again(new Set([message.session_id])), KEYS_MS);
  return { state: 'shut', why: 'opening' };
}

/** Puts what was inside in place of what came. */
function put(answers: (readonly [Message, Opened])[]): void {
  const byKey = new Map(answers.map(([message, answer]) => [keyOf(message), answer]));
  update((state) => {
    let next = state;
    for (const id of new Set(answers.map(([message]) => message.session_id))) {
      next = withLog(next, id, (log) => ({ ...log, messages: log.messages.map((held) => replaced(held, byKey)) }));
    }
    for (const [, answer] of answers) next = withReacted(next, answer, answers[0]![0].session_id);
    return next;
  });
}

function replaced(held: Message, byKey: Map<string, Opened>): Message {
  const answer = sealedOf(held) && byKey.get(keyOf(held));
  if (!answer) return held;
  // A second word that it is shut says nothing new; one that it is open does.
  if (held.clear?.of === sealedOf(held)!.ciphertext && held.clear.state === 'open' && answer.state === 'shut') return held;
  return withOpened(held, answer, me());
}

function withReacted(state: State, answer: Opened, session: string): State {
  if (answer.state !== 'open' || !answer.reacted) return state;
  const { message_id, reactions } = answer.reacted;
  return withLog(state, session, (log) => ({
    ...log,
    messages: log.messages.map((message) => (message.id === message_id ? { ...message, reactions: reactionsOf(reactions, me()) } : message)),
  }));
}

/** Keys came: what is shut in these sessions, or anywhere, is tried once more. */
function again(sessions: Set<string> | null): void {
  openings.arrived();
  const shut = Object.entries(store.getState().logs)
    .filter(([id]) => !sessions || sessions.has(id))
    .flatMap(([, log]) => log.messages.filter((message) => sealedOf(message) && message.clear?.state !== 'open'));
  if (shut.length) void openInto(shut);
}

/** A message that was just said, in whatever session: its words, and what the counters of the list did not know. */
export async function openPosted(message: Message): Promise<Message> {
  const found = patient(message, await openings.open(asked(message)));
  const clear = withOpened(message, found, me());
  put([[message, found]]);
  const session = store.getState().sessions[message.session_id];
  if (found.state !== 'open' || !session || message.sender_id === me()) return clear;
  const unread = message.number > session.read_number;
  if (found.payload.react && unread && session.unread > 0) {
    update((state) => patchSession(state, session.id, { unread: session.unread - 1 }));
  } else if (unread && mentions(found.payload.body, store.getState().me!.user.username)) {
    update((state) => patchSession(state, session.id, { mentions: session.mentions + 1 }));
  }
  return clear;
}

const STALE_TRIES = 4;
const WEEK_MS = 604_800_000;
const ROTATION_MESSAGES = 100;

/** Seals a payload for a session and posts it; anew when somebody came or went meanwhile. */
async function sealed<T>(sessionId: string, payload: Payload, post: (encrypted: object) => Promise<T>): Promise<T> {
  const session = store.getState().sessions[sessionId];
  const { rotation_period_ms, rotation_period_msgs, verified_only } = encryptionOf(session) ?? {};
  const settings = { period_ms: rotation_period_ms ?? WEEK_MS, messages: rotation_period_msgs ?? ROTATION_MESSAGES, verified_only: verified_only ?? false };
  let version = membershipOf(session);
  for (let tries = 1; ; tries += 1) {
    const { encrypted, membership_version } = await keys().call('seal', sessionId, payload, settings, version).catch(inWords);
    try {
      return await post({ encrypted, membership_version });
    } catch (error) {
      if (!(error instanceof ApiError && error.code === 'stale_membership') || tries >= STALE_TRIES) throw error;
      version = null;
      // Whoever was away for a moment was not given the key by the server.
      await keys().call('discard', sessionId);
    }
  }
}

function inWords(error: unknown): never {
  const { code, status, users } = error as { code: string; status: number; users?: string[] };
  if (code === 'identity_changed') throw new ApiError(code, words.changedRefusal(users ?? []), status);
  if (code === 'device_not_signed') throw new ApiError(code, words.unsignedRefusal, status);
  throw error;
}

/** Sessions that were made before the worker was there. */
const unbegun: [session: string, named: string[]][] = [];

/** Whoever made a session begins its roll with those who were named: the worker hears of it before it is asked anything else of this session. */
export function beginRoll(session: string, named: string[]): void {
  if (link) void link.call('beginRoll', session, named).catch(() => {});
  else unbegun.push([session, named]);
}

/** Says that these people are let into a session, so that its members give them keys. */
export async function letIn(session: string, users: string[]): Promise<void> {
  await keys().call('letIn', session, users).catch(inWords);
}

/** Sends what the outbox has for an encrypted session. */
export async function postSealed({ session_id, client_id, content, reply_to, ttl_s: own, files, made_at }: Item): Promise<Message> {
  const attached = (files ?? []).flatMap((file) => file.sealed ?? []);
  const here = store.getState().sessions[session_id]?.message_ttl_s;
  const ttl_s = Math.min(own || Infinity, here || Infinity);
  const payload: Payload = {
    v: 1, body: content, sent_at: new Date(made_at).toISOString(),
    // Counted from when it is sent, which may be later than when it was written.
    ...(ttl_s < Infinity ? { expires_in_ms: ttl_s * 1_000 + Math.max(0, Date.now() - made_at) } : {}),
    ...(reply_to ? { reply_to } : {}), ...(attached.length ? { files: attached } : {}),
  };
  const ids = attached.flatMap(({ id, thumbnail }) => (thumbnail ? [id, thumbnail.id] : [id]));
  const message = await sealed(session_id, payload, (encrypted) => sessionsApi.sendSealed(session_id, { client_id, files: ids, ...(own ? { ttl_s: own } : {}), ...encrypted }));
  return sealedOf(message) ? withOpened(message, { state: 'open', payload, shield: 'verified', reactions: [] }, me()) : message;
}

export async function editSealed(message: Message, content: string): Promise<Message> {
  const files = message.files.flatMap((file) => file.sealed ?? []);
  const payload: Payload = {
    v: 1, body: content, sent_at: new Date().toISOString(), edits: message.id,
    ...(message.reply_to ? { reply_to: message.reply_to } : {}), ...(files.length ? { files } : {}),
  };
  return sealed(message.session_id, payload, (encrypted) => messagesApi.editSealed(message.id, encrypted));
}

export async function reactSealed(message: Message, emoji: string, on: boolean): Promise<void> {
  const payload: Payload = { v: 1, body: '', sent_at: new Date().toISOString(), react: { message_id: message.id, emoji, on } };
  await sealed(message.session_id, payload, (encrypted) =>
    sessionsApi.sendSealed(message.session_id, { client_id: crypto.randomUUID(), files: [], ...encrypted }));
}

/** A session has ended: nothing that was said in it is found any more. */
export function dropSealedSession(session: string): void {
  void link?.call('dropSession', session).catch(() => {});
}

/** What was deleted is not found any more. */
export function dropSealed(id: string): void {
  void link?.call('drop', id).catch(() => {});
}
