import { fromBase64, isSame, random, toBase64, utf8 } from './bytes';

/**
 * Secrets that the server keeps and cannot open: `m.secret_storage.v1.aes-hmac-sha2`. Of one key come, by
 * HKDF-SHA-256 and the secret's name, a key for AES-256-CTR and one for HMAC-SHA-256.
 */

export interface SealedSecret {
  iv: string;
  ciphertext: string;
  mac: string;
}

/** What tells whether a key is the right one, and how it comes of a passphrase. */
export interface KeyDescription {
  name?: string;
  algorithm: 'm.secret_storage.v1.aes-hmac-sha2';
  iv: string;
  mac: string;
  passphrase?: { algorithm: 'm.pbkdf2'; salt: string; iterations: number; bits?: number };
}

const ZEROS = new Uint8Array(32);
export const ROUNDS_MIN = 500_000;

async function keysFor(key: Uint8Array<ArrayBuffer>, name: string): Promise<{ aes: CryptoKey; mac: CryptoKey }> {
  const base = await crypto.subtle.importKey('raw', key, 'HKDF', false, ['deriveBits']);
  const bits = await crypto.subtle.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt: ZEROS, info: utf8(name) }, base, 512);
  return {
    aes: await crypto.subtle.importKey('raw', bits.slice(0, 32), 'AES-CTR', false, ['encrypt', 'decrypt']),
    mac: await crypto.subtle.importKey('raw', bits.slice(32), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign', 'verify']),
  };
}

function counter(iv: Uint8Array<ArrayBuffer>): AesCtrParams {
  return { name: 'AES-CTR', counter: iv, length: 64 };
}

/** A fresh counter: its lower half has room to count, however wide another program's counter is. */
function freshIv(): Uint8Array<ArrayBuffer> {
  const iv = random(16);
  iv[8]! &= 0x7f;
  return iv;
}

export async function sealSecret(key: Uint8Array<ArrayBuffer>, name: string, secret: string, iv = freshIv()): Promise<SealedSecret> {
  const { aes, mac } = await keysFor(key, name);
  const ciphertext = await crypto.subtle.encrypt(counter(iv), aes, utf8(secret));
  const tag = await crypto.subtle.sign('HMAC', mac, ciphertext);
  return { iv: toBase64(iv), ciphertext: toBase64(new Uint8Array(ciphertext)), mac: toBase64(new Uint8Array(tag)) };
}

/** The secret; throws when the key is another one, or somebody changed it. */
export async function openSecret(key: Uint8Array<ArrayBuffer>, name: string, sealed: SealedSecret): Promise<string> {
  const { aes, mac } = await keysFor(key, name);
  const ciphertext = fromBase64(sealed.ciphertext);
  if (!(await crypto.subtle.verify('HMAC', mac, fromBase64(sealed.mac), ciphertext))) throw new Error('the secret was changed, or the key is another one');
  return new TextDecoder().decode(await crypto.subtle.decrypt(counter(fromBase64(sealed.iv)), aes, ciphertext));
}

/** What to tell a key by: 32 zero bytes, sealed under no name. */
export async function describeKey(key: Uint8Array<ArrayBuffer>, iv = freshIv()): Promise<KeyDescription> {
  const { aes, mac } = await keysFor(key, '');
  const ciphertext = await crypto.subtle.encrypt(counter(iv), aes, ZEROS);
  const tag = await crypto.subtle.sign('HMAC', mac, ciphertext);
  return { algorithm: 'm.secret_storage.v1.aes-hmac-sha2', iv: toBase64(iv), mac: toBase64(new Uint8Array(tag)) };
}

export async function isKeyOf(key: Uint8Array<ArrayBuffer>, description: KeyDescription): Promise<boolean> {
  const own = await describeKey(key, fromBase64(description.iv));
  return isSame(fromBase64(own.mac), fromBase64(description.mac));
}

/** The key that a passphrase stands for. Fewer rounds than ours are not taken, whatever the server says. */
export async function keyOfPassphrase(words: string, { salt, iterations, bits = 256 }: NonNullable<KeyDescription['passphrase']>): Promise<Uint8Array<ArrayBuffer>> {
  if (iterations < ROUNDS_MIN) throw new Error('the passphrase is stretched too little');
  const base = await crypto.subtle.importKey('raw', utf8(words), 'PBKDF2', false, ['deriveBits']);
  const key = await crypto.subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-512', salt: utf8(salt), iterations }, base, bits);
  return new Uint8Array(key);
}
