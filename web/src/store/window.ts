import type { Message, MessagePage } from '../wire';
import { withReaction } from './reactions';
import { isLine } from './sealed';
import type { Log, Patch } from './state';

/** The later of two tellings of one message: deletion is final, then the newest wording counts. */
export function later(a: Message, b: Message): Message {
  if (a.deleted_at || b.deleted_at) return a.deleted_at ? a : b;
  return (a.edited_at ?? '') >= (b.edited_at ?? '') ? a : b;
}

export function patched(message: Message, patch: Patch | undefined): Message {
  if (!patch) return message;
  if (patch.deletedAt) {
    const { clear: _words, ...left } = message;
    return { ...left, content: '', encrypted: null, deleted_at: patch.deletedAt, reactions: [], files: [], pinned_at: null, forwarded: null, previews: [] };
  }
  let worded: Message = patch.edited ? reworded(message, patch.edited) : message;
  if (patch.pinnedAt !== undefined) worded = { ...worded, pinned_at: patch.pinnedAt };
  if (patch.previews) worded = { ...worded, previews: patch.previews };
  if (!patch.reacted) return worded;
  return { ...worded, reactions: patch.reacted.reduce((held, reacted) => withReaction(held, reacted), worded.reactions) };
}

/** What is heard of a message event by event, and depends on who hears it. */
function heard({ reactions, thread, pinned_at }: Message): Pick<Message, 'reactions' | 'thread' | 'pinned_at'> {
  return { reactions, thread, pinned_at };
}

/** The message in other words. An event of them is told to everybody: it knows nothing of the reader. */
function reworded(message: Message, edited: Message): Message {
  const newer = later(edited, message);
  return newer === message ? message : { ...newer, ...heard(message) };
}

/** What is held and what a page brings. The rest is heard event by event: what is held is newer. */
function joined(held: Message, fresh: Message): Message {
  const newer = later(held, fresh);
  return newer === held || newer.deleted_at ? newer : { ...newer, ...heard(held) };
}

/** The window with a page in it: joined when they touch, replaced when they do not. */
export function withPage(log: Log, page: MessagePage, replace = false): Log {
  const fresh = page.messages.map((message) => patched(message, log.patches[message.id]));
  if (replace || !log.loaded || !touches(log.messages, fresh)) return replaced(log, fresh, page);
  const held = log.messages;
  const byNumber = new Map(held.map((message) => [message.number, message]));
  for (const message of fresh) {
    const known = byNumber.get(message.number);
    byNumber.set(message.number, known ? joined(known, message) : message);
  }
  const messages = [...byNumber.values()].sort((a, b) => a.number - b.number);
  const first = held[0]?.number ?? Infinity;
  const last = held.at(-1)?.number ?? -1;
  const before = (fresh[0]?.number ?? Infinity) <= first;
  const after = (fresh.at(-1)?.number ?? -1) >= last;
  return {
    ...log,
    messages,
    hasBefore: before ? page.has_more_before : log.hasBefore,
    hasAfter: after ? page.has_more_after : log.hasAfter,
  };
}

function replaced(log: Log, messages: Message[], page: MessagePage): Log {
  const held = new Map(log.messages.map((message) => [message.id, message]));
  return {
    ...log,
    messages: messages.map((message) => {
      const known = held.get(message.id);
      return known ? joined(known, message) : message;
    }),
    hasBefore: page.has_more_before,
    hasAfter: page.has_more_after,
    loaded: true,
  };
}

function touches(held: Message[], fresh: Message[]): boolean {
  if (!held.length || !fresh.length) return fresh.length === 0 || held.length === 0;
  return fresh[0]!.number <= held.at(-1)!.number + 1 && fresh.at(-1)!.number >= held[0]!.number - 1;
}

/** The window with one message put at its end, when it belongs there. */
export function withPosted(log: Log, message: Message): Log {
  if (!log.loaded) return log;
  const at = message.number - (log.messages[0]?.number ?? message.number);
  const known = log.messages[at];
  if (known?.id === message.id) return log;
  if (log.hasAfter) return log;
  const last = log.messages.at(-1);
  const follows = last ? message.number === last.number + 1 : !log.hasBefore;
  if (follows) return { ...log, messages: [...log.messages, message] };
  return last && message.number > last.number ? { ...log, hasAfter: true } : log;
}

/** The window with one message changed; news of a message not held is kept for a page under way. */
export function withPatch(log: Log, id: string, patch: Patch): Log {
  const index = log.messages.findIndex((message) => message.id === id);
  if (index >= 0) {
    const messages = log.messages.slice();
    messages[index] = patched(messages[index]!, patch);
    return { ...log, messages };
  }
  const kept = Object.entries(log.patches).slice(-PATCHES_MAX);
  const held = log.patches[id];
  const reacted = patch.reacted ? [...(held?.reacted ?? []), ...patch.reacted].slice(-PATCHES_MAX) : held?.reacted;
  return { ...log, patches: { ...Object.fromEntries(kept), [id]: { ...held, ...patch, ...(reacted ? { reacted } : {}) } } };
}

const PATCHES_MAX = 99;

/** The window cut down to its newest messages, for a session nobody looks at. */
export function trimmed(log: Log, keep: number): Log {
  if (log.messages.length <= keep) return log;
  if (log.hasAfter) return { ...log, messages: [], loaded: false, hasBefore: false, hasAfter: false };
  return { ...log, messages: log.messages.slice(-keep), hasBefore: true };
}

/** The window without its newest messages, when somebody has paged far back. */
export function withoutEnd(log: Log, most: number): Log {
  return log.messages.length > most ? { ...log, messages: log.messages.slice(0, most), hasAfter: true } : log;
}

/** How many messages of the timeline stand after a number; replies in threads count with their thread. */
export function plainAfter(log: Log | undefined, head: number, number: number): number {
  const first = log?.messages[0]?.number;
  if (!log || first === undefined || log.hasAfter || first > number + 1) return Math.max(0, head - number);
  return log.messages.reduce((count, message) => count + Number(message.number > number && isLine(message)), 0);
}

/** Whoever has read up to a number has also read what follows it and is no line of its own. */
export function throughHidden(log: Log | undefined, number: number): number {
  const at = log?.messages.findIndex((message) => message.number === number) ?? -1;
  if (!log || at < 0) return number;
  let last = at;
  while (log.messages[last + 1]?.clear?.hidden) last += 1;
  return log.messages[last]!.number;
}
