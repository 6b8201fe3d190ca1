import type { FileKey } from '../types';
import { fromBase64, fromBase64Url, isSame, random, toBase64, toBase64Url } from './bytes';

/** Files that the server has as octets only: AES-256-CTR, each with a key of its own that stands in the message. */

function counter(iv: Uint8Array<ArrayBuffer>): AesCtrParams {
  return { name: 'AES-CTR', counter: iv, length: 64 };
}

export async function sealFile(content: ArrayBuffer): Promise<{ octets: ArrayBuffer; key: FileKey }> {
  const secret = random(32);
  // The lower half counts the blocks: it begins at nothing.
  const iv = new Uint8Array(16);
  iv.set(random(8));
  const aes = await crypto.subtle.importKey('raw', secret, 'AES-CTR', false, ['encrypt']);
  const octets = await crypto.subtle.encrypt(counter(iv), aes, content);
  const hash = await crypto.subtle.digest('SHA-256', octets);
  const key: FileKey = {
    v: 'v2',
    key: { kty: 'oct', key_ops: ['encrypt', 'decrypt'], alg: 'A256CTR', k: toBase64Url(secret), ext: true },
    iv: toBase64(iv),
    hashes: { sha256: toBase64(new Uint8Array(hash)) },
  };
  return { octets, key };
}

/** What the octets are; throws when they are not those that the message speaks of. */
export async function openFile(octets: ArrayBuffer, { key, iv, hashes }: FileKey): Promise<ArrayBuffer> {
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', octets));
  if (!isSame(hash, fromBase64(hashes.sha256))) throw new Error('the file is not the one that was sent');
  const aes = await crypto.subtle.importKey('raw', fromBase64Url(key.k), 'AES-CTR', false, ['decrypt']);
  return crypto.subtle.decrypt(counter(fromBase64(iv)), aes, octets);
}
