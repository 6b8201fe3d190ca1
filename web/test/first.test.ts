import { expect, test } from 'vitest';
import { keepFirst, takeFirst } from '../src/store/first';
import type { Init } from '../src/wire';
import { message, session } from './samples';

const came = (read_number: number, has_more_before = true) => {
  const held = session({ head_seq: 9, read_number });
  const newest = [{ session_id: held.id, messages: [message(4), message(5)], has_more_before }];
  keepFirst({ newest, sessions: [held] } as Pick<Init, 'newest' | 'sessions'> as Init);
  return held;
};

test('what came with the first screen is a session’s first page, once', () => {
  const held = came(5);
  expect(takeFirst(held, 9)).toEqual({ messages: [message(4), message(5)], has_more_before: true, has_more_after: false });
  expect(takeFirst(held, 9)).toBeNull();
});

test('it is not, when something happened since, or in another session', () => {
  expect(takeFirst(came(5), 10)).toBeNull();
  came(5);
  expect(takeFirst(session({ id: 'other' }), 9)).toBeNull();
});

test('it is, when the oldest unread message is in it', () => {
  expect(takeFirst(came(3), 9)).not.toBeNull();
  expect(takeFirst(came(2), 9)).toBeNull();
  expect(takeFirst(came(2, false), 9)).not.toBeNull();
});
