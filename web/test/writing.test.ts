import { describe, expect, test } from 'vitest';
import { marked } from '../src/timeline/formatting';
import { namedElsewhere, namesFor } from '../src/timeline/offers';
import { message, session, state, user } from './samples';
import { emptyLog } from '../src/store/state';
import { room } from './samples';

const seat = { role: 'member', joinedAt: '', readNumber: 0 };
const users = { ana: user('ana'), bo: user('bo'), bea: user('bea'), cleo: user('cleo') };
const held = state({
  users, seats: { s: { ana: seat, bo: seat, bea: seat } }, sessions: { s: session({ member_count: 3 }) },
  logs: { s: { ...emptyLog(2), loaded: true, messages: [message(1, { sender_id: 'bea' }), message(2, { sender_id: 'bo' })] } },
});

describe('whom a name may be', () => {
  test('who spoke last first, then the others of the session, everybody, and who is elsewhere', () => {
    expect(namesFor(held, 's', 'b').map(({ key }) => key)).toEqual(['bo', 'bea']);
    expect(namesFor(held, 's', '').map(({ key }) => key)).toEqual(['bo', 'bea', 'room']);
    expect(namesFor(held, 's', 'cl').map(({ about }) => about)).toEqual(['@cleo, not in this session']);
    expect(namesFor(held, 's', 'ana')).toEqual([]);
  });

  test('everybody of many people only for those who keep order', () => {
    const many = { ...held, sessions: { s: session({ member_count: 21 }) } };
    expect(namesFor(many, 's', 'roo')).toEqual([]);
    expect(namesFor({ ...many, rooms: { r: { ...room, my_role: 'moderator' } } }, 's', 'roo')).toHaveLength(1);
    expect(namesFor({ ...held, sessions: { s: session({ member_count: 2 }) } }, 's', 'roo')).toEqual([]);
  });

  test('who is named and elsewhere', () => {
    expect(namedElsewhere(held, 's', 'hi @cleo, @bo, @nobody and x@cleo.example').map(({ id }) => id)).toEqual(['cleo']);
    expect(namedElsewhere(held, 's', '@CLEO.').map(({ id }) => id)).toEqual(['cleo']);
    expect(namedElsewhere(held, 'unknown', '@cleo')).toEqual([]);
  });
});

test('marks go around what is chosen, and off again', () => {
  expect(marked('a word here', 2, 6, ['**', '**'])).toEqual({ text: 'a **word** here', from: 4, to: 8 });
  expect(marked('a **word** here', 4, 8, ['**', '**'])).toEqual({ text: 'a word here', from: 2, to: 6 });
  expect(marked('**a**', 2, 3, ['*', '*']).text).toBe('***a***');
  expect(marked('***a***', 3, 4, ['*', '*']).text).toBe('**a**');
  expect(marked('***a***', 3, 4, ['**', '**']).text).toBe('*a*');
  expect(marked('', 0, 0, ['`', '`'])).toEqual({ text: '``', from: 1, to: 1 });
});
