import { createStore } from 'zustand/vanilla';
import { useStore } from 'zustand';
import { sessions as sessionsApi } from '../net/api';
import { ApiError, isPassing } from '../net/http';
import type { Draft } from '../wire';
import { isSealedSession } from './sealed';

/**
 * What was written and not sent, by place: a session, or a thread. It stands in this browser at once, and
 * a moment later on the server, which tells one's other devices. What was written last counts.
 */

interface Kept {
  text: string;
  /** The id of the message that it is to answer. */
  replyTo: string | null;
}

/** What the server does not know yet. */
interface Unsaved {
  session: string;
  thread: string | null;
  /** The server will not have it as it is: it stays here, and is told again when it changes. */
  refused?: boolean;
}

type Listener = (place: string, kept: Kept) => void;

const KEY = 'parlor.unsent.';
const UNSAVED = 'parlor.unsaved';
const CALM_MS = 1_000;
const AGAIN_MS = 15_000;
const NONE: Kept = { text: '', replyTo: null };

function parsed<T>(text: string | null, otherwise: T): T {
  try {
    return text ? JSON.parse(text) : otherwise;
  } catch {
    return otherwise;
  }
}

const drafts = createStore<Record<string, Kept>>(() => {
  const keys = Object.keys(localStorage).filter((key) => key.startsWith(KEY));
  return Object.fromEntries(keys.map((key) => [key.slice(KEY.length), parsed(localStorage.getItem(key), NONE)]));
});
const listeners = new Set<Listener>();
let timer = 0;
let running = false;

/** Read anew each time: another window of this browser writes it, too. */
function unsaved(): Record<string, Unsaved> {
  return parsed(localStorage.getItem(UNSAVED), {});
}

function setUnsaved(place: string, entry: Unsaved | null): void {
  const { [place]: _old, ...others } = unsaved();
  localStorage.setItem(UNSAVED, JSON.stringify(entry ? { ...others, [place]: entry } : others));
}

/** Whether a place has a draft that is not blank. */
export function useHasDraft(place: string): boolean {
  return useStore(drafts, (state) => Boolean(state[place]?.text.trim()));
}

function draftAt(place: string): Kept {
  return drafts.getState()[place] ?? NONE;
}

export function loadDraft(place: string): string {
  return draftAt(place).text;
}

/** The id of the message that the draft there answers. */
export function draftAnswers(place: string): string | null {
  return draftAt(place).replyTo;
}

function show(place: string, kept: Kept): void {
  const { [place]: _old, ...others } = drafts.getState();
  drafts.setState(kept.text ? { ...others, [place]: kept } : others, true);
}

function put(place: string, kept: Kept): void {
  if (kept.text) localStorage.setItem(KEY + place, JSON.stringify(kept));
  else localStorage.removeItem(KEY + place);
  show(place, kept);
}

function isSame(a: Kept, b: Kept): boolean {
  return a.text === b.text && a.replyTo === b.replyTo;
}

/** Keeps what somebody writes here. Without words there is nothing to keep. */
export function saveDraft(session: string, thread: string | null, text: string, replyTo: string | null): void {
  const place = thread ?? session;
  const kept = text ? { text, replyTo } : NONE;
  if (isSame(kept, draftAt(place))) return;
  put(place, kept);
  // What is sealed when it is sent is not told the server before.
  if (isSealedSession(session)) return;
  setUnsaved(place, { session, thread });
  later(text ? CALM_MS : 0);
}

/** Keeps it, and shows it in the field, too. */
export function writeDraft(session: string, thread: string | null, text: string, replyTo: string | null): void {
  const place = thread ?? session;
  saveDraft(session, thread, text, replyTo);
  listeners.forEach((listener) => listener(place, draftAt(place)));
}

function later(ms: number): void {
  clearTimeout(timer);
  timer = window.setTimeout(() => void flush(), ms);
}

/** Tells the server what it does not know yet; what it cannot be told now, a while later. */
export async function flush(): Promise<void> {
  if (running) return later(CALM_MS);
  running = true;
  try {
    for (const [place, entry] of Object.entries(unsaved())) {
      if (!entry.refused && !(await told(place, entry))) return later(AGAIN_MS);
    }
  } finally {
    running = false;
  }
}

/** Whether the server could be asked. */
async function told(place: string, { session, thread }: Unsaved): Promise<boolean> {
  const kept = draftAt(place);
  try {
    await sessionsApi.draft(session, {
      content: kept.text, ...(thread ? { thread_id: thread } : {}), ...(kept.replyTo ? { reply_to: kept.replyTo } : {}),
    });
  } catch (error) {
    if (isPassing(error)) return false;
    const gone = error instanceof ApiError && error.code === 'not_found';
    if (!gone && isSame(kept, draftAt(place))) setUnsaved(place, { session, thread, refused: true });
    if (!gone) return true;
  }
  // Written on meanwhile: it is told again.
  if (isSame(kept, draftAt(place))) setUnsaved(place, null);
  return true;
}

/** Another device wrote. What is not told from here yet is later than that. */
export function heardDraft({ session_id, thread_id, content, reply_to }: Draft): void {
  const place = thread_id ?? session_id;
  const kept = content ? { text: content, replyTo: reply_to ?? null } : NONE;
  if (unsaved()[place] || isSame(kept, draftAt(place))) return;
  put(place, kept);
  listeners.forEach((listener) => listener(place, kept));
}

/** What the server keeps, at the first screen: what is here and not there was sent, or thrown away, elsewhere. */
export function fromServer(known: Draft[]): void {
  known.forEach(heardDraft);
  const places = new Set(known.map(({ session_id, thread_id }) => thread_id ?? session_id));
  const waiting = unsaved();
  for (const place of Object.keys(drafts.getState())) {
    if (places.has(place) || waiting[place] || isSealedSession(place)) continue;
    put(place, NONE);
    listeners.forEach((listener) => listener(place, NONE));
  }
  void flush();
}

/** A session has ended: what was begun there, in its threads, too, goes unsaid. */
export function dropDrafts(session: string): void {
  const threads = Object.entries(unsaved()).filter(([, entry]) => entry.session === session).map(([place]) => place);
  for (const place of new Set([session, ...threads])) {
    setUnsaved(place, null);
    if (!draftAt(place).text) continue;
    put(place, NONE);
    listeners.forEach((listener) => listener(place, NONE));
  }
}

/** Somebody else may sign in: nothing of this is theirs. */
export function forgetDrafts(): void {
  clearTimeout(timer);
  for (const key of Object.keys(localStorage)) if (key.startsWith(KEY)) localStorage.removeItem(key);
  localStorage.removeItem(UNSAVED);
  drafts.setState({}, true);
}

/** Drafts that were written elsewhere, in another window too, show here. */
export function onDraft(place: string, hear: (kept: Kept) => void): () => void {
  const listener: Listener = (where, kept) => where === place && hear(kept);
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

// Another window of this browser wrote; it also tells the server.
window.addEventListener('storage', ({ key, newValue }) => {
  if (!key?.startsWith(KEY)) return;
  const place = key.slice(KEY.length);
  const kept = parsed(newValue, NONE);
  show(place, kept);
  listeners.forEach((listener) => listener(place, kept));
});
