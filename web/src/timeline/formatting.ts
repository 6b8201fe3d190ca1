import type { KeyboardEvent } from 'react';

/** What a key with Ctrl or ⌘ puts around the chosen words. */
function markFor(event: KeyboardEvent): [string, string] | null {
  if (!(event.ctrlKey || event.metaKey) || event.altKey) return null;
  const key = event.key.toLowerCase();
  if (event.shiftKey) return key === 'l' ? ['[', '](https://)'] : null;
  return { b: ['**', '**'] as [string, string], i: ['*', '*'] as [string, string], e: ['`', '`'] as [string, string] }[key] ?? null;
}

export interface Change {
  text: string;
  from: number;
  to: number;
}

/** The text with the chosen words marked, or no longer so; and what is chosen then. */
export function marked(text: string, from: number, to: number, [before, after]: [string, string]): Change {
  const inside = text.slice(from, to);
  if (isMarked(text, from, before) && text.startsWith(after, to)) {
    const bare = text.slice(0, from - before.length) + inside + text.slice(to + after.length);
    return { text: bare, from: from - before.length, to: to - before.length };
  }
  const next = text.slice(0, from) + before + inside + after + text.slice(to);
  return { text: next, from: from + before.length, to: to + before.length };
}

/** Whether the mark stands before `at`; of stars, two are another mark than one, and three are both. */
function isMarked(text: string, at: number, mark: string): boolean {
  if (!text.slice(0, at).endsWith(mark)) return false;
  const stars = /\**$/.exec(text.slice(Math.max(0, at - 3), at))![0].length;
  return mark === '*' ? stars !== 2 : mark !== '**' || stars >= 2;
}

/** Marks the chosen words in a field, so that its own undo takes it back; whether the key was such a one. */
export function format(event: KeyboardEvent<HTMLTextAreaElement>): boolean {
  const mark = markFor(event);
  if (!mark) return false;
  event.preventDefault();
  const box = event.currentTarget;
  const change = marked(box.value, box.selectionStart, box.selectionEnd, mark);
  box.select();
  // Deprecated, and still the only way for which browsers keep an undo.
  document.execCommand('insertText', false, change.text);
  box.setSelectionRange(change.from, change.to);
  return true;
}
