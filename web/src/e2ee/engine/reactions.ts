import type { SealedReaction } from '../types';

/** Who reacts to a message: the newest word of each person on each emoji counts. */
export type Marks = Record<string, { on: boolean; number: number }>;

const GAP = ' ';

export function withMark(marks: Marks, user: string, emoji: string, on: boolean, number: number): Marks {
  const key = `${user}${GAP}${emoji}`;
  if (Object.hasOwn(marks, key) && marks[key]!.number >= number) return marks;
  return { ...marks, [key]: { on, number } };
}

export function shownMarks(marks: Marks): SealedReaction[] {
  const shown = new Map<string, string[]>();
  const entries = Object.entries(marks).filter(([, { on }]) => on).sort(([, a], [, b]) => a.number - b.number);
  for (const [key] of entries) {
    const at = key.indexOf(GAP);
    const emoji = key.slice(at + 1);
    shown.set(emoji, [...(shown.get(emoji) ?? []), key.slice(0, at)]);
  }
  return [...shown].map(([emoji, user_ids]) => ({ emoji, user_ids }));
}
