import { expect, test } from 'vitest';
import { applyEvent } from '../src/store/apply';
import { closesAt, ended, endedBy, endOf, newlyEnded } from '../src/store/ending';
import { AT, event, message, state } from './samples';
import type { State } from '../src/store/state';

const ENDS = '2026-05-01T10:00:05.000001Z';

function said(end: State['sessions'][string]['end']): State {
  const start = applyEvent(state(), event(1, { posted: message(1, { content: 'a secret' }) }));
  const threads = { m1: { root: message(1, { content: 'a secret' }), messages: [message(2, { content: 'a secret', thread_id: 'm1' })], hasBefore: false } };
  return { ...start, threads, sessions: { ...start.sessions, s: { ...start.sessions.s!, end } } };
}

test('a session ends at its moment, and nothing of it is held', () => {
  const held = said({ at: ENDS, read_only_s: 2 });
  expect(endOf(held.sessions.s!) - closesAt(held.sessions.s!)).toBe(2_000);
  expect(endedBy(held, Date.parse(ENDS) - 1)).toEqual({ next: held, over: [] });
  const { next, over } = endedBy(held, Date.parse(ENDS));
  expect(over).toEqual(['s']);
  expect(JSON.stringify(next)).not.toContain('a secret');
  expect(next.sessions.s).toMatchObject({ ended_at: ENDS, end: null, unread: 0 });
  expect(next.logs.s!.seq).toBe(held.logs.s!.seq);
  expect(endedBy(next, Date.parse(ENDS) + 1)).toEqual({ next, over: [] });
  expect(newlyEnded(next, held)).toEqual(['s']);
  expect(newlyEnded(next, next)).toEqual([]);
});

test('the server says it, and the moment that was known here stays', () => {
  const held = said(null);
  const next = applyEvent(held, event(2, { ended: { by: 'bo' }, at: AT }));
  expect(JSON.stringify(next.logs)).not.toContain('a secret');
  expect(next.sessions.s!.ended_at).toBe(AT);
  expect(next.logs.s!.notices.at(-1)).toMatchObject({ kind: 'ended', by: 'bo' });
  const known = ended(held, 's', ENDS);
  expect(applyEvent(known, event(2, { ended: {}, at: AT })).sessions.s!.ended_at).toBe(ENDS);
});

test('what is said puts off an end by silence, which nobody but the server can tell', () => {
  const held = said({ at: ENDS, silence_s: 60 });
  expect(endOf(held.sessions.s!)).toBe(Infinity);
  const next = applyEvent(held, event(2, { posted: message(2, { sent_at: '2026-05-01T10:30:00Z' }) }));
  expect(next.sessions.s!.end).toEqual({ at: '2026-05-01T10:31:00.000Z', silence_s: 60 });
});

test('a new end is told in the timeline', () => {
  const held = said(null);
  const settings = { name: 'den', by: 'bo' };
  const at = applyEvent(held, event(2, { session_settings: { ...settings, end: { at: ENDS } } }));
  expect(at.sessions.s!.end).toEqual({ at: ENDS });
  expect(at.logs.s!.notices.at(-1)).toMatchObject({ kind: 'ends', text: ENDS });
  const silence = applyEvent(at, event(3, { session_settings: { ...settings, end: { at: ENDS, silence_s: 60 } } }));
  expect(silence.logs.s!.notices.at(-1)).toMatchObject({ kind: 'ends', text: '60' });
  const never = applyEvent(silence, event(4, { session_settings: settings }));
  expect(never.sessions.s!.end).toBeNull();
  expect(never.logs.s!.notices.at(-1)).toMatchObject({ kind: 'ends', text: '' });
});
