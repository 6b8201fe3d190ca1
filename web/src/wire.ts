// The wire, as proto/parlor/v1 says it. Generated: `cargo xtask web` writes this file.

export interface User {
  id: string;
  no: number;
  username: string;
  name: string;
  status: string;
  created_at: string;
  last_seen_at?: string | null;
  online: boolean;
}

export interface Me {
  user: User;
  email?: string | null;
  email_verified: boolean;
  show_last_seen: boolean;
}

export interface Device {
  id: string;
  name: string;
  created_at: string;
  last_used_at: string;
  current: boolean;
}

export interface Room {
  id: string;
  no: number;
  name: string;
  kind: string;
  description: string;
  has_password: boolean;
  main_session_id: string;
  member_count: number;
  my_role?: string | null;
  created_at: string;
  archived_at?: string | null;
  people: User[];
  lobby: boolean;
}

export interface Session {
  id: string;
  no: number;
  room_id: string;
  name: string;
  main: boolean;
  created_by?: string | null;
  created_at: string;
  ended_at?: string | null;
  member_count: number;
  head_seq: number;
  head_number: number;
  read_number: number;
  unread: number;
  mentions: number;
}

export interface Member {
  user: User;
  role: string;
  joined_at: string;
  read_number?: number | null;
}

export interface Ban {
  user: User;
  banned_by?: string | null;
  banned_at: string;
  reason: string;
}

export interface Message {
  id: string;
  no: number;
  number: number;
  seq: number;
  session_id: string;
  sender_id: string;
  client_id: string;
  content: string;
  reply_to?: string | null;
  sent_at: string;
  edited_at?: string | null;
  deleted_at?: string | null;
  expires_at?: string | null;
}

export interface Revision {
  content: string;
  written_at: string;
}

export interface Deleted {
  message_id: string;
  number: number;
  by: string;
}

export interface Joined {
  user_id: string;
  by?: string | null;
  username: string;
  name: string;
}

export interface Left {
  user_id: string;
  by?: string | null;
  reason: string;
}

export interface RoleChanged {
  user_id: string;
  role: string;
  by: string;
}

export interface SessionSettings {
  name: string;
  by: string;
}

export interface RoomSettings {
  room_id: string;
  name: string;
  description: string;
  kind: string;
  has_password: boolean;
  archived_at?: string | null;
  by: string;
}

export interface Ended {
  by?: string | null;
}

export interface Added {
  room: Room;
  session: Session;
  by?: string | null;
}

export interface Removed {
  room_id: string;
  session_id: string;
  room: boolean;
  reason: string;
}

export interface DeviceRemoved {
  device_id: string;
}

export interface Event {
  session_id?: string | null;
  seq?: number | null;
  user_seq?: number | null;
  at: string;
  posted?: Message;
  edited?: Message;
  deleted?: Deleted;
  joined?: Joined;
  left?: Left;
  role_changed?: RoleChanged;
  session_settings?: SessionSettings;
  room_settings?: RoomSettings;
  ended?: Ended;
  added?: Added;
  removed?: Removed;
  room_created?: Room;
  device_added?: Device;
  settings?: Me;
  device_removed?: DeviceRemoved;
}

export interface Registered {
  user: User;
  verification_required: boolean;
}

export interface DeviceList {
  devices: Device[];
}

export interface Init {
  me: Me;
  rooms: Room[];
  sessions: Session[];
  epoch: string;
  user_seq: number;
  server_name: string;
}

export interface UserList {
  users: User[];
}

export interface RoomList {
  rooms: Room[];
  next_cursor?: string | null;
}

export interface MemberList {
  members: Member[];
  next_cursor?: string | null;
}

export interface BanList {
  bans: Ban[];
}

export interface SessionList {
  sessions: Session[];
}

export interface MessagePage {
  messages: Message[];
  has_more_before: boolean;
  has_more_after: boolean;
}

export interface RevisionList {
  revisions: Revision[];
}

export interface EventPage {
  events: Event[];
  head: number;
}

export interface UserEventPage {
  events: Event[];
  head: number;
}

export interface ErrorDetail {
  code: string;
  message: string;
  request_id: string;
  retry_after_ms?: number | null;
}

export interface ErrorBody {
  error: ErrorDetail;
}

export interface Hello {
  user_id: string;
  device_id: string;
  epoch: string;
  heartbeat_ms: number;
  user_seq: number;
}

export interface Ok {
  ref: number;
  message_id?: string | null;
  number?: number | null;
  seq?: number | null;
}

export interface TypingNow {
  session_id: string;
  user_ids: string[];
}

export interface Presence {
  session_id: string;
  online: string[];
  offline: string[];
}

export interface ReadMark {
  user_id: string;
  number: number;
}

export interface ReadMarks {
  session_id: string;
  marks: ReadMark[];
}

export interface Error {
  ref?: number | null;
  code: string;
  message: string;
  retry_after_ms?: number | null;
}

export interface Reconnect {
  after_ms: number;
}

export type ServerFrame =
  | ({ type: 'hello' } & Hello)
  | ({ type: 'ok' } & Ok)
  | ({ type: 'event' } & Event)
  | ({ type: 'typing' } & TypingNow)
  | ({ type: 'presence' } & Presence)
  | ({ type: 'read' } & ReadMarks)
  | ({ type: 'error' } & Error)
  | ({ type: 'reconnect' } & Reconnect);

export interface Subscribe {
  ref: number;
  session_id: string;
  after?: number | null;
  user_log: boolean;
  epoch?: string | null;
}

export interface Unsubscribe {
  ref: number;
  session_id: string;
}

export interface Ping {
  ref: number;
}

export interface Typing {
  session_id: string;
}

export type ClientFrame =
  | ({ type: 'subscribe' } & Subscribe)
  | ({ type: 'unsubscribe' } & Unsubscribe)
  | ({ type: 'typing' } & Typing)
  | ({ type: 'ping' } & Ping);
