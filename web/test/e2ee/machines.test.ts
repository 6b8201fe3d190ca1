// @vitest-environment node
import 'fake-indexeddb/auto';
import { initAsync, OlmMachine, VerificationMethod, VerificationRequest } from '@matrix-org/matrix-sdk-crypto-wasm';
import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { readCode, writeCode } from '../../src/e2ee/engine/code';
import { Engine } from '../../src/e2ee/engine/engine';
import type { Comparing, Opened, Payload, ToOpen } from '../../src/e2ee/types';
import type { Encrypted } from '../../src/wire';
import { Relay } from './relay';

/** Real machines, in this process, with a relay between them. */

const SESSION = '0b1f7c9e-0000-4000-8000-000000000001';
const SETTINGS = { period_ms: 604_800_000, messages: 100, verified_only: false };
const CANARY = 'canary-7f3a1c';

let relay: Relay;
let count = 0;
let numbers = 0;

beforeAll(() => initAsync());

beforeEach(() => {
  relay = new Relay();
  numbers = 0;
});

interface Person {
  user: string;
  device: string;
  engine: Engine;
  keys: string[];
}

async function device(user: string, id = `dev-${++count}`): Promise<Person> {
  const keys: string[] = [];
  const engine = await Engine.start(relay.wire(user, id), { changed: () => {}, keys: (sessions) => keys.push(...sessions) });
  return { user, device: id, engine, keys };
}

afterEach(() => {
  vi.restoreAllMocks();
});

let people = 0;

/** Somebody new, since what a device keeps outlives a test. */
function fresh(name: string): string {
  return `${name}-${++people}`;
}

async function settle(...all: Person[]): Promise<void> {
  for (let round = 0; round < 4; round += 1) for (const one of all) await one.engine.catchUp();
}

function says(body: string, more: Partial<Payload> = {}): Payload {
  return { v: 1, body, sent_at: '2026-11-27T10:00:00Z', ...more };
}

async function say(who: Person, payload: Payload, version: number | null = null): Promise<ToOpen> {
  const { encrypted } = await who.engine.seal(SESSION, payload, SETTINGS, version);
  return message(who, encrypted);
}

function message(who: Person, sealed: Encrypted, more: Partial<ToOpen> = {}): ToOpen {
  numbers += 1;
  return { id: `m${numbers}`, number: numbers, session_id: SESSION, sender_id: who.user, sent_at: '2026-11-27T10:00:00Z', edited_at: null, sealed, ...more };
}

async function open(who: Person, said: ToOpen): Promise<Opened> {
  await who.engine.catchUp();
  return (await who.engine.open([said]))[0]!;
}

async function body(who: Person, said: ToOpen): Promise<string> {
  const opened = await open(who, said);
  return opened.state === 'open' ? opened.payload.body : `shut: ${opened.why}`;
}

async function two(): Promise<{ ana: Person; bo: Person }> {
  const [ana, bo] = [await device(fresh('ana')), await device(fresh('bo'))];
  relay.seat(SESSION, [ana.user, bo.user]);
  return { ana, bo };
}

test('the first device of an account makes its keys, and is signed by them', async () => {
  const ana = await device(fresh('ana'));
  expect(await ana.engine.status()).toMatchObject({ account: 'mine', signed: true, recovery: 'none', comparing: [] });
});

test('what one says the other reads, and the relay sees nothing of it', async () => {
  const { ana, bo } = await two();
  const said = await say(ana, says(CANARY));
  expect(await body(bo, said)).toBe(CANARY);
  expect(await body(ana, said)).toBe(CANARY);
  expect(await body(ana, await say(bo, says('an answer')))).toBe('an answer');
  expect(relay.seen).not.toContain(CANARY);
  expect(relay.seen).not.toContain(btoa(CANARY).replace(/=+$/, ''));
});

test('its length tells little of a message', async () => {
  const { ana } = await two();
  const lengths = new Set<number>();
  for (const text of ['a', 'a'.repeat(60), 'a'.repeat(120)]) lengths.add((await say(ana, says(text))).sealed.ciphertext.length);
  expect(lengths.size).toBe(1);
});

test('who is not confirmed by its owner gets no keys, and cannot send', async () => {
  const { ana, bo } = await two();
  const second = await device(bo.user);
  expect(await second.engine.status()).toMatchObject({ account: 'elsewhere', signed: false });
  const said = await say(ana, says('not for everybody'));
  expect(await body(bo, said)).toBe('not for everybody');
  expect(await body(second, said)).toMatch(/^shut: (withheld|keys|device)$/);
  await expect(say(second, says('believe me'))).rejects.toMatchObject({ code: 'device_not_signed' });
});

test('who left reads no more, and reads again from when they came back', async () => {
  const [ana, bo, cleo] = [await device(fresh('ana')), await device(fresh('bo')), await device(fresh('cleo'))];
  const all = [ana.user, bo.user, cleo.user];
  let version = relay.seat(SESSION, all);
  expect(await body(cleo, await say(ana, says('all of us'), version))).toBe('all of us');
  version = relay.seat(SESSION, [ana.user, bo.user]);
  const between = await say(ana, says('between us'), version);
  expect(await body(bo, between)).toBe('between us');
  expect(await body(cleo, between)).toMatch(/^shut/);
  await ana.engine.letIn(SESSION, [cleo.user]);
  version = relay.seat(SESSION, all);
  const again = await say(ana, says('all again'), version);
  expect(await body(cleo, again)).toBe('all again');
  expect(await body(cleo, between)).toMatch(/^shut/);
});

const READS_NOTHING = /^shut: (keys|withheld|device)$/;

async function three(): Promise<{ ana: Person; bo: Person; cleo: Person }> {
  return { ana: await device(fresh('ana')), bo: await device(fresh('bo')), cleo: await device(fresh('cleo')) };
}

async function statesFor(who: Person, ...of: Person[]): Promise<string[]> {
  const readers = await who.engine.readers(SESSION, null);
  return of.map(({ user }) => readers.find(({ user_id }) => user_id === user)!.state);
}

test('whom the server adds by itself reads nothing until a member lets them in; then everybody gives them keys', async () => {
  const { ana, bo, cleo } = await three();
  relay.seat(SESSION, [ana.user, bo.user]);
  for (const who of [ana, bo]) await say(who, says('between us'));
  relay.seat(SESSION, [ana.user, bo.user, cleo.user]);
  for (const who of [ana, bo]) {
    expect(await body(cleo, await say(who, says('who is that?')))).toMatch(READS_NOTHING);
    expect(await statesFor(who, ana, bo, cleo).then((states) => states[2])).toBe('unvouched');
  }
  await ana.engine.letIn(SESSION, [cleo.user]);
  for (const who of [ana, bo]) expect(await body(cleo, await say(who, says('welcome')))).toBe('welcome');
  expect(await statesFor(bo, ana, bo, cleo)).toEqual(['first', 'me', 'first']);
});

test('what let somebody in once lets them in no more after they left', async () => {
  const { ana, bo, cleo } = await three();
  relay.seat(SESSION, [ana.user, bo.user]);
  for (const who of [ana, bo]) await say(who, says('hello'));
  await ana.engine.letIn(SESSION, [cleo.user]);
  relay.seat(SESSION, [ana.user, bo.user, cleo.user]);
  for (const who of [ana, bo]) expect(await body(cleo, await say(who, says('welcome')))).toBe('welcome');
  relay.seat(SESSION, [ana.user, bo.user]);
  for (const who of [ana, bo]) await say(who, says('gone'));
  relay.seat(SESSION, [ana.user, bo.user, cleo.user]);
  for (const who of [ana, bo]) expect(await body(cleo, await say(who, says('again?')))).toMatch(READS_NOTHING);
});

test('a session that was seen before anybody opens it is known by then', async () => {
  const { ana, bo, cleo } = await three();
  relay.seat(SESSION, [ana.user, bo.user]);
  await bo.engine.see([SESSION]);
  relay.seat(SESSION, [ana.user, bo.user, cleo.user]);
  await bo.engine.see([SESSION]);
  expect(await statesFor(bo, ana, bo, cleo)).toEqual(['first', 'me', 'unvouched']);
});

test('who makes a session lets in those who were named, and not whom the server adds to them', async () => {
  const { ana, bo, cleo } = await three();
  await ana.engine.beginRoll(SESSION, [bo.user]);
  relay.seat(SESSION, [ana.user, bo.user, cleo.user]);
  expect(await statesFor(ana, ana, bo, cleo)).toEqual(['me', 'first', 'unvouched']);
  await ana.engine.beginRoll(SESSION, [cleo.user]);
  expect(await statesFor(ana, cleo), 'it begins once').toEqual(['unvouched']);
});

test('who was away learns of everybody who was let in, also by somebody who has left since', async () => {
  const { ana, bo, cleo } = await three();
  const dora = await device(fresh('dora'));
  relay.seat(SESSION, [ana.user, dora.user]);
  for (const who of [ana, dora]) await say(who, says('two of us'));
  await ana.engine.letIn(SESSION, [bo.user]);
  relay.seat(SESSION, [ana.user, dora.user, bo.user]);
  await bo.engine.letIn(SESSION, [cleo.user]);
  relay.seat(SESSION, [ana.user, dora.user, bo.user, cleo.user]);
  relay.seat(SESSION, [ana.user, dora.user, cleo.user]);
  expect(await body(cleo, await say(dora, says('welcome')))).toBe('welcome');
});

test('who was away themselves reads on, and gives keys to those who were let in meanwhile', async () => {
  const { ana, bo, cleo } = await three();
  relay.seat(SESSION, [ana.user, bo.user]);
  for (const who of [ana, bo]) await say(who, says('hello'));
  relay.seat(SESSION, [ana.user]);
  await ana.engine.letIn(SESSION, [cleo.user]);
  relay.seat(SESSION, [ana.user, cleo.user]);
  await say(ana, says('without Bo'));
  await ana.engine.letIn(SESSION, [bo.user]);
  relay.seat(SESSION, [ana.user, cleo.user, bo.user]);
  expect(await body(bo, await say(ana, says('all of us')))).toBe('all of us');
  expect(await body(cleo, await say(bo, says('I am back')))).toBe('I am back');
});

test('the word of somebody who is not let in does not count, not even for themselves', async () => {
  const { ana, bo, cleo } = await three();
  relay.seat(SESSION, [ana.user, bo.user]);
  await say(ana, says('hello'));
  relay.seat(SESSION, [ana.user, bo.user, cleo.user]);
  await cleo.engine.letIn(SESSION, [cleo.user]);
  expect(await statesFor(ana, bo, cleo)).toEqual(['first', 'unvouched']);
});

test('a device that its owner did not sign lets nobody in', async () => {
  const { ana, bo, cleo } = await three();
  relay.seat(SESSION, [ana.user, bo.user]);
  await say(ana, says('hello'));
  const planted = await device(bo.user);
  await expect(planted.engine.letIn(SESSION, [cleo.user])).rejects.toMatchObject({ code: 'device_not_signed' });
  await planted.engine['vouching'].letIn(SESSION, [cleo.user]);
  relay.seat(SESSION, [ana.user, bo.user, cleo.user]);
  expect(await statesFor(ana, cleo)).toEqual(['unvouched']);
  await bo.engine.letIn(SESSION, [cleo.user]);
  expect(await statesFor(ana, cleo)).toEqual(['first']);
});

test('somebody else in the name of who was let in is not let in', async () => {
  const { ana, bo, cleo } = await three();
  relay.seat(SESSION, [ana.user, bo.user]);
  for (const who of [ana, bo]) await say(who, says('hello'));
  await ana.engine.letIn(SESSION, [cleo.user]);
  relay.forgetIdentity(cleo.user);
  relay.drop(cleo.user, cleo.device);
  const other = await device(cleo.user);
  relay.seat(SESSION, [ana.user, bo.user, cleo.user]);
  await settle(ana, bo);
  for (const who of [ana, bo]) expect(await body(other, await say(who, says('is it you?')))).toMatch(READS_NOTHING);
});

test('who is let in outlives a restart, and while nobody is missing nothing is asked for', async () => {
  const { ana, bo } = await two();
  for (const text of ['one', 'two']) await say(bo, says(text));
  expect(relay.statementPages).toBe(0);
  await bo.engine.stop();
  relay.seat(SESSION, [ana.user, bo.user, 'ghost']);
  const again = await device(bo.user, bo.device);
  const states = (await again.engine.readers(SESSION, null)).map(({ state }) => state);
  expect(states).toEqual(['first', 'me', 'unvouched']);
});

test('when somebody leaves, nothing is read anew of those who stay', async () => {
  const { ana, bo, cleo } = await three();
  relay.seat(SESSION, [ana.user, bo.user, cleo.user]);
  await say(ana, says('all of us'));
  await settle(ana);
  await say(ana, says('still all of us'));
  relay.seat(SESSION, [ana.user, bo.user]);
  const reads = vi.spyOn(OlmMachine.prototype, 'getIdentity');
  const shares = vi.spyOn(OlmMachine.prototype, 'shareRoomKey');
  const said = await say(ana, says('two of us'));
  expect(shares).toHaveBeenCalledTimes(1);
  expect(reads).not.toHaveBeenCalled();
  expect(await body(bo, said)).toBe('two of us');
});

test('everybody is looked at once, and again when a device came', async () => {
  const { ana, bo } = await two();
  const version = relay.seat(SESSION, [ana.user, bo.user]);
  const shares = vi.spyOn(OlmMachine.prototype, 'shareRoomKey');
  for (const text of ['one', 'two', 'three']) expect(await body(bo, await say(ana, says(text), version))).toBe(text);
  expect(shares).toHaveBeenCalledTimes(1);
  const key = await bo.engine.createRecovery();
  const phone = await device(bo.user);
  await phone.engine.useRecovery(key);
  await settle(ana);
  const said = await say(ana, says('four'), version);
  expect(await body(phone, said)).toBe('four');
  expect(shares).toHaveBeenCalledTimes(2);
  shares.mockRestore();
});

test('a key that the server may not have given to everybody is thrown away', async () => {
  const { ana, bo } = await two();
  const [one, other] = [await say(ana, says('one')), await ana.engine.discard(SESSION).then(() => say(ana, says('two')))];
  expect(one.sealed.session_id).not.toBe(other.sealed.session_id);
  expect(await body(bo, other)).toBe('two');
});

test('a key is changed after its number of messages', async () => {
  const { ana, bo } = await two();
  const version = relay.seat(SESSION, [ana.user, bo.user]);
  const keys = new Set<string>();
  for (const text of ['a', 'b', 'c', 'd', 'e']) {
    const { encrypted } = await ana.engine.seal(SESSION, says(text), { ...SETTINGS, messages: 2 }, version);
    expect(await body(bo, message(ana, encrypted))).toBe(text);
    keys.add(encrypted.session_id);
  }
  expect(keys.size).toBe(3);
});

test('what is sealed says for which people', async () => {
  const { ana } = await two();
  const version = relay.seat(SESSION, [ana.user]);
  expect(await ana.engine.seal(SESSION, says('alone'), SETTINGS, version)).toMatchObject({ membership_version: version });
});

test('a message given out again as another one is not shown', async () => {
  const { ana, bo } = await two();
  const said = await say(ana, says('yes'));
  expect(await body(bo, said)).toBe('yes');
  expect(await body(bo, { ...said, id: 'm99', number: 99 })).toBe('shut: replayed');
  expect(await body(bo, said)).toBe('yes');
});

test('a message is of its sender, its session and its place', async () => {
  const { ana, bo } = await two();
  const said = await say(ana, says('mine'));
  expect(await body(bo, { ...said, sender_id: bo.user })).toMatch(/^shut/);
  expect(await body(bo, { ...said, session_id: 'another' })).toMatch(/^shut/);
  expect(await body(bo, { ...said, edited_at: '2026-11-27T11:00:00Z' })).toBe('shut: damaged');
  expect(await body(bo, { ...said, sealed: { ...said.sealed, ciphertext: 'AAAA' } })).toBe('shut: damaged');
});

test('an edit says which message it is of', async () => {
  const { ana, bo } = await two();
  const said = await say(ana, says('frist'));
  expect(await body(bo, said)).toBe('frist');
  const edit = await say(ana, says('first', { edits: said.id }));
  expect(await body(bo, { ...said, edited_at: '2026-11-27T11:00:00Z', sealed: edit.sealed })).toBe('first');
  expect(await body(bo, edit)).toBe('shut: damaged');
});

test('reactions come sealed, and are counted', async () => {
  const { ana, bo } = await two();
  const said = await say(ana, says('supper?'));
  const yes = await open(ana, await say(bo, says('', { react: { message_id: said.id, emoji: '👍', on: true } })));
  expect(yes).toMatchObject({ reacted: { message_id: said.id, reactions: [{ emoji: '👍', user_ids: [bo.user] }] } });
  expect(await open(ana, said)).toMatchObject({ reactions: [{ emoji: '👍', user_ids: [bo.user] }] });
  await open(ana, await say(bo, says('', { react: { message_id: said.id, emoji: '👍', on: false } })));
  expect(await open(ana, said)).toMatchObject({ reactions: [] });
});

async function shown(who: Person, flow: string): Promise<Comparing> {
  return (await who.engine.status()).comparing.find((one) => one.flow === flow)!;
}

async function phases(flow: string, ...all: Person[]): Promise<string[]> {
  return Promise.all(all.map(async (who) => (await shown(who, flow)).phase));
}

interface To {
  user: string;
  device: string | null;
}

/** Both sides until they look at emoji. */
async function begin(asks: Person, answers: Person, to: To): Promise<string> {
  const flow = await asks.engine.compare(to.user, to.device);
  await settle(answers);
  await answers.engine.answerCompare(flow);
  await settle(asks, answers, asks, answers);
  expect(await phases(flow, asks, answers)).toEqual(['compare', 'compare']);
  return flow;
}

/** Both sides to the end of a comparison. */
async function compare(asks: Person, answers: Person, to: To): Promise<string[][]> {
  const flow = await begin(asks, answers, to);
  const [left, right] = [await shown(asks, flow), await shown(answers, flow)];
  await asks.engine.confirmCompare(flow);
  await answers.engine.confirmCompare(flow);
  await settle(asks, answers, asks, answers);
  expect(await phases(flow, asks, answers)).toEqual(['done', 'done']);
  return [left, right].map(({ emoji }) => emoji.map(({ word }) => word));
}

test('two people compare seven emoji with words, and know each other from then on', async () => {
  const { ana, bo } = await two();
  await say(ana, says('hello'));
  await settle(ana, bo);
  await say(bo, says('hello'));
  expect((await ana.engine.readers(SESSION, null)).map(({ state }) => state)).toEqual(['me', 'first']);
  const [left, right] = await compare(ana, bo, { user: bo.user, device: bo.device });
  expect(left).toHaveLength(7);
  expect(left).toEqual(right);
  expect((await ana.engine.readers(SESSION, null)).map(({ state }) => state)).toEqual(['me', 'verified']);
  expect((await bo.engine.readers(SESSION, null)).map(({ state }) => state)).toEqual(['verified', 'me']);
  expect(await open(bo, await say(ana, says('known')))).toMatchObject({ payload: { body: 'known' } });
});

test('where compared people only read, nobody else gets a key, whatever the server says later', async () => {
  const { ana, bo } = await two();
  const settings = { ...SETTINGS, verified_only: true };
  const seal = async (text: string, how = settings) => message(ana, (await ana.engine.seal(SESSION, says(text), how, null)).encrypted);
  expect(await body(bo, await seal('before'))).toMatch(/^shut: (withheld|keys)$/);
  expect(await body(bo, await seal('for everybody, says the server', SETTINGS))).toMatch(/^shut: (withheld|keys)$/);
  await compare(ana, bo, { user: bo.user, device: bo.device });
  expect(await body(bo, await seal('after'))).toBe('after');
});

test('a second device is confirmed by the first one, and gets the account’s keys from it', async () => {
  const { ana, bo } = await two();
  const second = await device(bo.user);
  await settle(bo, second);
  await compare(second, bo, { user: bo.user, device: null });
  await settle(bo, second, bo, second);
  expect(await second.engine.status()).toMatchObject({ account: 'mine', signed: true });
  expect(await body(second, await say(ana, says('both of yours')))).toBe('both of yours');
});

test('who says that they differ breaks it off', async () => {
  const { ana, bo } = await two();
  await say(ana, says('hello'));
  const flow = await ana.engine.compare(bo.user, bo.device);
  await settle(bo);
  await bo.engine.answerCompare(flow);
  await settle(ana, bo, ana, bo);
  await bo.engine.cancelCompare(flow, true);
  await settle(ana);
  expect((await ana.engine.status()).comparing).toMatchObject([{ phase: 'cancelled', cancelled: 'm.mismatched_sas' }]);
});

/** Both sides begin with emoji, and one of them goes over to a code, until both show one. */
async function codes(asks: Person, answers: Person, to: To, turns = asks): Promise<string> {
  const emoji = await begin(asks, answers, to);
  const flow = await turns.engine.compareByCode(emoji);
  const follows = turns === asks ? answers : asks;
  await settle(follows, turns, follows);
  expect(await shown(follows, emoji)).toMatchObject({ phase: 'cancelled', next: flow });
  expect(await phases(flow, asks, answers)).toEqual(['code', 'code']);
  return flow;
}

/** Two people who know each other's devices. */
async function met(): Promise<{ ana: Person; bo: Person }> {
  const { ana, bo } = await two();
  expect([await statesFor(ana, bo), await statesFor(bo, ana)]).toEqual([['first'], ['first']]);
  return { ana, bo };
}

async function codeOf(who: Person, flow: string): Promise<string> {
  const { code } = await shown(who, flow);
  expect(code).toMatch(/^([\w-]{4} )+[\w-]{1,4}$/);
  return code!;
}

/** One takes what the other shows, to the end. */
async function pass(shows: Person, takes: Person, flow: string): Promise<void> {
  await takes.engine.takeCode(flow, ` ${(await codeOf(shows, flow)).replaceAll(' ', '\n')}`);
  await settle(shows);
  expect(await phases(flow, shows, takes)).toEqual(['taken', 'fits']);
  await shows.engine.confirmCompare(flow);
  expect(await phases(flow, shows)).toEqual(['waiting']);
  await settle(takes, shows, takes, shows);
  expect(await phases(flow, shows, takes)).toEqual(['done', 'done']);
}

test.each(['asks', 'answers'])('two people pass a code instead, and know each other from then on; the one who %s shows it', async (side) => {
  const { ana, bo } = await two();
  await say(ana, says('hello'));
  await settle(ana, bo);
  await say(bo, says('hello'));
  expect(await statesFor(ana, bo)).toEqual(['first']);
  expect(await statesFor(bo, ana)).toEqual(['first']);
  const [shows, takes] = side === 'asks' ? [ana, bo] : [bo, ana];
  await pass(shows, takes, await codes(ana, bo, { user: bo.user, device: bo.device }, takes));
  expect(await statesFor(ana, bo)).toEqual(['verified']);
  expect(await statesFor(bo, ana)).toEqual(['verified']);
  expect(await open(bo, await say(ana, says('known')))).toMatchObject({ payload: { body: 'known' } });
});

test.each(['shows', 'takes'])('a second device that %s a code is confirmed by it, and gets the account’s keys', async (side) => {
  const { ana, bo } = await two();
  const second = await device(bo.user);
  await settle(bo, second);
  const flow = await codes(second, bo, { user: bo.user, device: null });
  await (side === 'shows' ? pass(second, bo, flow) : pass(bo, second, flow));
  await settle(bo, second, bo, second);
  expect(await second.engine.status()).toMatchObject({ account: 'mine', signed: true });
  expect((await bo.engine.status()).devices.map(({ signed }) => signed)).toEqual([true, true]);
  expect(await body(second, await say(ana, says('both of yours')))).toBe('both of yours');
});

/** The same code with another letter at a place. */
function mangled(code: string, place: number): string {
  const letters = [...code.replaceAll(' ', '')];
  const at = place < 0 ? letters.length + place : place;
  letters[at] = letters[at] === 'A' ? 'B' : 'A';
  return letters.join('');
}

test('what is no code, or not the one that is shown now, is refused, and nothing ends by it', async () => {
  const { ana, bo } = await met();
  const earlier = await codes(ana, bo, { user: bo.user, device: bo.device });
  const old = await codeOf(bo, earlier);
  await ana.engine.cancelCompare(earlier, false);
  await settle(bo, ana);
  const flow = await codes(ana, bo, { user: bo.user, device: bo.device });
  const code = await codeOf(bo, flow);
  const refused: [string, RegExp][] = [
    ['', /malformed/], ['hello', /malformed/], ['TUFUUklY', /malformed/], [`${code} AAAA`, /malformed/], [code.slice(0, -2), /malformed/], [code.slice(5), /malformed/],
    [code.replace(/.$/, '='), /malformed/], [mangled(code, 0), /malformed/], [mangled(code, 20), /other/], [mangled(code, 70), /malformed|keys/],
    [old, /other/], [await codeOf(ana, flow), /own/],
  ];
  for (const [text, why] of refused) {
    await expect(ana.engine.takeCode(flow, text), text).rejects.toMatchObject({ code: expect.stringMatching(why) });
    await settle(bo, ana);
    expect(await phases(flow, ana, bo)).toEqual(['code', 'code']);
  }
  await pass(bo, ana, flow);
});

test('a code of other keys than the server tells of is refused', async () => {
  const { ana, bo } = await met();
  const flow = await codes(ana, bo, { user: bo.user, device: bo.device });
  const bytes = readCode(await codeOf(bo, flow))!.bytes;
  const master = readCode(await codeOf(ana, flow))!.bytes.subarray(-80, -48);
  bytes.set(master, bytes.length - 80);
  await expect(ana.engine.takeCode(flow, writeCode(bytes))).rejects.toMatchObject({ code: 'code_keys' });
  await pass(bo, ana, flow);
});

test('a code with another secret ends it at both sides without confirming anybody, and they can begin anew', async () => {
  const { ana, bo } = await met();
  const flow = await codes(ana, bo, { user: bo.user, device: bo.device });
  await ana.engine.takeCode(flow, mangled(await codeOf(bo, flow), -8));
  await settle(bo, ana, bo);
  for (const who of [ana, bo]) expect(await shown(who, flow)).toMatchObject({ phase: 'cancelled', cancelled: 'm.key_mismatch' });
  expect(await statesFor(ana, bo)).toEqual(['first']);
  await pass(bo, ana, await codes(ana, bo, { user: bo.user, device: bo.device }));
  expect(await statesFor(ana, bo)).toEqual(['verified']);
});

test('who says that it does not fit at the other side confirms nobody', async () => {
  const { ana, bo } = await met();
  const flow = await codes(ana, bo, { user: bo.user, device: bo.device });
  await ana.engine.takeCode(flow, await codeOf(bo, flow));
  await settle(bo);
  await bo.engine.cancelCompare(flow, true);
  await settle(ana, bo);
  for (const who of [ana, bo]) expect(await shown(who, flow)).toMatchObject({ phase: 'cancelled', cancelled: 'm.key_mismatch' });
  expect([await statesFor(ana, bo), await statesFor(bo, ana)]).toEqual([['first'], ['first']]);
});

test('who has not agreed yet is asked for a code like for emoji, and whoever saw a difference is not taken along', async () => {
  const { ana, bo } = await met();
  const emoji = await ana.engine.compare(bo.user, bo.device);
  await settle(bo);
  const flow = await ana.engine.compareByCode(emoji);
  await settle(bo, ana);
  expect(await shown(bo, flow)).toMatchObject({ phase: 'asked', by_code: true });
  await bo.engine.answerCompare(flow);
  await settle(ana);
  await pass(ana, bo, flow);

  const again = await met();
  const differs = await begin(again.ana, again.bo, { user: again.bo.user, device: again.bo.device });
  await again.bo.engine.cancelCompare(differs, true);
  await settle(again.ana);
  const next = await again.bo.engine.compareByCode(differs);
  await settle(again.ana);
  expect(await shown(again.ana, differs)).toMatchObject({ phase: 'cancelled', cancelled: 'm.mismatched_sas' });
  expect(await shown(again.ana, next)).toMatchObject({ phase: 'asked' });
});

test('where both are willing and no emoji were begun, a code is shown in the same flow; emoji may still take its place', async () => {
  const { ana, bo } = await met();
  // As the terminal client, which begins nothing by itself.
  const begins = vi.spyOn(VerificationRequest.prototype, 'startSas').mockResolvedValue(undefined);
  const flow = await ana.engine.compare(bo.user, bo.device);
  await settle(bo);
  await bo.engine.answerCompare(flow);
  await settle(ana, bo);
  expect(await phases(flow, ana, bo)).toEqual(['begun', 'begun']);
  expect(await bo.engine.compareByCode(flow)).toBe(flow);
  expect(await bo.engine.compareByCode(flow), 'twice is once').toBe(flow);
  expect(await phases(flow, ana, bo)).toEqual(['begun', 'code']);
  begins.mockRestore();
  await settle(ana, bo, ana, bo);
  expect(await phases(flow, ana, bo)).toEqual(['compare', 'compare']);
  for (const who of [ana, bo]) await who.engine.confirmCompare(flow);
  await settle(ana, bo, ana, bo);
  expect(await phases(flow, ana, bo)).toEqual(['done', 'done']);
});

test('a device that knows emoji only is not asked for a code', async () => {
  const { ana, bo } = await met();
  const accept = VerificationRequest.prototype.acceptWithMethods;
  vi.spyOn(VerificationRequest.prototype, 'acceptWithMethods').mockImplementation(function (this: VerificationRequest) {
    return accept.call(this, [VerificationMethod.SasV1]);
  });
  const flow = await begin(ana, bo, { user: bo.user, device: bo.device });
  expect(await shown(ana, flow)).toMatchObject({ may_code: false, by_code: false });
  expect(await shown(bo, flow)).toMatchObject({ may_code: true });
});

test.each(['emoji', 'a code'])('that the server says that it is done does not make it done: %s', async (how) => {
  const { ana, bo } = await met();
  const flow = how === 'emoji' ? await begin(ana, bo, { user: bo.user, device: bo.device }) : await codes(ana, bo, { user: bo.user, device: bo.device });
  const messages = { [relay.name(ana.user)]: { [ana.device]: { transaction_id: flow } } };
  await relay.wire(bo.user, bo.device).call('PUT', '/e2ee/send_to_device/m.key.verification.done/forged', { messages });
  await settle(ana);
  expect(await shown(ana, flow)).toMatchObject({ phase: 'cancelled' });
  expect(await statesFor(ana, bo)).toEqual(['first']);
});

test('a recovery key confirms a new device and opens what was said before', async () => {
  const { ana, bo } = await two();
  const before = await say(ana, says('long ago'));
  expect(await body(bo, before)).toBe('long ago');
  const key = await bo.engine.createRecovery();
  expect(key.split(' ')).toHaveLength(12);
  await settle(bo);
  expect(await bo.engine.status()).toMatchObject({ recovery: 'on' });
  const fresh = await device(bo.user);
  expect(await fresh.engine.status()).toMatchObject({ recovery: 'off-here', signed: false });
  await expect(fresh.engine.useRecovery('Es Tc not a key')).rejects.toMatchObject({ code: 'wrong' });
  expect(await fresh.engine.useRecovery(key)).toBeGreaterThan(0);
  expect(await fresh.engine.status()).toMatchObject({ recovery: 'on', signed: true, account: 'mine' });
  expect(await open(fresh, before)).toMatchObject({ state: 'open', payload: { body: 'long ago' }, shield: 'restored' });
  expect(await body(fresh, await say(ana, says('and now')))).toBe('and now');
  expect(relay.seen).not.toContain(key.replaceAll(' ', ''));
}, 60_000);

test('words of one’s own recover as well', async () => {
  const ana = await device(fresh('ana'));
  await ana.engine.createRecovery('seven grey geese over the river');
  const next = await device(ana.user);
  await expect(next.engine.useRecovery('seven grey geese')).rejects.toMatchObject({ code: 'wrong' });
  await next.engine.useRecovery('seven grey geese over the river');
  expect(await next.engine.status()).toMatchObject({ signed: true });
}, 60_000);

test('somebody whose keys are others than before gets nothing until one decides', async () => {
  const { ana, bo } = await two();
  expect(await body(bo, await say(ana, says('hello')))).toBe('hello');
  expect(await body(bo, await say(ana, says('hello again')))).toBe('hello again');
  relay.forgetIdentity(bo.user);
  relay.drop(bo.user, bo.device);
  const other = await device(bo.user);
  await settle(ana);
  await expect(say(ana, says('are you there?'))).rejects.toMatchObject({ code: 'identity_changed', users: [bo.user] });
  expect((await ana.engine.readers(SESSION, null)).map(({ state }) => state)).toEqual(['me', 'changed']);
  await ana.engine.approve(bo.user);
  expect(await body(other, await say(ana, says('welcome back')))).toBe('welcome back');
});

test('a key is believed whose device is gone before its owner was ever looked up', async () => {
  const [ana, bo] = [await device(fresh('ana')), await device(fresh('bo'))];
  relay.seat(SESSION, [ana.user, bo.user]);
  await settle(ana);
  const said = await say(ana, says('before I go'));
  relay.drop(ana.user, ana.device);
  expect(await body(bo, said)).toBe('before I go');
});

test('a device that the server invents gets no keys', async () => {
  const { ana, bo } = await two();
  const spy = await device(fresh('spy'));
  const keys = relay.keysOf(spy.user, spy.device);
  relay.plant(bo.user, 'spying', { ...keys, user_id: relay.name(bo.user), device_id: 'spying' });
  await settle(ana);
  const said = await say(ana, says('only for you'));
  expect(await body(bo, said)).toBe('only for you');
  const readers = await ana.engine.readers(SESSION, null);
  expect(readers[1]!.devices.filter(({ signed }) => signed).map(({ id }) => id)).toEqual([bo.device]);
});

test('beginning anew asks for the password, and works', async () => {
  const ana = await device(fresh('ana'));
  const second = await device(ana.user);
  await second.engine.reset('secret');
  expect(await second.engine.status()).toMatchObject({ account: 'mine', signed: true, recovery: 'none' });
});

test('a device that is started again is the same one, and reads on', async () => {
  const { ana, bo } = await two();
  const said = await say(ana, says('before the night'));
  expect(await body(bo, said)).toBe('before the night');
  await bo.engine.stop();
  const later = await say(ana, says('in the night'));
  const again = await device(bo.user, bo.device);
  expect(await body(again, said)).toBe('before the night');
  expect(await body(again, later)).toBe('in the night');
  expect(await body(again, { ...said, id: 'm98', number: 98 })).toBe('shut: replayed');
  expect((await again.engine.find('night')).hits.map(({ text }) => text)).toEqual(['before the night', 'in the night']);
});

test('what was opened is found here, and after it was deleted no more', async () => {
  const { ana, bo } = await two();
  const said = await say(ana, says('A red bus, at noon'));
  await open(bo, said);
  await open(bo, await say(ana, says('A green one')));
  const { hits, covers } = await bo.engine.find('RED b');
  expect(hits).toMatchObject([{ message_id: said.id, text: 'A red bus, at noon', matches: [{ start: 2, end: 5 }, { start: 6, end: 7 }] }]);
  expect(covers.messages).toBe(2);
  await bo.engine.drop(said.id);
  expect((await bo.engine.find('red')).hits).toEqual([]);
});

test('what is to disappear is opened and put into no index, whoever says so', async () => {
  const { ana, bo } = await two();
  const told = { ...await say(ana, says('soon gone, says the server')), expires_at: '2126-11-27T10:00:05Z' };
  const sealed = await say(ana, { ...says('soon gone, says ana'), expires_in_ms: 5_000 });
  for (const said of [told, sealed]) expect(await body(bo, said)).toMatch(/^soon gone/);
  expect((await bo.engine.find('gone')).hits).toEqual([]);
  const stays = await say(ana, says('gone fishing'));
  await open(bo, stays);
  expect((await bo.engine.find('gone')).hits).toMatchObject([{ message_id: stays.id }]);
  await open(bo, { ...stays, expires_at: '2126-11-27T10:00:05Z' });
  expect((await bo.engine.find('gone')).hits).toEqual([]);
});

test('whoever signs out is told everything that is kept here', async () => {
  const { ana } = await two();
  await say(ana, says('gone'));
  const kept = (await indexedDB.databases()).map(({ name }) => name!).filter((name) => name.includes(ana.user));
  expect(kept).not.toEqual([]);
  expect(await ana.engine.forget()).toEqual(expect.arrayContaining(kept));
});
