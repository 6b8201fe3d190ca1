import { useStore } from 'zustand';
import { createStore } from 'zustand/vanilla';
import { messages as messagesApi } from '../net/api';
import { isPhone } from '../shell/usePhone';
import { draftAnswers, loadDraft, saveDraft, writeDraft } from '../store/drafts';
import { isShut, openedOne } from '../store/sealed';
import { store } from '../store/store';
import type { Message } from '../wire';

/** What is open beside a session. */
export type Side =
  | { kind: 'thread'; session: string; root: string; number: number | null }
  | { kind: 'pins'; session: string }
  | { kind: 'readers'; session: string };

interface Talk {
  /** By place, a session or a thread: the message that the next one answers. */
  replies: Record<string, Message>;
  /** By place: for how many seconds the next message lives, where that was chosen. */
  lives: Record<string, number>;
  /** The message whose words are being changed. */
  editing: string | null;
  /** A message to go to and light up; `at` tells two jumps to it apart. */
  jump: { session: string; number: number; at: number } | null;
  side: Side | null;
}

/** What one is in the middle of: replying, editing, jumping, looking at a thread. */
export const talk = createStore<Talk>(() => ({ replies: {}, lives: {}, editing: null, jump: null, side: null }));

export function useTalk<T>(select: (state: Talk) => T): T {
  return useStore(talk, select);
}

/** Where a message's answers are written. */
function placeOf(message: Message): string {
  return message.thread_id ?? message.session_id;
}

export function focusComposer(place: string): void {
  document.querySelector<HTMLElement>(`[data-place="${CSS.escape(place)}"]`)?.focus();
}

function setReply(place: string, message: Message | null): void {
  talk.setState(({ replies: { [place]: _old, ...others } }) => ({ replies: message ? { ...others, [place]: message } : others }));
}

/** Lets the next message there live for so many seconds; 0: as what is said there does. */
export function setLife(place: string, seconds: number): void {
  talk.setState(({ lives: { [place]: _old, ...others } }) => ({ lives: seconds ? { ...others, [place]: seconds } : others }));
}

export function replyTo(message: Message): void {
  const place = placeOf(message);
  setReply(place, message);
  saveDraft(message.session_id, message.thread_id ?? null, loadDraft(place), message.id);
  focusComposer(place);
}

export function stopReply(place: string): void {
  const message = talk.getState().replies[place];
  setReply(place, null);
  if (message) saveDraft(message.session_id, message.thread_id ?? null, loadDraft(place), null);
}

/** Answers what the draft there answers: it was begun before a reload, or elsewhere. */
export async function takeUpReply(place: string, session: string, elsewhere = false): Promise<void> {
  const id = draftAnswers(place);
  if (!id) return elsewhere ? setReply(place, null) : undefined;
  if (talk.getState().replies[place]?.id === id) return;
  const { logs, threads } = store.getState();
  const held = [...(logs[session]?.messages ?? []), ...(threads[place]?.messages ?? [])].find((message) => message.id === id);
  const message = held ?? await messagesApi.get(id).then(openedOne).catch(() => null);
  if (message && !message.deleted_at && draftAnswers(place) === id) setReply(place, message);
}

/** Puts a message's words into the field, as a quote. */
export function quote(message: Message): void {
  const lines = message.content.split('\n').map((line) => `> ${line}`).join('\n');
  const place = placeOf(message);
  const before = loadDraft(place).trimEnd();
  const reply = talk.getState().replies[place]?.id ?? null;
  writeDraft(message.session_id, message.thread_id ?? null, `${before ? `${before}\n\n` : ''}${lines}\n\n`, reply);
  focusComposer(place);
}

/** Words that somebody passes on are not theirs to change; a reaction has none. */
export function mayEdit(message: Message): boolean {
  const { sender_id, deleted_at, forwarded, clear } = message;
  return sender_id === store.getState().me?.user.id && !deleted_at && !forwarded && !isShut(message) && clear?.state !== 'shut' && !clear?.hidden;
}

export function edit(message: Message): void {
  talk.setState({ editing: message.id });
}

export function stopEdit(message: Message): void {
  talk.setState({ editing: null });
  focusComposer(placeOf(message));
}

export function jumpTo(session: string, number: number): void {
  talk.setState({ jump: { session, number, at: Date.now() } });
}

/** Opens a thread beside its session; with a number, at that reply. */
export function openThread(session: string, root: string, number: number | null = null): void {
  talk.setState({ side: { kind: 'thread', session, root, number } });
}

export function openPins(session: string): void {
  talk.setState(({ side }) => ({ side: side?.kind === 'pins' && side.session === session ? null : { kind: 'pins', session } }));
}

/** Shows who can read an encrypted session. */
export function openReaders(session: string): void {
  talk.setState(({ side }) => ({ side: side?.kind === 'readers' && side.session === session ? null : { kind: 'readers', session } }));
}

export function dropSide(): void {
  talk.setState({ side: null });
}

/** Back to the message that the thread is under, or to the field. */
export function closeSide(): void {
  const { side } = talk.getState();
  dropSide();
  if (!side) return;
  requestAnimationFrame(() => {
    const root = side.kind === 'thread' && document.querySelector<HTMLElement>(`.feed article[data-id="${CSS.escape(side.root)}"]`);
    if (root) root.focus({ preventScroll: true });
    else if (isPhone()) document.getElementById('main')?.focus();
    else focusComposer(side.session);
  });
}
