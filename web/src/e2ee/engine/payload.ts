import type { FileKey, Payload, SealedFile, SealedThumbnail } from '../types';
import { utf8 } from './bytes';

/** What stands inside the ciphertext: written so long that its length says little, read as if anybody could have written it. */

const SIZES = [256, 1_024, 4_096, 16_384];
const STEP = 16_384;

/** The payload as JSON, filled with spaces up to one of a few lengths. */
export function writePayload(payload: Payload): string {
  const bare = JSON.stringify({ ...payload, pad: '' });
  const length = utf8(bare).length;
  const size = SIZES.find((one) => one >= length) ?? Math.ceil(length / STEP) * STEP;
  return JSON.stringify({ ...payload, pad: ' '.repeat(size - length) });
}

type Fields = Record<string, unknown>;

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function count(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined;
}

function fields(value: unknown): Fields | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : null;
}

/** The payload of what was inside; null when it is none. Fields that nobody knows are passed over. */
export function readPayload(content: unknown): Payload | null {
  const from = fields(content);
  const body = text(from?.body);
  if (!from || from.v !== 1 || body === undefined) return null;
  const react = readReact(from.react);
  const files = Array.isArray(from.files) ? from.files.flatMap((one) => readFile(one) ?? []) : [];
  return present<Payload>({
    v: 1,
    body,
    sent_at: text(from.sent_at) ?? '',
    reply_to: text(from.reply_to),
    thread_id: text(from.thread_id),
    edits: text(from.edits),
    react: react ?? undefined,
    files: files.length ? files : undefined,
    expires_in_ms: count(from.expires_in_ms),
  });
}

function readReact(value: unknown): Payload['react'] | null {
  const from = fields(value);
  const [message_id, emoji] = [text(from?.message_id), text(from?.emoji)];
  if (!from || !message_id || !emoji || emoji.length > EMOJI_MAX || typeof from.on !== 'boolean') return null;
  return { message_id, emoji, on: from.on };
}

const EMOJI_MAX = 64;

function readFile(value: unknown): SealedFile | null {
  const from = fields(value);
  const key = readKey(from?.key);
  const [id, name] = [text(from?.id), text(from?.name)];
  if (!from || !key || !id || name === undefined) return null;
  return present({
    id, name, key,
    media_type: text(from.media_type) ?? 'application/octet-stream',
    size: count(from.size) ?? 0,
    width: count(from.width),
    height: count(from.height),
    thumbnail: readThumbnail(from.thumbnail) ?? undefined,
  });
}

function readThumbnail(value: unknown): SealedThumbnail | null {
  const from = fields(value);
  const key = readKey(from?.key);
  const id = text(from?.id);
  if (!from || !key || !id) return null;
  return { id, key, media_type: text(from.media_type) ?? '', size: count(from.size) ?? 0, width: count(from.width) ?? 0, height: count(from.height) ?? 0 };
}

function readKey(value: unknown): FileKey | null {
  const from = fields(value);
  const [key, hashes] = [fields(from?.key), fields(from?.hashes)];
  const [k, iv, sha256] = [text(key?.k), text(from?.iv), text(hashes?.sha256)];
  if (from?.v !== 'v2' || key?.alg !== 'A256CTR' || !k || !iv || !sha256) return null;
  return { v: 'v2', key: { kty: 'oct', key_ops: ['encrypt', 'decrypt'], alg: 'A256CTR', k, ext: true }, iv, hashes: { sha256 } };
}

/** Without the fields that are not there. */
function present<T extends object>(from: T): T {
  return Object.fromEntries(Object.entries(from).filter(([, value]) => value !== undefined)) as T;
}
