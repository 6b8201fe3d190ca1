import { expect, test } from 'vitest';
import { emptyLog, type Log } from '../src/store/state';
import { later, trimmed, withoutEnd, withPage, withPatch, withPosted } from '../src/store/window';
import type { MessagePage } from '../src/wire';
import { AT, message } from './samples';

const LATER = '2026-01-05T11:00:00.000000Z';

function page(from: number, to: number, before = false, after = false): MessagePage {
  const messages = Array.from({ length: to - from + 1 }, (_, at) => message(from + at));
  return { messages, has_more_before: before, has_more_after: after };
}

function numbers(log: Log): number[] {
  return log.messages.map((held) => held.number);
}

const held = withPage(emptyLog(0), page(11, 20, true));

test('an older page goes before, a newer one behind', () => {
  const more = withPage(held, page(6, 10, true, true));
  expect(numbers(more)).toEqual([6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]);
  expect(more).toMatchObject({ hasBefore: true, hasAfter: false });
  expect(withPage(more, page(1, 5, false, true)).hasBefore).toBe(false);
});

test('pages that overlap leave no double', () => {
  expect(numbers(withPage(held, page(18, 22)))).toEqual([11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22]);
});

test('a page from elsewhere replaces the window, so that it never has a hole', () => {
  const far = withPage(held, page(1, 5, false, true));
  expect(numbers(far)).toEqual([1, 2, 3, 4, 5]);
  expect(far.hasAfter).toBe(true);
});

test('a message follows at the end, once', () => {
  const more = withPosted(held, message(21));
  expect(numbers(more).at(-1)).toBe(21);
  expect(withPosted(more, message(21))).toBe(more);
});

test('a message that does not follow leaves word that there is more', () => {
  expect(withPosted(held, message(25))).toMatchObject({ hasAfter: true, messages: held.messages });
  const away = withPage(emptyLog(0), page(1, 5, false, true));
  expect(withPosted(away, message(30))).toBe(away);
});

test('a deletion that overtakes its page is not undone by it', () => {
  const patched = withPatch(withPatch(held, 'm5', { deletedAt: AT }), 'm6', { edited: message(6, { content: 'new', edited_at: AT }) });
  const more = withPage(patched, page(1, 10, false, true));
  expect(more.messages[4]).toMatchObject({ content: '', deleted_at: AT });
  expect(more.messages[5]!.content).toBe('new');
});

test('of two tellings the later one counts, and deletion is final', () => {
  const first = message(1, { edited_at: AT });
  const second = message(1, { edited_at: LATER, content: 'second' });
  const gone = message(1, { deleted_at: AT, content: '' });
  expect(later(first, second)).toBe(second);
  expect(later(second, gone)).toBe(gone);
});

test('a session nobody looks at keeps its newest messages', () => {
  expect(numbers(trimmed(held, 3))).toEqual([18, 19, 20]);
  expect(trimmed(held, 3).hasBefore).toBe(true);
  expect(trimmed(held, 50)).toBe(held);
});

test('who pages far back lets go of the newest', () => {
  expect(numbers(withoutEnd(held, 4))).toEqual([11, 12, 13, 14]);
  expect(withoutEnd(held, 4).hasAfter).toBe(true);
  expect(withoutEnd(held, 10)).toBe(held);
});
