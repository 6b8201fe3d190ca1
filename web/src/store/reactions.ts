import type { Message, Reacted, Reaction } from '../wire';

/** As many people are told of a reaction; more are only counted. */
const NAMED_MAX = 20;

/** A reaction that somebody made or took back; `own` when it was oneself. */
export type Reacting = Reacted & { own: boolean };

/** The reactions after it. The same told twice changes nothing. */
export function withReaction(reactions: Reaction[], { emoji, user_id, on, count, own }: Reacting): Reaction[] {
  if (!emoji) return reactions;
  const known = reactions.find((reaction) => reaction.emoji === emoji);
  const mine = own ? on : (known?.mine ?? false);
  const others = (known?.user_ids ?? []).filter((id) => id !== user_id);
  const user_ids = !on ? others : known?.user_ids.includes(user_id) ? known.user_ids : [...others, user_id].slice(0, NAMED_MAX);
  const changed: Reaction = { emoji, count, user_ids, mine };
  if (count <= 0) return reactions.filter((reaction) => reaction !== known);
  return known ? reactions.map((reaction) => (reaction === known ? changed : reaction)) : [...reactions, changed];
}

/** What one's own reaction will make of it, before the server says so. */
export function ownReaction(message: Message, emoji: string, me: string): Reacted {
  const known = message.reactions.find((reaction) => reaction.emoji === emoji);
  const on = !known?.mine;
  return { message_id: message.id, number: message.number, user_id: me, emoji, on, count: Math.max(0, (known?.count ?? 0) + (on ? 1 : -1)) };
}
