import { expect, test } from 'vitest';
import { countsOf } from '../../src/e2ee/counts';
import { words } from '../../src/e2ee/words';
import type { Reader, ReaderState } from '../../src/e2ee/types';

/** What the line above the field says of who can read. */

function reader(user_id: string, state: ReaderState, signed = [true]): Reader {
  return { user_id, state, devices: signed.map((one, at) => ({ id: `${user_id}-${at}`, name: '', signed: one, mine: state === 'me', here: false })) };
}

const said = (...readers: Reader[]) => words.summary(countsOf(readers, false));
const ana = reader('ana', 'me');

test('who is not let in is counted, and their devices are not', () => {
  expect(said(ana, reader('bo', 'first', [true, true, true, false]), reader('ghost', 'unvouched'))).toBe('3 people, 4 devices, 1 not let in, none compared');
});

test('it is not said that all are compared as long as somebody is not let in', () => {
  expect(said(ana, reader('bo', 'verified'))).toBe('2 people, 2 devices, all compared');
  expect(said(ana, reader('bo', 'verified'), reader('ghost', 'unvouched'))).toBe('3 people, 2 devices, 1 not let in, 1 compared');
});

test('who is not let in blocks nothing, and is not called one who cannot read yet', () => {
  expect(countsOf([ana, reader('ghost', 'unvouched', [])], true)).toMatchObject({ unvouched: 1, without: 0, changed: [] });
  expect(countsOf([ana, reader('bo', 'changed'), reader('cy', 'none', [])], false)).toMatchObject({ unvouched: 0, without: 1, changed: ['bo'] });
});
