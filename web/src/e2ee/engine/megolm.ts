import { fromBase64 } from './bytes';

const VERSION = 3;
const INDEX_TAG = 0x08;
const BYTES_MAX = 5;

/** Which message of its key's chain a ciphertext is: it stands in clear at its beginning. Null when it is no Megolm message. */
export function messageIndex(ciphertext: string): number | null {
  let bytes: Uint8Array;
  try {
    bytes = fromBase64(ciphertext.slice(0, 12));
  } catch {
    return null;
  }
  if (bytes[0] !== VERSION || bytes[1] !== INDEX_TAG) return null;
  let index = 0;
  for (let at = 0; at < BYTES_MAX; at += 1) {
    const byte = bytes[2 + at];
    if (byte === undefined) return null;
    index += (byte & 0x7f) * 2 ** (7 * at);
    if (byte < 0x80) return index;
  }
  return null;
}
