// Against Node's own cryptography, which shares no program with a browser's.
import { createCipheriv, createHash, createHmac, hkdfSync, pbkdf2Sync } from 'node:crypto';
import { expect, test } from 'vitest';
import { openFile, sealFile } from '../../src/e2ee/engine/attachments';
import { fromBase64, fromBase64Url, toBase64 } from '../../src/e2ee/engine/bytes';
import { describeKey, isKeyOf, keyOfPassphrase, openSecret, sealSecret } from '../../src/e2ee/engine/secrets';

const plain = (bytes) => bytes.toString('base64').replace(/=+$/, '');

/** The same by Node's own program, which shares nothing with the browser's. */
function sealedByNode(key, name, secret, iv) {
  const derived = Buffer.from(hkdfSync('sha256', key, Buffer.alloc(32), name, 64));
  const cipher = createCipheriv('aes-256-ctr', derived.subarray(0, 32), iv);
  const ciphertext = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
  return { iv: plain(Buffer.from(iv)), ciphertext: plain(ciphertext), mac: plain(createHmac('sha256', derived.subarray(32)).update(ciphertext).digest()) };
}

const KEY = Uint8Array.from({ length: 32 }, (_, at) => (at * 7 + 3) & 0xff);
const IV = Uint8Array.from({ length: 16 }, (_, at) => (at === 8 ? 0x11 : at + 1));

test('a secret is sealed as another program seals it', async () => {
  const secret = 'c2VlZCBvZiBhIG1hc3RlciBrZXksIDMyIGJ5dGVzIGxvbmc';
  const other = sealedByNode(KEY, 'm.cross_signing.master', secret, IV);
  expect(await sealSecret(KEY, 'm.cross_signing.master', secret, IV)).toEqual(other);
  expect(await openSecret(KEY, 'm.cross_signing.master', other)).toBe(secret);
});

test('a secret opens under its own name and key only, and not when it was changed', async () => {
  const sealed = await sealSecret(KEY, 'a', 'secret');
  await expect(openSecret(KEY, 'b', sealed)).rejects.toThrow();
  await expect(openSecret(IV, 'a', sealed)).rejects.toThrow();
  const bytes = fromBase64(sealed.ciphertext);
  bytes[0] ^= 1;
  await expect(openSecret(KEY, 'a', { ...sealed, ciphertext: toBase64(bytes) })).rejects.toThrow();
});

test('a fresh counter has room to count', async () => {
  for (let turn = 0; turn < 64; turn += 1) expect(fromBase64((await describeKey(KEY)).iv)[8] & 0x80).toBe(0);
});

test('a key is told from another one by its description', async () => {
  const description = await describeKey(KEY);
  expect(await isKeyOf(KEY, description)).toBe(true);
  expect(await isKeyOf(KEY.map((byte) => byte ^ 1), description)).toBe(false);
  const zeros = sealedByNode(KEY, '', '\0'.repeat(32), fromBase64(description.iv));
  expect(description.mac).toBe(zeros.mac);
});

test('a passphrase is stretched by PBKDF2-SHA-512, and by not fewer than half a million rounds', async () => {
  const stretch = { algorithm: 'm.pbkdf2', salt: 'grey geese', iterations: 500_000, bits: 256 };
  expect(Buffer.from(await keyOfPassphrase('over the river', stretch))).toEqual(pbkdf2Sync('over the river', 'grey geese', 500_000, 32, 'sha512'));
  await expect(keyOfPassphrase('over the river', { ...stretch, iterations: 1_000 })).rejects.toThrow();
});

test('a file is octets to whoever has not its key', async () => {
  const content = Uint8Array.from({ length: 100_003 }, (_, at) => (at * 31) & 0xff).buffer;
  const { octets, key } = await sealFile(content);
  expect(Buffer.from(octets).equals(Buffer.from(content))).toBe(false);
  expect(fromBase64(key.iv).slice(8)).toEqual(new Uint8Array(8));
  expect(Buffer.from(await openFile(octets, key)).equals(Buffer.from(content))).toBe(true);
  const cipher = createCipheriv('aes-256-ctr', fromBase64Url(key.key.k), fromBase64(key.iv));
  expect(Buffer.concat([cipher.update(Buffer.from(content)), cipher.final()]).equals(Buffer.from(octets))).toBe(true);
  expect(key.hashes.sha256).toBe(plain(createHash('sha256').update(Buffer.from(octets)).digest()));
  const changed = new Uint8Array(octets.slice(0));
  changed[5] ^= 1;
  await expect(openFile(changed.buffer, key)).rejects.toThrow();
});
