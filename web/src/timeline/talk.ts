import { useStore } from 'zustand';
import { createStore } from 'zustand/vanilla';
import type { Message } from '../wire';

interface Talk {
  /** By session: the message that the next one answers. */
  replies: Record<string, Message>;
  /** The message whose words are being changed. */
  editing: string | null;
  /** A message to go to and light up; `at` tells two jumps to it apart. */
  jump: { session: string; number: number; at: number } | null;
}

/** What one is in the middle of: replying, editing, jumping. */
export const talk = createStore<Talk>(() => ({ replies: {}, editing: null, jump: null }));

export function useTalk<T>(select: (state: Talk) => T): T {
  return useStore(talk, select);
}

export function replyTo(message: Message): void {
  talk.setState(({ replies }) => ({ replies: { ...replies, [message.session_id]: message } }));
  document.getElementById('composer')?.focus();
}

export function stopReply(sessionId: string): void {
  talk.setState(({ replies: { [sessionId]: _done, ...replies } }) => ({ replies }));
}

/** Puts a message's words into the field, as a quote. */
export function quote(message: Message): void {
  const lines = message.content.split('\n').map((line) => `> ${line}`).join('\n');
  const before = loadDraft(message.session_id).trimEnd();
  const text = `${before ? `${before}\n\n` : ''}${lines}\n\n`;
  saveDraft(message.session_id, text);
  told.forEach((tell) => tell(message.session_id, text));
  document.getElementById('composer')?.focus();
}

export function edit(id: string | null): void {
  talk.setState({ editing: id });
  if (id === null) document.getElementById('composer')?.focus();
}

export function jumpTo(session: string, number: number): void {
  talk.setState({ jump: { session, number, at: Date.now() } });
}

const DRAFT = 'parlor.draft.';

export function loadDraft(sessionId: string): string {
  return localStorage.getItem(DRAFT + sessionId) ?? '';
}

export function saveDraft(sessionId: string, text: string): void {
  if (text) localStorage.setItem(DRAFT + sessionId, text);
  else localStorage.removeItem(DRAFT + sessionId);
}

const told = new Set<(sessionId: string, text: string) => void>();

/** Drafts that were written elsewhere, in another window too, show here. */
export function onDraft(sessionId: string, show: (text: string) => void): () => void {
  const hear = (id: string, text: string) => id === sessionId && show(text);
  const listen = (event: StorageEvent) => {
    if (event.key === DRAFT + sessionId) show(event.newValue ?? '');
  };
  window.addEventListener('storage', listen);
  told.add(hear);
  return () => {
    window.removeEventListener('storage', listen);
    told.delete(hear);
  };
}
