import type {
  BanList, DeviceList, Encryption, EventPage, Init, Me, Member, MemberList, Message, MessagePage, Registered,
  RevisionList, Room, RoomList, SearchPage, SendRequest, Session, SessionEndRequest, SessionList, ThreadList, User, UserEventPage, UserList,
} from '../wire';
import { believed, believedOne, believedPage } from '../store/believed';
import { call, query } from './http';

export interface NewAccount {
  username: string;
  password: string;
  email?: string;
  name?: string;
}

export const auth = {
  register: (account: NewAccount) => call<Registered>('POST', '/auth/register', account),
  verify: (email: string, code: string) => call<void>('POST', '/auth/verify', { email, code }),
  resend: (email: string) => call<void>('POST', '/auth/resend', { email }),
  forgot: (email: string) => call<void>('POST', '/auth/forgot', { email }),
  reset: (email: string, code: string, password: string) =>
    call<void>('POST', '/auth/reset', { email, code, password }),
  login: (login: string, password: string, device_name: string) =>
    call<unknown>('POST', '/auth/login', { login, password, device_name }),
  logout: () => call<void>('POST', '/auth/logout'),
  logoutAll: () => call<void>('POST', '/auth/logout-all'),
};

export interface MeChange {
  name?: string;
  status?: string;
  show_last_seen?: boolean;
  show_email?: boolean;
}

export const me = {
  init: () => call<Init>('GET', '/me/init'),
  get: () => call<Me>('GET', '/me'),
  patch: (change: MeChange) => call<Me>('PATCH', '/me', change),
  setPicture: (picture: Blob) => call<unknown>('PUT', '/me/picture', picture),
  removePicture: () => call<void>('DELETE', '/me/picture'),
  password: (old: string, next: string) => call<void>('POST', '/me/password', { old, new: next }),
  devices: () => call<DeviceList>('GET', '/me/devices'),
  revoke: (id: string) => call<void>('DELETE', `/me/devices/${id}`),
  threads: async (cursor?: string) => {
    const list = await call<ThreadList>('GET', `/me/threads${query({ cursor })}`);
    return { ...list, threads: list.threads.map((thread) => ({ ...thread, message: believedOne(thread.message) })) };
  },
  events: (after: number) => call<UserEventPage>('GET', `/me/events${query({ after, limit: 100 })}`),
};

export const users = {
  find: (text: string) => call<UserList>('GET', `/users${query({ query: text, limit: 20 })}`),
  get: (id: string) => call<User>('GET', `/users/${id}`),
};

export interface NewRoom {
  name: string;
  kind: string;
  encryption?: Encryption;
  description?: string;
  password?: string;
  members: string[];
}

export interface RoomChange {
  name?: string;
  description?: string;
  kind?: string;
  password?: string;
  archived?: boolean;
  /** Of each, 0 takes it away. */
  message_ttl_s?: number;
  retention_s?: number;
  sessions_max?: number;
}

export const rooms = {
  create: (room: NewRoom) => call<Room>('POST', '/rooms', room),
  published: (text: string, cursor?: string) =>
    call<RoomList>('GET', `/rooms/public${query({ query: text || undefined, cursor, limit: 50 })}`),
  get: (id: string) => call<Room>('GET', `/rooms/${id}`),
  patch: (id: string, change: RoomChange) => call<Room>('PATCH', `/rooms/${id}`, change),
  remove: (id: string) => call<void>('DELETE', `/rooms/${id}`),
  join: (id: string, password?: string) => call<Room>('POST', `/rooms/${id}/join`, password ? { password } : {}),
  leave: (id: string) => call<void>('POST', `/rooms/${id}/leave`),
  members: (id: string) => every((cursor) => call<MemberList>('GET', `/rooms/${id}/members${query({ cursor, limit: 100 })}`)),
  add: (id: string, people: string[]) => call<void>('POST', `/rooms/${id}/members`, { users: people }),
  setRole: (id: string, user: string, role: string) => call<void>('PATCH', `/rooms/${id}/members/${user}`, { role }),
  kick: (id: string, user: string) => call<void>('DELETE', `/rooms/${id}/members/${user}`),
  bans: (id: string) => call<BanList>('GET', `/rooms/${id}/bans`),
  ban: (id: string, user: string, reason?: string) =>
    call<void>('PUT', `/rooms/${id}/bans/${user}`, reason ? { reason } : {}),
  unban: (id: string, user: string) => call<void>('DELETE', `/rooms/${id}/bans/${user}`),
  sessions: (id: string) => call<SessionList>('GET', `/rooms/${id}/sessions`),
  open: (id: string, name: string, members: string[], encryption?: Encryption) =>
    call<Session>('POST', `/rooms/${id}/sessions`, { name, members, ...(encryption ? { encryption } : {}) }),
};

export type PageBound = { before: number } | { after: number } | { around: number } | Record<string, never>;

export const sessions = {
  get: (id: string) => call<Session>('GET', `/sessions/${id}`),
  rename: (id: string, name: string) => call<Session>('PATCH', `/sessions/${id}`, { name }),
  /** How many seconds messages live from now on; 0: for ever. */
  setTtl: (id: string, message_ttl_s: number) => call<Session>('PATCH', `/sessions/${id}`, { message_ttl_s }),
  /** When it ends by itself; with nothing in it: not. */
  setEnd: (id: string, end: SessionEndRequest) => call<Session>('PATCH', `/sessions/${id}`, { end }),
  end: (id: string) => call<void>('DELETE', `/sessions/${id}`),
  members: (id: string) => every((cursor) => call<MemberList>('GET', `/sessions/${id}/members${query({ cursor, limit: 100 })}`)),
  add: (id: string, people: string[]) => call<void>('POST', `/sessions/${id}/members`, { users: people }),
  remove: (id: string, user: string) => call<void>('DELETE', `/sessions/${id}/members/${user}`),
  read: (id: string, number: number) => call<void>('PUT', `/sessions/${id}/read`, { number }),
  send: (id: string, message: SendRequest) => call<Message>('POST', `/sessions/${id}/messages`, message),
  sendSealed: (id: string, message: object) => call<Message>('POST', `/sessions/${id}/messages`, message),
  pins: async (id: string) => believedPage(id, await call<MessagePage>('GET', `/sessions/${id}/pins`)),
  draft: (id: string, draft: { content: string; reply_to?: string; thread_id?: string }) =>
    call<void>('PUT', `/sessions/${id}/draft`, draft),
  page: async (id: string, bound: PageBound, limit = 50) =>
    believedPage(id, await call<MessagePage>('GET', `/sessions/${id}/messages${query({ ...bound, limit })}`)),
  events: (id: string, after: number) => call<EventPage>('GET', `/sessions/${id}/events${query({ after, limit: 100 })}`),
};

export const messages = {
  get: async (id: string) => believedOne(await call<Message>('GET', `/messages/${id}`)),
  edit: (id: string, content: string) => call<Message>('PATCH', `/messages/${id}`, { content }),
  editSealed: (id: string, message: object) => call<Message>('PATCH', `/messages/${id}`, message),
  remove: (id: string) => call<void>('DELETE', `/messages/${id}`),
  react: (id: string, emoji: string, on: boolean) =>
    call<void>(on ? 'PUT' : 'DELETE', `/messages/${id}/reactions/${encodeURIComponent(emoji)}`),
  reactors: (id: string, emoji: string, cursor?: string) =>
    call<UserList>('GET', `/messages/${id}/reactions${query({ emoji, cursor })}`),
  pin: (id: string, on: boolean) => call<void>(on ? 'PUT' : 'DELETE', `/messages/${id}/pin`),
  replies: async (id: string, bound: PageBound, limit: number) => {
    const page = await call<MessagePage>('GET', `/messages/${id}/thread${query({ ...bound, limit })}`);
    return { ...page, messages: page.messages.map(believedOne) };
  },
  readThread: (id: string, number: number) => call<void>('PUT', `/messages/${id}/thread/read`, { number }),
  followThread: (id: string, on: boolean) => call<void>(on ? 'PUT' : 'DELETE', `/messages/${id}/thread/follow`),
  revisions: (id: string) => call<RevisionList>('GET', `/messages/${id}/revisions`),
};

/** What the server can find: it knows no word of what is encrypted. */
export async function search(q: string, cursor?: string): Promise<SearchPage> {
  const page = await call<SearchPage>('GET', `/search${query({ q, cursor, limit: 20 })}`);
  return { ...page, hits: page.hits.filter(({ message }) => believed(message.session_id, message) === message) };
}

const MEMBERS_MAX = 2_000;

/** All pages of a list of people, up to what a panel can sensibly show. */
async function every(page: (cursor?: string) => Promise<MemberList>): Promise<Member[]> {
  const found: Member[] = [];
  let cursor: string | undefined;
  do {
    const list = await page(cursor);
    found.push(...list.members);
    cursor = list.next_cursor ?? undefined;
  } while (cursor && found.length < MEMBERS_MAX);
  return found;
}
