import type { Reacting } from './reactions';
import type { Init, Me, Message, Preview, Room, Session, User } from '../wire';

/** A person's place in a session. */
export interface Seat {
  role: string;
  joinedAt: string;
  readNumber: number | null;
}

/** Something that happened between messages, told in a quiet line. */
export interface Notice {
  seq: number;
  /** The newest message at that time: the line stands below it. */
  after: number;
  at: string;
  kind: 'joined' | 'left' | 'renamed' | 'decays' | 'ends' | 'room' | 'ended';
  who: string | null;
  by: string | null;
  text: string;
}

/** News of a message that is not held: a page that was asked for earlier may still bring it. */
export interface Patch {
  edited?: Message;
  deletedAt?: string;
  reacted?: Reacting[];
  pinnedAt?: string | null;
  previews?: Preview[];
}

/** What is known of a session's log: a window of its messages, without holes. */
export interface Log {
  /** The last event applied. */
  seq: number;
  messages: Message[];
  notices: Notice[];
  patches: Record<string, Patch>;
  hasBefore: boolean;
  hasAfter: boolean;
  loaded: boolean;
}

/** What is known of a thread: its newest replies, without holes. */
export interface Replies {
  root: Message;
  messages: Message[];
  hasBefore: boolean;
}

export interface State {
  me: Me | null;
  serverName: string;
  epoch: string;
  userSeq: number;
  rooms: Record<string, Room>;
  sessions: Record<string, Session>;
  users: Record<string, User>;
  /** By session, then by person. */
  seats: Record<string, Record<string, Seat>>;
  logs: Record<string, Log>;
  typing: Record<string, string[]>;
  /** The threads that are open, by the message that began each. */
  threads: Record<string, Replies>;
  /** Grows when something was said or read in a thread that is known, or one follows another one. */
  threadsVersion: number;
  /** By session: grows when something was pinned or no longer is, or may look different. */
  pinsVersion: Record<string, number>;
  /** Grows when the list of devices changed elsewhere. */
  devicesVersion: number;
}

export const EMPTY: State = {
  me: null,
  serverName: '',
  epoch: '',
  userSeq: 0,
  rooms: {},
  sessions: {},
  users: {},
  seats: {},
  logs: {},
  typing: {},
  threads: {},
  threadsVersion: 0,
  pinsVersion: {},
  devicesVersion: 0,
};

export function emptyLog(seq: number): Log {
  return { seq, messages: [], notices: [], patches: {}, hasBefore: false, hasAfter: false, loaded: false };
}

/** The state after `GET /me/init`; people already known stay known. */
export function fromInit(init: Init, before: State): State {
  const state: State = {
    ...EMPTY,
    me: init.me,
    serverName: init.server_name,
    epoch: init.epoch,
    userSeq: init.user_seq,
    users: { ...before.users, [init.me.user.id]: init.me.user },
    threadsVersion: before.threadsVersion + 1,
    devicesVersion: before.devicesVersion + 1,
    logs: {},
    rooms: {},
    sessions: {},
    seats: {},
    typing: {},
  };
  for (const room of init.rooms) {
    state.rooms[room.id] = room;
    for (const person of room.people) state.users[person.id] = person;
  }
  for (const session of init.sessions) {
    state.sessions[session.id] = session;
    state.logs[session.id] = emptyLog(session.head_seq);
  }
  return state;
}
