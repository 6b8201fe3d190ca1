import { fromBase64Url, toBase64Url } from './bytes';

/** The text that one device shows and another takes: the bytes of Matrix's QR code, as base64url in groups of four. */

/** Why a text is not taken. Nothing ends by it. */
export class CodeRefusal extends Error {
  constructor(
    readonly code:
      /** It is none, or not all of it. */
      | 'code_malformed'
      /** This device shows it itself. */
      | 'code_own'
      /** It is of another verification. */
      | 'code_other'
      /** Its keys are not those that the server tells of. */
      | 'code_keys',
  ) {
    super(code);
  }
}

export interface Code {
  bytes: Uint8Array<ArrayBuffer>;
  /** The verification that it is of. */
  flow: string;
}

const HEADER = [...'MATRIX'].map((letter) => letter.charCodeAt(0));
const VERSION = 2;
const MODE_MAX = 2;
const FLOW_AT = HEADER.length + 4;
const KEYS = 2 * 32;
/** As long as the library makes it, which tells a text that lacks its end. */
const SECRET = 16;

export function writeCode(bytes: Uint8Array): string {
  return toBase64Url(bytes).match(/.{1,4}/g)!.join(' ');
}

/** The code; null when the text is none, or not all of one. */
export function readCode(text: string): Code | null {
  const letters = text.replace(/\s/g, '');
  if (!/^[\w-]+$/.test(letters) || letters.length % 4 === 1) return null;
  const bytes = fromBase64Url(letters);
  if (toBase64Url(bytes) !== letters || !HEADER.every((letter, at) => bytes[at] === letter)) return null;
  const [version = 0, mode = 0, high = 0, low = 0] = bytes.subarray(HEADER.length);
  const end = FLOW_AT + high * 256 + low;
  if (version !== VERSION || mode > MODE_MAX || bytes.length !== end + KEYS + SECRET) return null;
  return { bytes, flow: new TextDecoder().decode(bytes.subarray(FLOW_AT, end)) };
}
