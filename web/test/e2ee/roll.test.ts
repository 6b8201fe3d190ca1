import { expect, test } from 'vitest';
import { firstRoll, madeRoll, missing, only, take, type Roll } from '../../src/e2ee/engine/roll';
import type { Statement } from '../../src/e2ee/engine/statement';

/** Who is let into a session, as Ana's device notes it. Every statement here is valid. */

const says = (by: string, user_id: string, membership_version: number): Statement => ({ session_id: 's', user_id, by, membership_version });

/** The roll after a look at the list, with the statements that are new since. */
function look(roll: Roll, users: string[], version: number, ...statements: Statement[]): Roll {
  return take(roll, { users, version }, 'ana', { statements, read: roll.read + statements.length });
}

const seen = firstRoll({ users: ['bo'], version: 5 });

test('everybody is let in who is there when a session is seen for the first time', () => {
  expect(missing(seen, { users: ['bo'], version: 5 })).toEqual([]);
  expect(missing(seen, { users: ['bo', 'cy'], version: 6 })).toEqual(['cy']);
});

test('whom the server adds is not let in, and whom a member lets in is', () => {
  expect(look(seen, ['bo', 'cy'], 6).let_in).toEqual(['bo']);
  expect(look(seen, ['bo', 'cy'], 6, says('bo', 'cy', 5)).let_in).toEqual(['bo', 'cy']);
  expect(look(seen, ['bo', 'cy'], 6, says('ana', 'cy', 5)).let_in, 'one’s own word counts').toEqual(['bo', 'cy']);
});

test('of a session that one made, nobody is let in but who was named', () => {
  const made = madeRoll(['bo']);
  expect(look(made, ['bo', 'ghost'], 3).let_in).toEqual(['bo']);
  expect(look(made, ['bo', 'cy'], 4, says('bo', 'cy', 3)).let_in).toEqual(['bo', 'cy']);
});

test('a session that is made, and was seen already, keeps what is known of it but for whom nobody named', () => {
  const came = look(firstRoll({ users: ['bo', 'ghost'], version: 5 }), ['bo', 'ghost', 'cy'], 6, says('bo', 'cy', 5));
  const made = only(look(came, ['bo', 'ghost'], 7), ['bo']);
  expect(look(made, ['bo', 'ghost', 'cy'], 8, says('bo', 'cy', 6)).let_in).toEqual(['bo']);
});

test('a statement for earlier members than the first ones that were seen does not count', () => {
  expect(look(seen, ['bo', 'cy'], 6, says('bo', 'cy', 4)).let_in).toEqual(['bo']);
});

test('an old statement lets nobody in again who has left', () => {
  const came = look(seen, ['bo', 'cy'], 6, says('bo', 'cy', 5));
  const left = look(came, ['bo'], 7);
  expect(look(left, ['bo', 'cy'], 8).let_in, 'what was told before').toEqual(['bo']);
  expect(look(left, ['bo', 'cy'], 8, says('bo', 'cy', 5)).let_in, 'told once more').toEqual(['bo']);
  expect(look(left, ['bo', 'cy'], 8, says('bo', 'cy', 7)).let_in, 'made anew').toEqual(['bo', 'cy']);
});

test('nor when the server tells a lower version than it was', () => {
  const came = look(seen, ['bo', 'cy'], 6, says('bo', 'cy', 5));
  expect(look(look(came, ['bo'], 1), ['bo', 'cy'], 8).let_in).toEqual(['bo']);
});

test('who let somebody in and left meanwhile is believed', () => {
  const roll = look(firstRoll({ users: [], version: 1 }), ['cy'], 5, says('ana', 'bo', 1), says('bo', 'cy', 2));
  expect(roll.let_in).toEqual(['cy']);
  const without = look(seen, ['cy'], 8, says('bo', 'cy', 6));
  expect(without, 'who was let in until this look, too').toMatchObject({ let_in: ['cy'], gone: [['bo', 8]] });
});

test('who has left lets nobody in', () => {
  const left = look(seen, [], 6);
  expect(look(left, ['cy'], 7, says('bo', 'cy', 6)).let_in).toEqual([]);
});

test('who is not let in lets nobody in, whatever comes later', () => {
  const roll = look(seen, ['bo', 'ghost', 'cy'], 7, says('ghost', 'ghost', 6), says('ghost', 'cy', 6), says('bo', 'ghost', 6));
  expect(roll.let_in).toEqual(['bo', 'ghost']);
});

test('oneself is never missing, and comes back to the roll that was', () => {
  const roll = look(seen, ['bo', 'cy'], 9, says('bo', 'cy', 6), says('bo', 'ana', 8));
  expect(roll.let_in).toEqual(['bo', 'cy']);
});
