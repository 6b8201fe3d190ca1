import { shortcodes } from '../markdown/shortcodes';
import text from './emoji.txt?raw';
import type { Emoji } from './tone';

/** Every emoji there is, by its name; loads with the first colon or the picker. */

export interface Group {
  name: string;
  list: Emoji[];
}

const known = new Map<string, string[]>();
for (const [name, emoji] of shortcodes()) known.set(bare(emoji), [...(known.get(bare(emoji)) ?? []), name]);

export const groups: Group[] = [];
for (const line of text.trim().split('\n')) {
  const at = line.indexOf(' ');
  const [head, name] = [line.slice(0, at), line.slice(at + 1)];
  if (head === '#') {
    groups.push({ name, list: [] });
    continue;
  }
  const emoji = head.replace(/(?<=.)\*$/u, '');
  groups.at(-1)!.list.push({ emoji, name, toned: emoji !== head, short: known.get(bare(emoji)) ?? [] });
}

const all = groups.flatMap(({ list }) => list);
const byCode = new Map(all.flatMap((one) => [codeOf(one.name), ...one.short].map((code) => [code, one] as const)));
const byEmoji = new Map(all.map((one) => [bare(one.emoji), one]));

function bare(emoji: string): string {
  return emoji.replaceAll('\ufe0f', '');
}

/** The name between colons. */
export function codeOf(name: string): string {
  return name.normalize('NFD').replace(/\p{M}/gu, '').replace(/[^a-z0-9]+/g, '_').replace(/^_|_$/g, '');
}

export function byName(code: string): Emoji | undefined {
  return byCode.get(code);
}

const TONE = /[\u{1f3fb}-\u{1f3ff}]/gu;

/** What an emoji is called, in whatever skin tone. */
export function nameOfEmoji(emoji: string): string {
  return byEmoji.get(bare(emoji).replace(TONE, ''))?.name ?? emoji;
}

/** What is called so, the best first: what people write between colons, then what Unicode says. */
export function findEmoji(wanted: string, most: number): Emoji[] {
  const words = wanted.toLowerCase().split(/[\s_]+/).filter(Boolean);
  if (!words.length) return [];
  const code = words.join('_');
  const found = all.flatMap((one) => {
    const rank = rankOf(one, words, code);
    return rank === null ? [] : [{ one, rank }];
  });
  return found.sort((a, b) => a.rank - b.rank).slice(0, most).map(({ one }) => one);
}

function rankOf({ name, short }: Emoji, words: string[], code: string): number | null {
  if (short.includes(code)) return 0;
  const begun = short.filter((one) => one.startsWith(code)).map((one) => one.length);
  // Of names that begin so, the shorter is the likelier.
  if (begun.length) return 1 + Math.min(...begun) / 100;
  if (name.startsWith(words.join(' '))) return 2;
  const parts = name.split(/[\s-]+/).concat(short.flatMap((one) => one.split('_')));
  return words.every((word) => parts.some((part) => part.startsWith(word))) ? 3 : null;
}
