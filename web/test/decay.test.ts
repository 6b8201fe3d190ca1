import { expect, test, vi } from 'vitest';
import { applyEvent } from '../src/store/apply';
import { decayedBy } from '../src/store/decay';
import { withOpened } from '../src/e2ee/clear';
import { isLine } from '../src/store/sealed';
import { AT, event, message, state } from './samples';
import type { State } from '../src/store/state';
import type { Message } from '../src/wire';

const ENDS = '2026-05-01T10:00:05.000001Z';
const secret = (number: number, more: Partial<Message> = {}) => message(number, { content: 'a secret', expires_at: ENDS, ...more });

function said(...messages: Message[]): State {
  const start = messages.reduce((now, one) => applyEvent(now, event(one.number, { posted: one })), state());
  return { ...start, threads: { m1: { root: messages[0]!, messages: [secret(9, { thread_id: 'm1' })], hasBefore: false } } };
}

test('what is over goes from the list and from open threads, and only then', () => {
  const held = said(secret(1), message(2));
  expect(decayedBy(held, Date.parse(ENDS) - 1)).toEqual({ next: held, gone: [] });
  const { next, gone } = decayedBy(held, Date.parse(ENDS));
  expect(JSON.stringify(next)).not.toContain('a secret');
  expect(next.logs.s!.messages.map(isLine)).toEqual([false, true]);
  expect(new Set(gone.map(([, id]) => id))).toEqual(new Set(['m1', 'm9']));
  expect(decayedBy(next, Date.parse(ENDS) + 1).next).toBe(next);
});

test('what the server says is over is gone, by its numbers', () => {
  const held = said(secret(1), secret(2), message(3));
  const next = applyEvent(held, event(4, { decayed: { from: 1, to: 2 }, at: '2026-05-01T10:00:06Z' }));
  expect(next.logs.s!.messages.map(({ content }) => content)).toEqual(['', '', held.logs.s!.messages[2]!.content]);
  expect(next.logs.s!.messages.map(isLine)).toEqual([false, false, true]);
  expect(next.threads.m1!.root.content).toBe('');
});

test('a deleted message is a tombstone until its end would have come, and after', () => {
  const next = applyEvent(said(secret(1)), event(2, { deleted: { message_id: 'm1', number: 1, by: 'bo' }, at: AT }));
  expect(isLine(next.logs.s!.messages[0]!)).toBe(Date.parse(AT) < Date.parse(ENDS));
});

test('what is said inside the ciphertext about the end counts where it is the shorter', () => {
  vi.stubGlobal('localStorage', undefined);
  const open = (expires_at: string | null, expires_in_ms?: number) => withOpened(
    { ...message(1), expires_at, encrypted: { algorithm: '', ciphertext: 'x', session_id: '', sender_key: '', device_id: '' } },
    { state: 'open', payload: { v: 1, body: 'hi', sent_at: '2026-05-01T10:00:00Z', ...(expires_in_ms ? { expires_in_ms } : {}) }, shield: 'known' as never, reactions: [] },
    'me',
  ).expires_at;
  expect(open(null)).toBe(null);
  expect(open(ENDS)).toBe(ENDS);
  expect(open(ENDS, 2_000)).toBe('2026-05-01T10:00:02.000Z');
  expect(open(ENDS, 9_000)).toBe(ENDS);
  expect(open(null, 9_000)).toBe('2026-05-01T10:00:09.000Z');
});
