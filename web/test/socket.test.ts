import { expect, test } from 'vitest';
import { afterClose } from '../src/net/socket';

test('what follows a close depends on its code', () => {
  expect([4001, 4003, 4010].map(afterClose)).toEqual(['stop', 'stop', 'stop']);
  expect(afterClose(4009)).toBe('reload');
  expect([1000, 1006, 1012, 4008].map(afterClose)).toEqual(['retry', 'retry', 'retry', 'retry']);
});
