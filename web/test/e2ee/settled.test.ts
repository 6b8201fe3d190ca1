import { expect, test } from 'vitest';
import { toBase64 } from '../../src/e2ee/engine/bytes';
import { holds, Sessions, type Next, type Settled } from '../../src/e2ee/engine/settled';
import type { Encrypted } from '../../src/wire';

/** When the last look at everybody in a session still holds. */

const HOUR = 60 * 60 * 1000;
const TIME = 1_800_000_000_000;
const settings = { period_ms: 7 * 24 * HOUR, messages: 3, verified_only: false };
const settled: Settled = { users: ['ana', 'bo'], settings, stirs: 7, looked: 1_000, began: TIME, uses: 1 };
const next: Next = { users: ['ana', 'bo'], settings, stirs: 7, now: 1_000, time: TIME };

test('nothing is looked at again while nothing changes', () => {
  expect(holds(settled, next)).toBe(true);
  expect(holds(settled, { ...next, now: 60_999, time: TIME + 6 * 24 * HOUR })).toBe(true);
});

test.each([
  ['something changed about somebody', settled, { ...next, stirs: 8 }],
  ['somebody left', settled, { ...next, users: ['ana'] }],
  ['somebody is another one', settled, { ...next, users: ['ana', 'cy'] }],
  ['the session says otherwise how long a key is used', settled, { ...next, settings: { ...settings, messages: 4 } }],
  ['the session is for compared people only now', settled, { ...next, settings: { ...settings, verified_only: true } }],
  ['a minute has passed', settled, { ...next, now: 61_000 }],
  ['the key was used often enough', { ...settled, uses: 3 }, next],
  ['the time of the key is nearly over', settled, { ...next, time: TIME + settings.period_ms - 10 * 60 * 1000 }],
  ['the clock was set back', settled, { ...next, time: TIME - 1 }],
  ['nobody knows how old the key is', { ...settled, began: null }, next],
])('everybody is looked at when %s', (_why, before, now) => {
  expect(holds(before, now)).toBe(false);
});

test('a key is used for an hour at least, whatever the session says', () => {
  const short = { ...settings, period_ms: 1 };
  const before = { ...settled, settings: short };
  expect(holds(before, { ...next, settings: short, time: TIME + HOUR / 2 })).toBe(true);
  expect(holds(before, { ...next, settings: short, time: TIME + HOUR })).toBe(false);
});

function ciphertext(index: number): Encrypted {
  return { algorithm: 'm.megolm.v1.aes-sha2', session_id: 'key', ciphertext: toBase64(new Uint8Array([3, 8, index, 18, 0, 0, 0, 0, 0])) } as Encrypted;
}

test('the beginning of a key is noted with its first message, and found by another page', async () => {
  const kept = new Map<string, number>();
  const beginnings = {
    began: async (key: string, time: number) => void (kept.has(key) || kept.set(key, time)),
    beginning: async (key: string) => kept.get(key) ?? null,
  };
  const sessions = new Sessions(beginnings);
  const fresh = { ...settled, began: null, uses: 0 };
  await sessions.keep('s', fresh, ciphertext(1), TIME);
  expect(sessions.take('s', next)).toBeNull();
  await sessions.keep('s', fresh, ciphertext(0), TIME);
  expect(sessions.take('s', next)).toMatchObject({ began: TIME, uses: 1 });
  expect(sessions.take('s', next), 'who takes it keeps it again').toBeNull();
  const other = new Sessions(beginnings);
  await other.keep('s', fresh, ciphertext(1), TIME + HOUR);
  expect(other.take('s', { ...next, time: TIME + HOUR })).toMatchObject({ began: TIME, uses: 2 });
});
