export interface Emoji {
  emoji: string;
  /** As Unicode calls it. */
  name: string;
  /** Whether it comes in skin tones. */
  toned: boolean;
  /** The short names that people know. */
  short: string[];
}

const LIGHT = 0x1f3fb;

/** The emoji in a skin tone from 1 to 5; 0 leaves it as it is. */
export function inTone({ emoji, toned }: Emoji, tone: number): string {
  if (!toned || !tone) return emoji;
  const [first, ...rest] = emoji.replace(/^(.)\ufe0f/u, '$1');
  return first! + String.fromCodePoint(LIGHT + tone - 1) + rest.join('');
}
