import { describe, expect, test } from 'vitest';
import { chipText, offersFor } from '../src/search/offers';
import { chipOf, halfOf, pieces, readQuery, unmarked, withChip, writeQuery } from '../src/search/query';
import { room, session, state, user } from './samples';

describe('a question', () => {
  test.each([
    ['red bus', 0, 'red bus'], ['from:ana red', 1, 'red'], ['in:"Red Room" -from:bo "red bus"', 2, '"red bus"'], ['colour:red', 0, 'colour:red'],
    ['has:link has:file', 2, ''], ['from:', 0, 'from:'], ['FROM:ana', 1, ''], ['-blue after:2026-05-01T18:30', 1, '-blue'], ['', 0, ''], ['in:"open', 0, 'in:"open'],
  ])('%j has %i conditions and the words %j', (text, chips, words) => {
    const query = readQuery(text);
    expect(query.chips).toHaveLength(chips);
    expect(query.words).toBe(words);
  });

  test('is asked as it was written, without what is only half written', () => {
    expect(writeQuery(readQuery('in:"Red Room" -from:bo red'))).toBe('in:"Red Room" -from:bo red');
    expect(writeQuery(readQuery('red from:'))).toBe('red');
    expect(writeQuery({ chips: [], words: 'red in:"open ro' })).toBe('red');
    expect(writeQuery({ chips: [], words: 'red bu ' })).toBe('red bu');
  });

  test('has one chip for one condition', () => {
    const chip = chipOf('from:ana')!;
    expect(withChip([chip], { ...chip })).toHaveLength(1);
    expect(withChip([chip], { ...chip, not: true })).toHaveLength(2);
  });

  test('knows the condition under the caret', () => {
    expect(halfOf('red from:a')).toEqual({ key: 'from', value: 'a', at: 4, not: false });
    expect(halfOf('-has:')).toEqual({ key: 'has', value: '', at: 0, not: true });
    expect(halfOf('in:"red r')).toMatchObject({ key: 'in', value: 'red r' });
    expect(halfOf('from:ana and')).toBeNull();
    expect(halfOf('wherefrom:a')).toBeNull();
  });
});

describe('offers', () => {
  const held = state({ rooms: { r: { ...room, name: 'Red Room' } }, sessions: { s: session(), p: session({ id: 'p', main: false, name: 'Plans' }) }, users: { ana: user('ana'), bo: user('bo') } });

  test('people, rooms, sessions, things and days', () => {
    expect(offersFor(held, 'from', '', 0).map(({ chip }) => chip!.value)).toEqual(['me', 'bo']);
    expect(offersFor(held, 'from', 'b', 0).map(({ title }) => title)).toEqual(['BO']);
    expect(offersFor(held, 'in', 'red', 0)[0]!.chip).toEqual({ key: 'in', value: 'r' });
    expect(offersFor(held, 'session', '', 0).map(({ title }) => title)).toEqual(['Plans']);
    expect(offersFor(held, 'has', 'li', 0).map(({ chip }) => chip!.value)).toEqual(['link']);
    expect(offersFor(held, 'after', 'yes', Date.parse('2026-05-02T12:00:00Z'))[0]!.chip).toEqual({ key: 'after', value: '2026-05-01' });
  });

  test('chips say names, not ids', () => {
    const text = (part: string) => chipText(held, chipOf(part)!);
    expect(text('in:r')).toBe('in Red Room');
    expect(text('session:p')).toBe('in Plans');
    expect(text('-from:bo')).toBe('not from BO');
    expect(text('from:me')).toBe('from you');
    expect(text('has:link')).toBe('with a link');
    expect(text('in:elsewhere')).toBe('in elsewhere');
  });
});

test('a snippet is cut at its matches, and a wrong match cuts nothing', () => {
  expect(pieces('the red bus', [{ start: 4, end: 7 }])).toEqual([['the ', false], ['red', true], [' bus', false]]);
  expect(pieces('red', [{ start: 0, end: 3 }])).toEqual([['red', true]]);
  expect(pieces('🚌 bus', [{ start: 3, end: 6 }])).toEqual([['🚌 ', false], ['bus', true]]);
  expect(pieces('red', [{ start: 2, end: 9 }, { start: 1, end: 1 }])).toEqual([['red', false]]);
  expect(pieces('', [])).toEqual([]);
  expect(unmarked('# A **red** `bus` ~~no~~')).toBe('A red bus no');
});
