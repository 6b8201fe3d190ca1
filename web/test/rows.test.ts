import { expect, test } from 'vitest';
import type { Item } from '../src/outbox/outbox';
import { emptyLog } from '../src/store/state';
import { buildRows, pendingOf } from '../src/timeline/rows';
import { message } from './samples';

function at(minute: number): string {
  return new Date(Date.UTC(2026, 0, 5, 10, minute)).toISOString();
}

const log = {
  ...emptyLog(0), loaded: true,
  messages: [
    message(1, { sent_at: at(0) }), message(2, { sent_at: at(3) }), message(3, { sent_at: at(10) }),
    message(4, { sent_at: at(11), sender_id: 'ana' }), message(5, { sent_at: at(12), deleted_at: at(13), content: '' }),
  ],
};

function item(fields: Partial<Item>): Item {
  return { client_id: 'x', user_id: 'ana', session_id: 's', content: 'hi', made_at: Date.UTC(2026, 0, 5, 10, 20), state: 'queued', ...fields };
}

test('one person\'s lines within five minutes stand under one head', () => {
  const rows = buildRows(log, [], null, 'ana');
  const heads = rows.flatMap((row) => (row.kind === 'message' ? [row.head] : []));
  expect(heads).toEqual([true, false, true, true, true]);
  expect(rows.filter((row) => row.day !== null)).toHaveLength(1);
});

test('the start of a session has its introduction, the middle has not', () => {
  expect(buildRows(log, [], null, 'ana')[0]!.kind).toBe('intro');
  expect(buildRows({ ...log, hasBefore: true }, [], null, 'ana')[0]!.kind).toBe('message');
});

test('the line of the new stands above the oldest unread, deleted or not', () => {
  const fresh = (marker: number) => buildRows(log, [], marker, 'ana').find((row) => row.fresh)?.key;
  expect(fresh(2)).toBe('c3');
  expect(fresh(4)).toBe('c5');
  expect(fresh(5)).toBeUndefined();
});

test('what is on its way comes last, and not when the end is elsewhere', () => {
  const pending = [item({})];
  expect(buildRows(log, pending, null, 'ana').at(-1)).toMatchObject({ kind: 'pending', key: 'x' });
  expect(buildRows({ ...log, hasAfter: true }, pending, null, 'ana').some((row) => row.kind === 'pending')).toBe(false);
});

test('a stored message hides its own shadow', () => {
  expect(pendingOf([item({ client_id: 'c4' }), item({}), item({ session_id: 't' })], 's', log).map((held) => held.client_id)).toEqual(['x']);
});

test('comings and goings share a line where they happened', () => {
  const notice = { kind: 'joined' as const, who: 'bo', by: null, text: '' };
  const rows = buildRows({ ...log, notices: [
    { ...notice, seq: 3, after: 2, at: at(4) }, { ...notice, seq: 4, after: 2, at: at(5) }, { ...notice, seq: 9, after: 5, at: at(30) },
  ] }, [], null, 'ana');
  expect(rows.map((row) => row.kind)).toEqual(['intro', 'message', 'message', 'notices', 'message', 'message', 'message', 'notices']);
});
