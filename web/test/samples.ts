import { emptyLog, EMPTY, type State } from '../src/store/state';
import type { Event, Me, Message, Room, Session, User } from '../src/wire';

export const AT = '2026-01-05T10:00:00.000000Z';

export function user(id: string): User {
  return { id, no: 1, username: id, name: id.toUpperCase(), status: '', created_at: AT, last_seen_at: null, online: false };
}

export function message(number: number, fields: Partial<Message> = {}): Message {
  return {
    id: `m${number}`, no: number, number, seq: number, session_id: 's', sender_id: 'bo', client_id: `c${number}`,
    content: `text ${number}`, reply_to: null, sent_at: AT, edited_at: null, deleted_at: null, expires_at: null, file: null, reactions: [], files: [], previews: [], ...fields,
  };
}

export const room: Room = {
  id: 'r', no: 1, name: 'Room', kind: 'public', description: '', has_password: false, main_session_id: 's', member_count: 2,
  my_role: 'member', created_at: AT, archived_at: null, people: [], lobby: false,
};

export function session(fields: Partial<Session> = {}): Session {
  return {
    id: 's', no: 1, room_id: 'r', name: 'main', main: true, created_by: null, created_at: AT, ended_at: null, member_count: 2,
    head_seq: 0, head_number: 0, read_number: 0, unread: 0, mentions: 0, thread_unread: 0, membership_version: 0,
    ...fields,
  };
}

const me: Me = { user: user('ana'), email: null, email_verified: false, show_last_seen: true, show_email: false };

export function state(fields: Partial<State> = {}): State {
  return {
    ...EMPTY, me, epoch: 'e', rooms: { r: room }, sessions: { s: session() }, users: { ana: user('ana'), bo: user('bo') },
    seats: { s: { ana: { role: 'member', joinedAt: AT, readNumber: 0 }, bo: { role: 'owner', joinedAt: AT, readNumber: 0 } } },
    logs: { s: { ...emptyLog(0), loaded: true } }, ...fields,
  };
}

export function event(seq: number, kind: Partial<Event>): Event {
  return { session_id: 's', seq, at: AT, ...kind };
}
