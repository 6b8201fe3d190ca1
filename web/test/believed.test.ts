import { expect, test } from 'vitest';
import { believed, believedEvent, believedPage } from '../src/store/believed';
import { EMPTY, type State } from '../src/store/state';
import type { Event, Message, Session } from '../src/wire';

const message = (more: Partial<Message> = {}): Message => ({
  id: 'm1', no: 1, number: 1, seq: 1, session_id: 'vault', sender_id: 'ana', client_id: 'c1', content: 'send money',
  sent_at: '2026-05-01T10:00:00Z', reactions: [{ emoji: '👍', count: 9, user_ids: ['ana'], mine: false }],
  files: [], previews: [{ url: 'https://example.org', title: 't', description: '', site: 's', image_id: null }], ...more,
} as Message);

const encrypted = { algorithm: 'm.megolm.v1.aes-sha2', ciphertext: 'x', session_id: 's', sender_key: 'k', device_id: 'd' };

const sealed: State = { ...EMPTY, sessions: { vault: { id: 'vault', encryption: { algorithm: encrypted.algorithm } } as unknown as Session } };

const event = (kind: Partial<Event>): Event => ({ session_id: 'vault', seq: 2, at: '2026-05-01T10:00:00Z', ...kind }) as Event;

test('what comes in the clear where everything is sealed is shut, and nothing of it is left', () => {
  const { posted } = believedEvent(sealed, event({ posted: message({ reply_to: 'm0', thread_id: 'm0' }) }));
  expect(posted).toMatchObject({ id: 'm1', content: '', reply_to: null, reactions: [], previews: [], clear: { state: 'shut', why: 'bare' } });
  expect(posted).not.toHaveProperty('thread_id');
  const { edited } = believedEvent(sealed, event({ edited: message() }));
  expect(edited).toMatchObject({ content: '', clear: { state: 'shut', why: 'bare' } });
});

test('what comes beside a ciphertext is the server’s own', () => {
  const forwarded = { sender_id: 'bo', sent_at: '2026-05-01T10:00:00Z' };
  const { posted } = believedEvent(sealed, event({ posted: message({ encrypted, forwarded }) }));
  expect(posted).toMatchObject({ content: '', encrypted, reactions: [], previews: [] });
  expect(posted).not.toHaveProperty('forwarded');
  expect(posted).not.toHaveProperty('clear');
});

test('a reaction that nobody sealed keeps its place in the log and nothing else', () => {
  const reacted = { message_id: 'm1', number: 1, user_id: 'ana', emoji: '👍', on: true, count: 1 };
  expect(believedEvent(sealed, event({ reacted }))).toEqual({ session_id: 'vault', seq: 2, at: '2026-05-01T10:00:00Z' });
  expect(believedEvent(EMPTY, event({ session_id: 'yard', reacted }))).toHaveProperty('reacted', reacted);
  // What was encrypted once stays so, whatever the server says of it later.
  expect(believedEvent(EMPTY, event({ reacted }))).not.toHaveProperty('reacted');
});

test('a message is of the session that it is told in, whatever it says', () => {
  expect(believed('vault', message({ session_id: 'yard' }), true)).toMatchObject({ session_id: 'vault', content: '', clear: { why: 'bare' } });
  expect(believedPage('yard', { messages: [message()], has_more_before: false, has_more_after: false }).messages[0]).toMatchObject({ session_id: 'yard', content: 'send money' });
});

test('where nothing is sealed a message is as it came', () => {
  const said = message();
  expect(believed('vault', said, false)).toBe(said);
});
