// @vitest-environment node
import { expect, test } from 'vitest';
import { fromBase58, toBase58, toBase64, utf8 } from '../../src/e2ee/engine/bytes';
import { readCode, writeCode } from '../../src/e2ee/engine/code';
import { Findings } from '../../src/e2ee/engine/findings';
import { messageIndex } from '../../src/e2ee/engine/megolm';
import { readPayload, writePayload } from '../../src/e2ee/engine/payload';
import { shownMarks, withMark } from '../../src/e2ee/engine/reactions';
import { readRecoveryKey, writeRecoveryKey } from '../../src/e2ee/engine/recoveryKey';
import { Desk, type Answer, type Methods } from '../../src/e2ee/rpc';
import type { Payload } from '../../src/e2ee/types';

const said = (body: string): Payload => ({ v: 1, body, sent_at: '2026-11-27T10:00:00Z' });
const length = (text: string) => utf8(text).length;

test('a payload has one of a few lengths, whatever alphabet it is in', () => {
  expect(length(writePayload(said('a')))).toBe(256);
  expect(length(writePayload(said('ø'.repeat(90))))).toBe(256);
  expect(length(writePayload(said('a'.repeat(300))))).toBe(1_024);
  expect(length(writePayload(said('語'.repeat(500))))).toBe(4_096);
  expect(length(writePayload(said('a'.repeat(16_000))))).toBe(16_384);
  expect(length(writePayload(said('a'.repeat(17_000))))).toBe(32_768);
});

test('it is filled exactly at the edge', () => {
  const bare = length(JSON.stringify({ ...said(''), pad: '' }));
  expect(length(writePayload(said('a'.repeat(256 - bare))))).toBe(256);
  expect(length(writePayload(said('a'.repeat(257 - bare))))).toBe(1_024);
});

test('a payload comes back as it went in, without its padding', () => {
  const payload: Payload = { ...said('*hi*'), reply_to: 'm1', edits: 'm2', react: { message_id: 'm3', emoji: '👍', on: true }, expires_in_ms: 60_000 };
  expect(readPayload(JSON.parse(writePayload(payload)))).toEqual(payload);
});

test.each([null, [], 'text', {}, { v: 2, body: 'x' }, { v: 1, body: 7 }])('%j is no payload', (content) => {
  expect(readPayload(content)).toBeNull();
});

test('what is wrong inside a payload is passed over', () => {
  const payload = readPayload({ v: 1, body: 'x', sent_at: 3, reply_to: {}, files: [{ id: 1 }, null], react: { message_id: 'm', emoji: '👍', on: 'yes' }, later: true });
  expect(payload).toEqual({ v: 1, body: 'x', sent_at: '' });
});

test('the index of a Megolm message is read from its beginning', () => {
  const made = (...bytes: number[]) => toBase64(Uint8Array.from(bytes));
  expect(messageIndex(made(3, 8, 0, 18, 1, 1, 1, 1, 1))).toBe(0);
  expect(messageIndex(made(3, 8, 127, 18, 1, 1, 1, 1, 1))).toBe(127);
  expect(messageIndex(made(3, 8, 0xac, 0x02, 18, 1, 1, 1, 1))).toBe(300);
  expect(messageIndex(made(2, 8, 0, 18, 1, 1, 1, 1, 1))).toBeNull();
  expect(messageIndex(made(3, 8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1))).toBeNull();
  expect(messageIndex('%%%')).toBeNull();
  expect(messageIndex('')).toBeNull();
});

test('base 58 is the one of the well-known examples', () => {
  expect(toBase58(utf8('Hello World!'))).toBe('2NEpo7TZRRrLZSi2U');
  expect(toBase58(Uint8Array.from([0, 0, 0x28, 0x7f, 0xb4, 0xcd]))).toBe('11233QC4');
  expect(fromBase58('11233QC4')).toEqual(Uint8Array.from([0, 0, 0x28, 0x7f, 0xb4, 0xcd]));
  expect(fromBase58('0OIl')).toBeNull();
});

test('a recovery key is written so that a slip of the pen is seen', () => {
  const key = Uint8Array.from({ length: 32 }, (_, at) => at);
  const text = writeRecoveryKey(key);
  expect(text).toMatch(/^Es[ST]/);
  expect(text.split(' ').slice(0, -1).every((four) => four.length === 4)).toBe(true);
  expect(readRecoveryKey(text)).toEqual(key);
  expect(readRecoveryKey(text.replaceAll(' ', ''))).toEqual(key);
  const slip = text.replace(text.at(9)!, text.at(9) === 'z' ? 'y' : 'z');
  expect(readRecoveryKey(slip)).toBeNull();
  expect(readRecoveryKey(text.slice(0, -2))).toBeNull();
});

test('of each person’s words on an emoji the newest counts', () => {
  let marks = withMark({}, 'ana', '👍', true, 4);
  marks = withMark(marks, 'bo', '👍', true, 5);
  marks = withMark(marks, 'ana', '👍', false, 7);
  expect(withMark(marks, 'ana', '👍', true, 6)).toBe(marks);
  expect(shownMarks(withMark(marks, 'ana', '🎉', true, 8))).toEqual([{ emoji: '👍', user_ids: ['bo'] }, { emoji: '🎉', user_ids: ['ana'] }]);
});

function memory() {
  const kept = new Map<number, string>();
  return {
    kept,
    piece: async (number: number) => JSON.parse(kept.get(number) ?? 'null'),
    keepPiece: async (number: number, piece: unknown) => void kept.set(number, JSON.stringify(piece)),
    pieceNumbers: async () => [...kept.keys()],
  };
}

const doc = (number: number, text: string) => ({ id: `m${number}`, session_id: 's', number, sender_id: 'ana', sent_at: `2026-11-27T10:00:${String(number % 60).padStart(2, '0')}Z`, text });

test('the index outlives the worker, takes newer wordings, and spans pieces', async () => {
  const shelf = memory();
  const first = new Findings(shelf);
  for (let number = 1; number <= 300; number += 1) await first.put(doc(number, `line ${number} über constructor`));
  await first.put(doc(7, 'other words'));
  await first.save();
  expect(shelf.kept.size).toBe(2);
  const second = new Findings(shelf);
  expect((await second.find('ÜBER')).covers.messages).toBe(300);
  expect((await second.find('constructor line 299')).hits.map(({ message_id }) => message_id)).toEqual(['m299']);
  expect((await second.find('other')).hits.map(({ message_id }) => message_id)).toEqual(['m7']);
  expect((await second.find('line 7')).hits.some(({ message_id }) => message_id === 'm7')).toBe(false);
  expect((await second.find('')).hits).toEqual([]);
});

test('a long message is shown around what was found', async () => {
  const found = new Findings(memory());
  await found.put(doc(1, `${'far '.repeat(100)}needle ${'away '.repeat(100)}`));
  const [hit] = (await found.find('needle')).hits;
  expect(hit!.text.length).toBeLessThan(200);
  expect(hit!.text.slice(hit!.matches[0]!.start, hit!.matches[0]!.end)).toBe('needle');
});

/** The bytes of a QR code of the standard. */
const qr = (flow: string, { head = 'MATRIX', version = 2, mode = 0, rest = 80 } = {}) => Uint8Array.from([
  ...utf8(head), version, mode, 0, length(flow), ...utf8(flow), ...new Uint8Array(rest).fill(0xfb),
]);

test('a code is written in groups of four, and read whatever is between them', () => {
  const text = writeCode(qr('a1b2'));
  expect(text).toMatch(/^TUFU UklY AgAA BGEx YjL7( -_v7)+ -w$/);
  for (const shown of [text, text.replaceAll(' ', ''), ` ${text.replaceAll(' ', '\r\n\t')}\u00a0`]) expect(readCode(shown)).toEqual({ bytes: qr('a1b2'), flow: 'a1b2' });
});

test.each([
  ['nothing', ''], ['words', 'not a code'], ['another alphabet', writeCode(qr('a1b2')).replace('-', '+')], ['padding', `${writeCode(qr('a1b2'))}=`],
  ['a letter too many', `${writeCode(qr('a1b2'))}A`], ['a letter too few', writeCode(qr('a1b2')).slice(0, -1)], ['bits that mean nothing', writeCode(qr('a1b2')).replace(/w$/, 'x')],
  ['another head', writeCode(qr('a1b2', { head: 'MATRIY' }))], ['another version', writeCode(qr('a1b2', { version: 3 }))], ['a mode that there is not', writeCode(qr('a1b2', { mode: 3 }))],
  ['a shorter secret', writeCode(qr('a1b2', { rest: 72 }))], ['more than there is', writeCode(qr('a1b2').subarray(0, 12))],
])('%s is no code', (_, text) => {
  expect(readCode(text)).toBeNull();
});

function deskOf(methods: Partial<Record<keyof Methods, (...args: never[]) => Promise<unknown>>>, broken = (_: unknown) => false) {
  const answers: Answer[] = [];
  const desk = new Desk(async () => methods as unknown as Methods, broken);
  return { desk, answers, reply: (answer: Answer) => void answers.push(answer) };
}

test('what a window asks twice is done once', async () => {
  let done = 0;
  const { desk, answers, reply } = deskOf({ compare: async () => `flow ${++done}` });
  await desk.take({ ask: 'tab 1', method: 'compare', args: [] }, reply);
  await desk.take({ ask: 'tab 1', method: 'compare', args: [] }, reply);
  await desk.take({ ask: 'tab 2', method: 'compare', args: [] }, reply);
  expect(answers).toEqual([{ answer: 'tab 1', value: 'flow 1' }, { answer: 'tab 2', value: 'flow 2' }]);
});

test('nothing can be asked but what is meant to be', async () => {
  const { desk, answers, reply } = deskOf({});
  await desk.take({ ask: 'x', method: 'constructor' as never, args: [] }, reply);
  await desk.take({ word: 'who' }, reply);
  expect(answers).toEqual([]);
});

test('a failure keeps its code, and a panic is answered by the next worker', async () => {
  const refuse = async () => { throw Object.assign(new Error('changed'), { code: 'identity_changed', users: ['bo'] }); };
  const first = deskOf({ seal: refuse });
  await first.desk.take({ ask: 'a', method: 'seal', args: [] }, first.reply);
  expect(first.answers).toEqual([{ answer: 'a', failure: { code: 'identity_changed', message: 'changed', status: 0, users: ['bo'] } }]);
  const panicked = deskOf({ open: async () => { throw new WebAssembly.RuntimeError('unreachable'); } }, (error) => error instanceof WebAssembly.RuntimeError);
  await panicked.desk.take({ ask: 'a', method: 'open', args: [] }, panicked.reply);
  expect(panicked.answers).toEqual([]);
});
