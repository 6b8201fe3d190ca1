// @vitest-environment node
import { expect, test } from 'vitest';
import { toBase64, utf8 } from '../../src/e2ee/engine/bytes';
import { isValid, readClaim, writeStatement, type Acquaintance, type Signed } from '../../src/e2ee/engine/statement';

/** Statements, signed by another program than the one that verifies them. */

interface Signer {
  key: string;
  sign(text: string): Promise<string>;
}

async function signer(): Promise<Signer> {
  const { publicKey, privateKey } = (await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify'])) as CryptoKeyPair;
  return {
    key: toBase64(new Uint8Array(await crypto.subtle.exportKey('raw', publicKey))),
    sign: async (text) => toBase64(new Uint8Array(await crypto.subtle.sign('Ed25519', privateKey, utf8(text)))),
  };
}

const [master, phone, stranger] = [await signer(), await signer(), await signer()];
const CY = 'bWFzdGVyIGtleSBvZiBjeSwgdGhpcnR5LXR3byBieXRlcw';
const SAYS = { session_id: 's', user_id: 'cy', by: 'bo', membership_version: 17, identity: CY };

/** Bo has a phone that he signed; Cy has an identity; nobody else is known. */
const known: Acquaintance = {
  masterKey: async (user) => (user === 'cy' ? CY : null),
  signingKeys: async (user) => new Map(user === 'bo' ? [[`ed25519:${master.key}`, master.key], ['ed25519:phone', phone.key]] : []),
};

async function signed(text: string, by = phone, id = 'ed25519:phone'): Promise<Signed> {
  return { text, signatures: { [id]: await by.sign(text) } };
}

async function counts(told: unknown, session = 's'): Promise<boolean> {
  const claim = readClaim(told);
  return claim !== null && isValid(claim, session, known);
}

test('a statement is the JSON that other clients read and write', () => {
  expect(writeStatement(SAYS)).toBe(`{"type":"parlor.let_in","v":1,"session_id":"s","user_id":"cy","by":"bo","membership_version":17,"identity":"${CY}"}`);
});

test('it counts by the master key, and by a device that its owner signed', async () => {
  expect(await counts(await signed(writeStatement(SAYS)))).toBe(true);
  expect(await counts(await signed(writeStatement(SAYS), master, `ed25519:${master.key}`))).toBe(true);
  const { identity: _, ...bare } = SAYS;
  expect(await counts(await signed(writeStatement(bare))), 'about somebody without keys').toBe(true);
  const two = await signed(writeStatement(SAYS));
  expect(await counts({ ...two, signatures: { 'ed25519:gone': 'AAAA', ...two.signatures } }), 'one signature is enough').toBe(true);
});

test('the text counts as it came, not as it would be written here', async () => {
  const text = ` ${writeStatement(SAYS).replace('{', '{ "later": [1], ')}`;
  expect(await counts(await signed(text))).toBe(true);
});

test.each([
  ['by a device that its owner did not sign', () => signed(writeStatement(SAYS), stranger, 'ed25519:planted')],
  ['by another key under the name of a device', () => signed(writeStatement(SAYS), stranger)],
  ['by the right key under another name', () => signed(writeStatement(SAYS), phone, 'ed25519:planted')],
  ['by somebody whose keys nobody knows', () => signed(writeStatement({ ...SAYS, by: 'ghost' }))],
  ['about somebody whose identity is another one', () => signed(writeStatement({ ...SAYS, identity: master.key }))],
  ['about somebody who has an identity, and nobody has seen one', () => signed(writeStatement({ ...SAYS, user_id: 'dora' }))],
  ['of another session', () => signed(writeStatement({ ...SAYS, session_id: 'other' }))],
  ['that was changed after it was signed', async () => ({ ...(await signed(writeStatement(SAYS))), text: writeStatement({ ...SAYS, user_id: 'ghost' }) })],
  ['with a signature that is none', async () => ({ text: writeStatement(SAYS), signatures: { 'ed25519:phone': '%%%' } })],
  ['with a signature that is no text', async () => ({ text: writeStatement(SAYS), signatures: { 'ed25519:phone': 7 } })],
  ['without signatures', async () => ({ text: writeStatement(SAYS) })],
])('a statement %s does not count', async (_why, make) => {
  expect(await counts(await make())).toBe(false);
});

const TEXT = JSON.parse(writeStatement(SAYS)) as object;

test.each([
  'null', '7', '[]', '{}', '{', '"parlor.let_in"',
  ...[
    { type: 'parlor.message' }, { v: 2 }, { v: '1' }, { session_id: null }, { user_id: 7 }, { user_id: '' }, { user_id: '@cy:other' }, { by: ['bo'] },
    { membership_version: -1 }, { membership_version: 1.5 }, { membership_version: '17' }, { membership_version: 2 ** 53 }, { identity: null }, { identity: {} },
  ].map((wrong) => JSON.stringify({ ...TEXT, ...wrong })),
])('%s is no statement', async (text) => {
  expect(await counts(await signed(text))).toBe(false);
});

test.each([null, undefined, 7, 'text', [], { text: 7 }, { signatures: {} }])('what the server tells may be anything: %j', (told) => {
  expect(readClaim(told)).toBeNull();
});
