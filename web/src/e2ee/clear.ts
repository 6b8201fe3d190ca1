import type { Message, Reaction } from '../wire';
import { sealedOf } from '../store/sealed';
import type { Opened, Payload, SealedFile, SealedReaction, ToOpen } from './types';

/** A message with its own words in place of the ciphertext, as the timeline wants it. */

export function asked(message: Message): ToOpen {
  const { id, number, session_id, sender_id, sent_at, edited_at, expires_at } = message;
  return { id, number, session_id, sender_id, sent_at, edited_at: edited_at ?? null, expires_at: expires_at ?? null, sealed: sealedOf(message)!, ...(message.earlier ? { earlier: true } : {}) };
}

export function withOpened(message: Message, opened: Opened, me: string): Message {
  const of = sealedOf(message)?.ciphertext ?? '';
  if (opened.state === 'shut') return { ...message, content: '', clear: { of, state: 'shut', why: opened.why } };
  const { payload, shield, reactions } = opened;
  return {
    ...message,
    content: payload.react ? '' : payload.body,
    // What is said in a thread stands in the timeline here: the server knows of no thread.
    reply_to: payload.reply_to ?? payload.thread_id ?? null,
    files: (payload.files ?? []).map((file) => fileOf(file, message.sent_at)),
    reactions: reactionsOf(reactions, me),
    previews: [],
    // What its sender says counts where it is the shorter: the server could have put it off.
    expires_at: sooner(message.expires_at, payload),
    clear: { of, state: 'open', shield, ...(payload.react ? { hidden: true } : {}) },
  };
}

function sooner(told: string | null | undefined, { sent_at, expires_in_ms }: Payload): string | null {
  const own = expires_in_ms ? Date.parse(sent_at) + expires_in_ms : Infinity;
  return own < Date.parse(told ?? '') || (!told && own !== Infinity) ? new Date(own).toISOString() : (told ?? null);
}

function fileOf(file: SealedFile, created_at: string): Message['files'][number] {
  const { id, name, media_type, size, width, height } = file;
  return { id, name, media_type, size, width: width ?? null, height: height ?? null, thumbnail: false, created_at, encrypted: true, sealed: file };
}

const NAMED_MAX = 20;

export function reactionsOf(reactions: SealedReaction[], me: string): Reaction[] {
  return reactions.map(({ emoji, user_ids }) => ({ emoji, count: user_ids.length, mine: user_ids.includes(me), user_ids: user_ids.slice(0, NAMED_MAX) }));
}
