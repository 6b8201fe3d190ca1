/** A condition of a search, as a chip shows it. */
export interface Chip {
  key: string;
  value: string;
  not: boolean;
}

export interface Query {
  chips: Chip[];
  words: string;
}

export const KEYS = ['from', 'in', 'session', 'after', 'before', 'has'] as const;
export type Key = (typeof KEYS)[number];

export const HAS = ['link', 'reply', 'mention', 'file'] as const;

const PART = /-?[a-z]+:"[^"]*"?|-?"[^"]*"?|\S+/gi;
const CHIP = /^(-?)([a-z]+):(?:"([^"]+)"|([^"\s]+))$/i;

/** The conditions and the words of a search. What is no condition stays words, as the server reads it. */
export function readQuery(text: string): Query {
  const chips: Chip[] = [];
  const words: string[] = [];
  for (const [part] of text.matchAll(PART)) {
    const chip = chipOf(part);
    if (chip) chips.push(chip);
    else words.push(part);
  }
  return { chips, words: words.join(' ') };
}

export function chipOf(part: string): Chip | null {
  const match = CHIP.exec(part);
  const key = match?.[2]!.toLowerCase() as Key;
  if (!match || !KEYS.includes(key)) return null;
  return { key, value: match[3] ?? match[4]!, not: match[1] === '-' };
}

/** What the server is asked: without a condition that is only half written. */
export function writeQuery({ chips, words }: Query): string {
  const told = chips.map(({ key, value, not }) => `${not ? '-' : ''}${key}:${/\s/.test(value) ? `"${value}"` : value}`);
  const last = HALF.exec(words);
  return [...told, (last ? words.slice(0, last.index) : words).trim()].filter(Boolean).join(' ');
}

const HALF = new RegExp(String.raw`(?:^|(?<=\s))(-?)(${KEYS.join('|')}):("?)([^"]*)$`, 'i');

/** The condition that is being written at the end of the words. */
export function halfOf(words: string): { key: Key; value: string; at: number; not: boolean } | null {
  const match = HALF.exec(words);
  if (!match || (!match[3] && /\s/.test(match[4]!))) return null;
  return { key: match[2]!.toLowerCase() as Key, value: match[4]!.toLowerCase(), at: match.index, not: match[1] === '-' };
}

export function withChip(chips: Chip[], chip: Chip): Chip[] {
  const same = (other: Chip) => other.key === chip.key && other.value === chip.value && other.not === chip.not;
  return chips.some(same) ? chips : [...chips, chip];
}

/** A piece of a message's source without the marks that only say how it looks. */
export function unmarked(piece: string): string {
  return piece.replace(/\*\*|~~|`{1,3}|^#{1,6} /gm, '');
}

/** Cuts a text at its matches: each piece, and whether it is one. */
export function pieces(text: string, matches: { start: number; end: number }[]): [string, boolean][] {
  const found: [string, boolean][] = [];
  let at = 0;
  for (const { start, end } of matches) {
    if (start < at || end > text.length || end <= start) continue;
    if (start > at) found.push([text.slice(at, start), false]);
    found.push([text.slice(start, end), true]);
    at = end;
  }
  if (at < text.length) found.push([text.slice(at), false]);
  return found;
}
