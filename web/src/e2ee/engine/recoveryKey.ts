import { fromBase58, toBase58 } from './bytes';

/** A recovery key as people write it down: base 58, in groups of four, with a sum that tells a slip of the pen. */

const PREFIX = [0x8b, 0x01];
const LENGTH = 32;

export function writeRecoveryKey(key: Uint8Array): string {
  const bytes = Uint8Array.from([...PREFIX, ...key]);
  const parity = bytes.reduce((sum, byte) => sum ^ byte, 0);
  return toBase58(Uint8Array.from([...bytes, parity])).match(/.{1,4}/g)!.join(' ');
}

/** The key; null when it was mistyped, or is none. */
export function readRecoveryKey(text: string): Uint8Array<ArrayBuffer> | null {
  const bytes = fromBase58(text.replace(/\s/g, ''));
  if (!bytes || bytes.length !== PREFIX.length + LENGTH + 1) return null;
  const whole = bytes.reduce((sum, byte) => sum ^ byte, 0) === 0;
  return whole && PREFIX.every((byte, at) => bytes[at] === byte) ? new Uint8Array(bytes.slice(PREFIX.length, -1)) : null;
}
