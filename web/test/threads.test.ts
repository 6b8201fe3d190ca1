import { describe, expect, test } from 'vitest';
import { applyEvent, readUpTo } from '../src/store/apply';
import { emptyLog, type State } from '../src/store/state';
import { threadRead, withThread } from '../src/store/threads';
import { plainAfter } from '../src/store/window';
import { buildRows, pendingReplies } from '../src/timeline/rows';
import { AT, event, message, session, state } from './samples';

const LATER = '2026-01-05T10:05:00.000000Z';
const root = message(1, { sender_id: 'ana' });
const reply = (number: number, fields = {}) => message(number, { thread_id: 'm1', sent_at: LATER.replace('05:00', `05:0${number}`), ...fields });

function play(start: State, ...kinds: Parameters<typeof event>[1][]): State {
  return kinds.reduce((now, kind, at) => applyEvent(now, event(at + 1, kind)), start);
}

const begun = play(state(), { posted: root });
const rootOf = (held: State) => held.logs.s!.messages[0]!;

describe('a reply in a thread', () => {
  const answered = applyEvent(begun, event(2, { posted: reply(2) }));

  test('is counted by the message that began it, and by no session', () => {
    expect(rootOf(answered).thread).toMatchObject({ replies: 1, user_ids: ['bo'], following: true, unread: 1, last_reply_at: reply(2).sent_at });
    expect(answered.sessions.s).toMatchObject({ head_number: 2, unread: 0, thread_unread: 1 });
  });

  test('is counted once, however often it is told', () => {
    const counted = { ...begun, logs: { s: { ...begun.logs.s!, messages: [{ ...root, thread: rootOf(answered).thread }] } } };
    expect(rootOf(applyEvent(counted, event(2, { posted: reply(2) }))).thread!.replies).toBe(1);
  });

  test('stands in no timeline', () => {
    const later = applyEvent(answered, event(3, { posted: message(3) }));
    const numbers = buildRows(later.logs.s!, [], null, 'ana').flatMap((row) => (row.kind === 'message' ? [row.message.number] : []));
    expect(numbers).toEqual([1, 3]);
    expect(later.sessions.s!.unread).toBe(1);
    expect(plainAfter(later.logs.s, 3, 0)).toBe(2);
    expect(readUpTo(later, 's', 1).sessions.s!.unread).toBe(1);
    expect(readUpTo(later, 's', 3).sessions.s!.unread).toBe(0);
  });

  test('of one\'s own is read, and makes one follow', () => {
    const theirs = play(state(), { posted: message(1) });
    const heard = applyEvent(theirs, event(2, { posted: reply(2) }));
    expect(rootOf(heard).thread).toMatchObject({ following: false, unread: 0 });
    expect(heard.sessions.s!.thread_unread).toBe(0);
    const mine = applyEvent(heard, event(3, { posted: reply(3, { sender_id: 'ana' }) }));
    expect(rootOf(mine).thread).toMatchObject({ following: true, unread: 0, replies: 2, user_ids: ['ana', 'bo'] });
    expect(mine.sessions.s).toMatchObject({ unread: 1, read_number: 0 });
  });

  test('that names one makes one follow; one that names everybody does not', () => {
    const theirs = play(state(), { posted: message(1) }, { posted: reply(2, { content: '@ana look' }) });
    expect(rootOf(theirs).thread).toMatchObject({ following: true, unread: 1 });
    expect(theirs.sessions.s).toMatchObject({ unread: 1, mentions: 1, thread_unread: 1 });
    const all = play(state(), { posted: message(1) }, { posted: reply(2, { content: '@room look' }) });
    expect(rootOf(all).thread!.following).toBe(false);
    expect(all.sessions.s!.mentions).toBe(1);
  });

  test('makes whoever stopped following no follower again', () => {
    const left = withThread(answered, 's', 'm1', { following: false, unread: 0 });
    expect(rootOf(applyEvent(left, event(3, { posted: reply(3) }))).thread).toMatchObject({ following: false, unread: 0 });
  });

  test('that names one stays unread when the timeline is read, until its thread is', () => {
    const named = play(state(), { posted: message(1) }, { posted: message(2) }, { posted: reply(3, { content: '@ana look' }) });
    expect(readUpTo(named, 's', 2).sessions.s).toMatchObject({ unread: 0, mentions: 1 });
    expect(readUpTo(named, 's', 3).sessions.s!.mentions).toBe(0);
    expect(readUpTo(threadRead(named, 'm1', 3), 's', 2).sessions.s!.mentions).toBe(0);
  });

  test('shows in the thread that is open, and changes there', () => {
    const open = { ...begun, threads: { m1: { root, messages: [], hasBefore: false } } };
    const shown = applyEvent(open, event(2, { posted: reply(2) }));
    expect(shown.threads.m1!.messages.map(({ number }) => number)).toEqual([2]);
    expect(shown.threads.m1!.root.thread!.replies).toBe(1);
    const edited = applyEvent(shown, event(3, { edited: reply(2, { content: 'new', edited_at: LATER }) }));
    expect(edited.threads.m1!.messages[0]!.content).toBe('new');
    const deleted = applyEvent(edited, event(4, { deleted: { message_id: 'm2', number: 2, by: 'bo' } }));
    expect(deleted.threads.m1!.messages[0]!.deleted_at).toBe(AT);
  });

  test('is read as far as one has read, here or elsewhere', () => {
    const open = { ...begun, threads: { m1: { root, messages: [], hasBefore: false } } };
    const two = applyEvent(applyEvent(open, event(2, { posted: reply(2) })), event(3, { posted: reply(3) }));
    expect(two.sessions.s!.thread_unread).toBe(2);
    const one = threadRead(two, 'm1', 2);
    expect(one.threads.m1!.root.thread).toMatchObject({ unread: 1, read_number: 2 });
    expect(one.sessions.s!.thread_unread).toBe(1);
    expect(threadRead(one, 'm1', 1)).toBe(one);
    expect(threadRead(one, 'unknown', 9)).toBe(one);
    expect(threadRead(one, 'm1', 3).sessions.s!.thread_unread).toBe(0);
  });

  test('of a thread one leaves is no longer counted', () => {
    expect(withThread(answered, 's', 'm1', { following: false }).sessions.s!.thread_unread).toBe(0);
  });

  test('on its way stands in its thread only', () => {
    const item = { client_id: 'x', user_id: 'ana', session_id: 's', content: 'a', made_at: 1, state: 'queued' as const, thread_id: 'm1' };
    expect(pendingReplies([item], 'm1', [])).toEqual([item]);
    expect(pendingReplies([item], 'm1', [reply(2, { client_id: 'x' })])).toEqual([]);
    expect(pendingReplies([item], 'm2', [])).toEqual([]);
  });
});

test('what is pinned says so, and the panel hears of it', () => {
  const pinned = applyEvent(begun, event(2, { pinned: { message_id: 'm1', number: 1, by: 'bo', on: true } }));
  expect(rootOf(pinned).pinned_at).toBe(AT);
  expect(pinned.pinsVersion.s).toBe(1);
  const loose = applyEvent(pinned, event(3, { pinned: { message_id: 'm1', number: 1, by: 'bo', on: false } }));
  expect(rootOf(loose).pinned_at).toBeNull();
  expect(loose.pinsVersion.s).toBe(2);
});

test('a page that is loaded counts what it does not hold from the head', () => {
  expect(plainAfter({ ...emptyLog(0), messages: [message(9)] }, 12, 4)).toBe(8);
  expect(plainAfter(undefined, 12, 4)).toBe(8);
  expect(session().thread_unread).toBe(0);
});

test('words that are passed on name nobody', () => {
  const told = applyEvent(begun, event(2, { posted: message(2, { content: '@ana look', forwarded: { sender_id: 'cleo', sent_at: AT } }) }));
  expect(told.sessions.s).toMatchObject({ unread: 1, mentions: 0 });
});

test('what is deleted has no pin, no files and nobody else\'s words', () => {
  const forwarded = message(2, { pinned_at: AT, forwarded: { sender_id: 'cleo', sent_at: AT } });
  const gone = applyEvent(applyEvent(begun, event(2, { posted: forwarded })), event(3, { deleted: { message_id: 'm2', number: 2, by: 'bo' } }));
  expect(gone.logs.s!.messages[1]).toMatchObject({ pinned_at: null, forwarded: null, files: [], content: '' });
  expect(gone.pinsVersion.s).toBe(1);
});

test('previews come after their message, and go with an edit that has others', () => {
  const preview = { url: 'https://example.org/', title: 'Example', description: '', site: '', image_id: null };
  const told = { ...event(2, {}), previewed: { message_id: 'm1', number: 1, previews: [preview] } };
  const shown = applyEvent(begun, told);
  expect(rootOf(shown)).toMatchObject({ previews: [preview] });
  const none = applyEvent(shown, { ...event(3, {}), previewed: { message_id: 'm1', number: 1, previews: [] } } as typeof told);
  expect(rootOf(none)).toMatchObject({ previews: [] });
});
