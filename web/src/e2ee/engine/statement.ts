import { verifyAsync } from '@noble/ed25519';
import { fromBase64, utf8 } from './bytes';

/** What a member signs who lets somebody into a session. It comes by way of a server that may lie, so it is read strictly. */

export interface Statement {
  session_id: string;
  /** Who is let in, and who says so. */
  user_id: string;
  by: string;
  /** Of the members as they were just before. */
  membership_version: number;
  /** The master key of who is let in; absent when they had published none that was to be seen. */
  identity?: string;
}

/** As it goes to the server and comes back. */
export interface Signed {
  text: string;
  signatures: Record<string, string>;
}

/** A statement that was read; whether it is true is another question. */
export interface Claim extends Signed {
  says: Statement;
}

/** What is known here of people's keys. */
export interface Acquaintance {
  masterKey(user: string): Promise<string | null>;
  /** By their ids, the keys by which somebody is believed: none when they are somebody else than before. */
  signingKeys(user: string): Promise<Map<string, string>>;
}

const TYPE = 'parlor.let_in';
const ID = /^[\w-]{1,64}$/;

export function writeStatement(statement: Statement): string {
  return JSON.stringify({ type: TYPE, v: 1, ...statement });
}

/** What somebody claims, or null where it is no statement. */
export function readClaim(signed: unknown): Claim | null {
  const { text, signatures } = asObject(signed);
  const says = typeof text === 'string' ? readStatement(text) : null;
  return says && { says, text: text as string, signatures: asObject(signatures) as Signed['signatures'] };
}

function readStatement(text: string): Statement | null {
  const { type, v, session_id, user_id, by, membership_version, identity } = asObject(parsed(text));
  if (type !== TYPE || v !== 1 || !isId(session_id) || !isId(user_id) || !isId(by) || !isVersion(membership_version)) return null;
  if (identity === undefined) return { session_id, user_id, by, membership_version };
  return typeof identity === 'string' ? { session_id, user_id, by, membership_version, identity } : null;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && ID.test(value);
}

export function isVersion(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Whether it is of this session, about whom it is known to be, and signed by who it says. */
export async function isValid({ says, text, signatures }: Claim, session: string, known: Acquaintance): Promise<boolean> {
  if (says.session_id !== session) return false;
  if (says.identity !== undefined && says.identity !== (await known.masterKey(says.user_id))) return false;
  for (const [id, key] of await known.signingKeys(says.by)) {
    if (await verifies(text, signatures[id], key)) return true;
  }
  return false;
}

async function verifies(text: string, signature: unknown, key: string): Promise<boolean> {
  if (typeof signature !== 'string') return false;
  try {
    return await verifyAsync(fromBase64(signature), utf8(text), fromBase64(key), { zip215: false });
  } catch {
    // Not a signature, or not a key.
    return false;
  }
}
