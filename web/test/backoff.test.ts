import { expect, test } from 'vitest';
import { backoff } from '../src/net/backoff';

test('the ceiling doubles, up to half a minute', () => {
  const most = (attempt: number) => backoff(attempt, () => 1);
  expect([0, 1, 2, 3].map(most)).toEqual([500, 1_000, 2_000, 4_000]);
  expect(most(10)).toBe(30_000);
  expect(most(1_000)).toBe(30_000);
});

test('the wait is anywhere below it, but never nothing', () => {
  expect(backoff(6, () => 0)).toBe(200);
  expect(backoff(6, () => 0.5)).toBe(15_000);
});
