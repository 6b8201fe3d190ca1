import { describe, expect, test } from 'vitest';
import { applyEvent, applyRead, applyTyping, position, readUpTo } from '../src/store/apply';
import { ownReaction } from '../src/store/reactions';
import { withPage } from '../src/store/window';
import { emptyLog, fromInit, type State } from '../src/store/state';
import { AT, event, message, room, session, state, user } from './samples';
import type { Limits } from '../src/wire';

function play(start: State, ...events: Parameters<typeof event>[]): State {
  return events.reduce((now, [seq, kind]) => applyEvent(now, event(seq, kind)), start);
}

describe('order', () => {
  test('only the next event of a session is applied', () => {
    const start = state();
    expect(position(start, event(1, {}))).toBe('next');
    expect(position(start, event(2, {}))).toBe('hole');
    expect(position(start, { ...event(1, {}), session_id: 'x' })).toBe('foreign');
    const after = play(start, [1, { posted: message(1) }]);
    expect(position(after, event(1, {}))).toBe('old');
  });

  test('an event that comes twice changes nothing the second time', () => {
    const once = play(state(), [1, { posted: message(1) }]);
    expect(applyEvent(once, event(1, { posted: message(1) }))).toBe(once);
  });

  test('an event behind a hole waits', () => {
    const start = state();
    expect(applyEvent(start, event(2, { posted: message(2) }))).toBe(start);
  });

  test('the user log has its own order', () => {
    const start = state({ userSeq: 4 });
    expect(position(start, { at: AT, user_seq: 5 })).toBe('next');
    expect(position(start, { at: AT, user_seq: 7 })).toBe('hole');
  });
});

describe('messages', () => {
  test('a posted message counts as unread, and as a mention when it names the reader', () => {
    const after = play(state(), [1, { posted: message(1) }], [2, { posted: message(2, { content: 'hey @Ana!' }) }]);
    expect(after.sessions.s).toMatchObject({ head_number: 2, unread: 2, mentions: 1, head_seq: 2 });
    expect(after.logs.s!.messages.map((held) => held.number)).toEqual([1, 2]);
  });

  test('one\'s own message is read by being written', () => {
    const after = play(state(), [1, { posted: message(1) }], [2, { posted: message(2, { sender_id: 'ana' }) }]);
    expect(after.sessions.s).toMatchObject({ head_number: 2, read_number: 2, unread: 0 });
  });

  test('an edit replaces the words, a deletion leaves a tombstone', () => {
    const after = play(
      state(), [1, { posted: message(1) }], [2, { edited: message(1, { content: 'new', edited_at: AT }) }],
      [3, { posted: message(2) }], [4, { deleted: { message_id: 'm2', number: 2, by: 'bo' } }],
    );
    expect(after.logs.s!.messages.map((held) => [held.content, held.deleted_at])).toEqual([['new', null], ['', AT]]);
  });

  test('a session whose messages are not loaded still counts', () => {
    const after = play(state({ logs: { s: emptyLog(0) } }), [1, { posted: message(1) }]);
    expect(after.logs.s!.messages).toEqual([]);
    expect(after.sessions.s!.unread).toBe(1);
  });
});

describe('people', () => {
  test('somebody comes in and goes', () => {
    const joined = play(state(), [1, { joined: { user_id: 'cleo', by: 'bo', username: 'cleo', name: 'Cleo' } }]);
    expect(joined.sessions.s!.member_count).toBe(3);
    expect(joined.rooms.r!.member_count).toBe(3);
    expect(joined.users.cleo!.name).toBe('Cleo');
    expect(Object.keys(joined.seats.s!)).toContain('cleo');
    const left = play(joined, [2, { left: { user_id: 'cleo', by: null, reason: 'left' } }]);
    expect(left.sessions.s!.member_count).toBe(2);
    expect(left.seats.s!.cleo).toBeUndefined();
    expect(left.logs.s!.notices.map((notice) => notice.kind)).toEqual(['joined', 'left']);
  });

  test('a new role of one\'s own changes the room', () => {
    const after = play(state(), [1, { role_changed: { user_id: 'ana', role: 'moderator', by: 'bo' } }]);
    expect(after.rooms.r!.my_role).toBe('moderator');
    expect(after.seats.s!.ana!.role).toBe('moderator');
  });
});

describe('settings', () => {
  test('names change where they are shown', () => {
    const after = play(
      state(), [1, { session_settings: { name: 'Plans', by: 'bo' } }],
      [2, { room_settings: { room_id: 'r', name: 'Den', description: 'd', kind: 'private', has_password: true, archived_at: AT, by: 'bo', message_ttl_s: 60, retention_s: null, sessions_max: 3 } }],
      [3, { ended: { by: 'bo' } }],
    );
    expect(after.sessions.s).toMatchObject({ name: 'Plans', ended_at: AT });
    expect(after.rooms.r).toMatchObject({ name: 'Den', kind: 'private', has_password: true, archived_at: AT, message_ttl_s: 60, retention_s: null, sessions_max: 3 });
  });
});

describe('the user log', () => {
  const news = session({ id: 't', main: false, head_seq: 3 });

  test('a session one was added to is there, from its head on', () => {
    const after = applyEvent(state(), { at: AT, user_seq: 1, added: { room, session: news, by: 'bo' } });
    expect(after.sessions.t).toEqual(news);
    expect(after.logs.t!.seq).toBe(3);
  });

  test('what is gone since is not added', () => {
    const after = applyEvent(state(), { at: AT, user_seq: 1, added: { room: null, session: null, by: null } });
    expect(after).toEqual({ ...state(), userSeq: 1 });
  });

  test('being added again forgets nothing', () => {
    const held = play(state(), [1, { posted: message(1) }]);
    const after = applyEvent(held, { at: AT, user_seq: 1, added: { room, session: session(), by: null } });
    expect(after.logs.s).toBe(held.logs.s);
  });

  test('leaving a room takes all its sessions along', () => {
    const two = applyEvent(state(), { at: AT, user_seq: 1, added: { room, session: news, by: 'bo' } });
    const after = applyEvent(two, { at: AT, user_seq: 2, removed: { room_id: 'r', session_id: 's', room: true, reason: 'kicked' } });
    expect(after.rooms).toEqual({});
    expect(after.sessions).toEqual({});
    expect(after.logs).toEqual({});
  });

  test('leaving a session leaves the room alone', () => {
    const two = applyEvent(state(), { at: AT, user_seq: 1, added: { room, session: news, by: 'bo' } });
    const after = applyEvent(two, { at: AT, user_seq: 2, removed: { room_id: 'r', session_id: 't', room: false, reason: 'removed' } });
    expect(Object.keys(after.sessions)).toEqual(['s']);
    expect(Object.keys(after.rooms)).toEqual(['r']);
  });
});

describe('what passes', () => {
  test('a read marker never goes back', () => {
    const start = play(state(), [1, { posted: message(1) }], [2, { posted: message(2) }]);
    const read = readUpTo(start, 's', 2);
    expect(read.sessions.s).toMatchObject({ read_number: 2, unread: 0 });
    expect(readUpTo(read, 's', 1)).toBe(read);
  });

  test('markers of others, and of one\'s other windows', () => {
    const start = play(state(), [1, { posted: message(1) }]);
    const after = applyRead(start, { session_id: 's', marks: [{ user_id: 'bo', number: 1 }, { user_id: 'ana', number: 1 }] });
    expect(after.seats.s!.bo!.readNumber).toBe(1);
    expect(after.sessions.s!.unread).toBe(0);
  });

  test('one does not see oneself writing', () => {
    expect(applyTyping(state(), { session_id: 's', user_ids: ['ana', 'bo'] }).typing.s).toEqual(['bo']);
  });
});

test('the first screen starts every log at its head', () => {
  const init = {
    me: { user: user('ana'), email: null, email_verified: false, show_last_seen: true, show_email: false }, rooms: [room],
    sessions: [session({ head_seq: 9 })], epoch: 'f', user_seq: 7, server_name: 'Home',
    newest: [], drafts: [], limits: { page_max: 100 } as Limits,
  };
  const after = fromInit(init, state());
  expect(after.logs.s).toEqual(emptyLog(9));
  expect(after).toMatchObject({ userSeq: 7, epoch: 'f', serverName: 'Home' });
});

describe('reactions', () => {
  const reactions = (held: State, number = 1) => held.logs.s!.messages.find((one) => one.number === number)!.reactions;
  const told = (seq: number, user_id: string, on: boolean, count: number, emoji = '👍') =>
    event(seq, { reacted: { message_id: 'm1', number: 1, user_id, emoji, on, count } });
  const posted = applyEvent(state(), event(1, { posted: message(1) }));

  test('come, are counted, and go', () => {
    const one = applyEvent(posted, told(2, 'bo', true, 1));
    expect(reactions(one)).toEqual([{ emoji: '👍', count: 1, user_ids: ['bo'], mine: false }]);
    const two = applyEvent(one, told(3, 'ana', true, 2));
    expect(reactions(two)).toEqual([{ emoji: '👍', count: 2, user_ids: ['bo', 'ana'], mine: true }]);
    const other = applyEvent(two, told(4, 'bo', true, 1, '🎉'));
    expect(reactions(other).map(({ emoji }) => emoji)).toEqual(['👍', '🎉']);
    const less = applyEvent(applyEvent(other, told(5, 'ana', false, 1)), told(6, 'bo', false, 0));
    expect(reactions(less)).toEqual([{ emoji: '🎉', count: 1, user_ids: ['bo'], mine: false }]);
  });

  test('of many, twenty are named', () => {
    let held = posted;
    for (let n = 1; n <= 25; n += 1) held = applyEvent(held, told(n + 1, `u${n}`, true, n));
    expect(reactions(held)[0]).toMatchObject({ count: 25, mine: false });
    expect(reactions(held)[0]!.user_ids).toHaveLength(20);
  });

  test('outlive an edit, which knows nothing of the reader, and not a deletion', () => {
    const mine = applyEvent(posted, told(2, 'ana', true, 1));
    const edited = applyEvent(mine, event(3, { edited: message(1, { content: 'new', edited_at: AT, reactions: [{ emoji: '👍', count: 1, user_ids: ['ana'], mine: false }] }) }));
    expect(reactions(edited)[0]!.mine).toBe(true);
    expect(reactions(applyEvent(edited, event(4, { deleted: { message_id: 'm1', number: 1, by: 'bo' } })))).toEqual([]);
  });

  test('to a message that is not held are kept for the page that brings it', () => {
    const away = { ...state(), logs: { s: { ...emptyLog(0), loaded: false } } };
    const later = applyEvent(applyEvent(away, told(1, 'ana', true, 1)), told(2, 'bo', true, 2));
    const log = withPage(later.logs.s!, { messages: [message(1)], has_more_before: false, has_more_after: false });
    expect(log.messages[0]!.reactions).toEqual([{ emoji: '👍', count: 2, user_ids: ['ana', 'bo'], mine: true }]);
  });

  test('what one does oneself is shown before the server says so', () => {
    const mine = message(1, { reactions: [{ emoji: '👍', count: 2, user_ids: ['ana', 'bo'], mine: true }] });
    expect(ownReaction(mine, '👍', 'ana')).toMatchObject({ on: false, count: 1 });
    expect(ownReaction(mine, '🎉', 'ana')).toMatchObject({ on: true, count: 1 });
  });
});
