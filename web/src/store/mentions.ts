const NAME = String.raw`[\p{L}\p{N}_](?:[\p{L}\p{N}_.-]*[\p{L}\p{N}_])?`;

/** Finds `@name` where it starts a word. */
export const MENTION = new RegExp(String.raw`(?<![\p{L}\p{N}_@])@(${NAME})`, 'gu');

/** Whether a text names this person. */
export function mentions(text: string, username: string): boolean {
  if (!text.includes('@')) return false;
  const wanted = username.toLowerCase();
  for (const match of text.matchAll(MENTION)) {
    const name = match[1]!.toLowerCase();
    if (name === wanted) return true;
  }
  return false;
}
