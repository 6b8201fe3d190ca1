import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { withOpened } from '../src/e2ee/clear';
import type { Opened } from '../src/e2ee/types';
import { beginRoll, encryptionOf, isLine, isShut, letIn, sealedOf, sealing } from '../src/store/sealed';
import { emptyLog } from '../src/store/state';
import { plainAfter, throughHidden } from '../src/store/window';
import { buildRows } from '../src/timeline/rows';
import type { Message, Session } from '../src/wire';
import { message } from './samples';

/** What came sealed, as the store has it. */

const kept = new Map<string, string>();

beforeEach(() => {
  vi.stubGlobal('localStorage', { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => kept.set(key, value) });
});

afterEach(() => {
  vi.unstubAllGlobals();
  sealing.setState({ at: 'unknown' });
});

function sealed(number: number, fields: Partial<Message> = {}): Message {
  const encrypted = { algorithm: 'm.megolm.v1.aes-sha2', ciphertext: `c${number}`, session_id: 'k', sender_key: '', device_id: '' };
  return { ...message(number, { content: '', ...fields }), encrypted } as Message;
}

const open = (body: string, react?: { message_id: string; emoji: string; on: boolean }): Opened => ({
  state: 'open', payload: { v: 1, body, sent_at: '', reply_to: 'm0', ...(react ? { react } : {}) }, shield: 'signed', reactions: [{ emoji: '👍', user_ids: ['ana', 'bo'] }],
});
const reaction = open('', { message_id: 'm1', emoji: '👍', on: true });

test('what is inside stands in the place of what came', () => {
  const clear = withOpened(sealed(1), open('hello'), 'bo');
  expect(clear).toMatchObject({ content: 'hello', reply_to: 'm0', reactions: [{ emoji: '👍', count: 2, mine: true }], clear: { of: 'c1', state: 'open' } });
  expect(isShut(clear)).toBe(false);
});

test('other words than those that were opened are shut again', () => {
  const clear = withOpened(sealed(1), open('hello'), 'bo');
  const edited = { ...clear, encrypted: { ...sealedOf(clear)!, ciphertext: 'other' } } as Message;
  expect(isShut(edited)).toBe(true);
});

test('what was deleted is not sealed any more', () => {
  expect(sealedOf(sealed(1, { deleted_at: '2026-01-05T10:00:00Z' }))).toBeNull();
});

test('a reaction is no line, counts as nothing unread, and is read with what it follows', () => {
  const messages = [withOpened(sealed(1), open('hello'), 'bo'), withOpened(sealed(2), reaction, 'bo'), withOpened(sealed(3), reaction, 'bo'), withOpened(sealed(4), open('there'), 'bo')];
  const log = { ...emptyLog(0), loaded: true, messages };
  expect(messages.map(isLine)).toEqual([true, false, false, true]);
  expect(buildRows(log, [], null, 'bo').filter(({ kind }) => kind === 'message')).toHaveLength(2);
  expect(plainAfter(log, 4, 0)).toBe(2);
  expect(throughHidden(log, 1)).toBe(3);
  expect(throughHidden(log, 4)).toBe(4);
});

test('what is being opened shows itself only when it may take a while', () => {
  expect(isLine(sealed(1))).toBe(true);
  sealing.setState({ at: 'ready' });
  expect(isLine(sealed(1))).toBe(false);
  expect(isLine(withOpened(sealed(1), { state: 'shut', why: 'keys' }, 'bo'))).toBe(true);
});

test('a session that was encrypted once stays so, whatever the server says', () => {
  const session = { id: 'once', encryption: { algorithm: 'm.megolm.v1.aes-sha2', rotation_period_ms: 1, rotation_period_msgs: 2 } } as unknown as Session;
  expect(encryptionOf(session)).toMatchObject({ rotation_period_ms: 1 });
  expect(encryptionOf({ ...session, encryption: null } as unknown as Session)).toMatchObject({ algorithm: 'm.megolm.v1.aes-sha2' });
  expect(encryptionOf({ id: 'never' } as Session)).toBeNull();
});

test.each(['insecure', 'failed'] as const)('a browser that has no keys (%s) adds people without a word', async (at) => {
  encryptionOf({ id: 'secret', encryption: { algorithm: 'm.megolm.v1.aes-sha2' } } as Session);
  sealing.setState({ at });
  await letIn('secret', ['bo']);
  await beginRoll('secret', ['bo']);
});
