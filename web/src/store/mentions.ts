const NAME = String.raw`[\p{L}\p{N}_](?:[\p{L}\p{N}_.-]*[\p{L}\p{N}_])?`;

/** Finds `@name` where it starts a word. */
export const MENTION = new RegExp(String.raw`(?<![\p{L}\p{N}_@])@(${NAME})`, 'gu');

/** What stands behind the @ to name everybody in a session; the first one is offered. */
const ALL = ['room', 'everyone'];
export const ROOM = ALL[0]!;

/** Whether it is a name for everybody. */
export function isAll(name: string): boolean {
  return ALL.includes(name.toLowerCase());
}

function names(text: string, fits: (name: string) => boolean): boolean {
  if (!text.includes('@')) return false;
  for (const match of text.matchAll(MENTION)) if (fits(match[1]!.toLowerCase())) return true;
  return false;
}

/** Whether a text names this person, alone or with everybody. */
export function mentions(text: string, username: string): boolean {
  const wanted = username.toLowerCase();
  return names(text, (name) => name === wanted || isAll(name));
}

/** Whether a text names this person alone: only that makes them follow a thread. */
export function mentionsAlone(text: string, username: string): boolean {
  const wanted = username.toLowerCase();
  return names(text, (name) => name === wanted && !isAll(name));
}

/** Whether a text names everybody. */
export function mentionsAll(text: string): boolean {
  return names(text, isAll);
}
