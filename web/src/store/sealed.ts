import { useStore } from 'zustand';
import { createStore } from 'zustand/vanilla';
import type { Status } from '../e2ee/types';
import { call } from '../net/http';
import type { Encrypted, Encryption, Message, Session } from '../wire';
import { store } from './store';

/**
 * Sessions that only their readers can open. What opens them is large and is fetched when it is wanted;
 * here stands what the first screen has to know of it.
 */

export interface Sealing {
  /** `insecure`: this page did not come by https. */
  at: 'unknown' | 'insecure' | 'starting' | 'ready' | 'failed';
  status: Status | null;
  /** Grows when who can read, or by what, may have changed. */
  version: number;
}

const OFF: Sealing = { at: 'unknown', status: null, version: 0 };

export const sealing = createStore<Sealing>(() => OFF);

export function useSealing<T>(select: (state: Sealing) => T): T {
  return useStore(sealing, select);
}

const KNOWN = 'parlor.sealed';
const ALGORITHM = 'm.megolm.v1.aes-sha2';

let held: Set<string> | null = null;

/** Sessions that were encrypted once stay so here, whatever the server says later. */
function known(): Set<string> {
  held ??= new Set(JSON.parse(globalThis.localStorage?.getItem(KNOWN) ?? '[]') as string[]);
  return held;
}

export function encryptionOf(session: Session | undefined): Encryption | null {
  if (!session) return null;
  const told = session.encryption ?? null;
  if (told && !known().has(session.id)) {
    known().add(session.id);
    globalThis.localStorage?.setItem(KNOWN, JSON.stringify([...known()].slice(-KNOWN_MAX)));
  }
  return told ?? (known().has(session.id) ? WANTED : null);
}

const KNOWN_MAX = 5_000;

export function isSealedSession(id: string): boolean {
  return encryptionOf(store.getState().sessions[id]) !== null || known().has(id);
}

/** The newest coming or going that is known of: whoever is told of an older one does not know who reads. */
export function membershipOf(session: Session | undefined): number | null {
  return session?.membership_version ?? null;
}

/** What a message is made of, when it came sealed. */
export function sealedOf(message: Message): Encrypted | null {
  return message.deleted_at ? null : (message.encrypted ?? null);
}

/** Whether it still has to be opened: nothing of it, or older words, stand here. */
export function isShut(message: Message): boolean {
  const sealed = sealedOf(message);
  return sealed !== null && message.clear?.of !== sealed.ciphertext;
}

/** Whether the time of a message was over, rather than somebody deleting it. */
export function isDecayed({ expires_at, deleted_at }: Message): boolean {
  return Boolean(expires_at && deleted_at) && Date.parse(deleted_at!) >= Date.parse(expires_at!);
}

/** Whether a message is a line of the timeline. Replies in threads stand there; what only says something of another message is none. */
export function isLine(message: Message): boolean {
  if (message.thread_id || message.clear?.hidden || isDecayed(message)) return false;
  return !(isShut(message) && sealing.getState().at === 'ready' && !message.clear);
}

/** Whether new sessions can be encrypted in this browser. */
export function mayEncrypt(): boolean {
  const { at } = sealing.getState();
  return at === 'starting' || at === 'ready';
}

/** How new sessions are encrypted. */
export const WANTED: Encryption = { algorithm: ALGORITHM };

let page: Promise<typeof import('../e2ee/page')> | null = null;

/** The part of the page that talks to the keys. */
export function sealingPage(): Promise<typeof import('../e2ee/page')> {
  page ??= import('../e2ee/page');
  return page;
}

/** A message that was fetched alone, with its own words. */
export async function openedOne(message: Message): Promise<Message> {
  if (!isShut(message) || !mayEncrypt()) return message;
  const { openAll } = await sealingPage();
  return (await openAll([message]))[0]!;
}

/** Whoever adds people to an encrypted session says first that they are let in; a browser that has no keys cannot. */
export async function letIn(session: string, users: string[]): Promise<void> {
  if (!isSealedSession(session) || ['insecure', 'failed'].includes(sealing.getState().at)) return;
  await (await sealingPage()).letIn(session, users);
}

/** An encrypted session was made here: those who were named are let in, and nobody else whom the server adds. */
export async function beginRoll(session: string, named: string[]): Promise<void> {
  if (mayEncrypt()) (await sealingPage()).beginRoll(session, named);
}

const CALM_MS = 1_200;
let asked = 0;

/** Begins when the page has had time to be drawn; where something sealed is to be read, at once. */
export async function beginSealing(): Promise<void> {
  if (sealing.getState().at !== 'unknown') return;
  if (!isSecureContext || !navigator.locks || !globalThis.crypto?.subtle) return sealing.setState({ at: 'insecure' });
  const turn = ++asked;
  sealing.setState({ at: 'starting' });
  try {
    if (!anySealed()) await new Promise((done) => setTimeout(done, CALM_MS));
    if (turn !== asked) return;
    const { user_id, device_id } = await call<{ user_id: string; device_id: string }>('GET', '/e2ee');
    const { startSealing } = await sealingPage();
    if (turn === asked) startSealing(user_id, device_id);
  } catch {
    // Asked again with the next connection.
    if (turn === asked) sealing.setState({ at: 'unknown' });
  }
}

/** What is known of this device's keys; asked for a moment longer while they are being opened. */
export async function statusSoon(): Promise<Status | 'unknown' | null> {
  const end = Date.now() + STATUS_MS;
  for (;;) {
    const { at, status } = sealing.getState();
    if (status) return status;
    if (at === 'insecure' || !anySealed()) return null;
    if (at === 'failed' || Date.now() > end) return 'unknown';
    await new Promise((done) => setTimeout(done, 100));
  }
}

const STATUS_MS = 6_000;

function anySealed(): boolean {
  return Object.values(store.getState().sessions).some((session) => encryptionOf(session));
}

/** Somebody signed out: the keys are removed when that is wanted. */
export async function endSealing(forget: boolean): Promise<void> {
  asked += 1;
  const running = page && sealing.getState().at !== 'unknown' ? await page.catch(() => null) : null;
  await running?.stopSealing(forget).catch(() => {});
  held = forget ? new Set() : held;
  if (forget) localStorage.removeItem(KNOWN);
  sealing.setState(OFF);
}
