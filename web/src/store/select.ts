import { strings } from '../strings';
import type { Room, Session, User } from '../wire';
import type { State } from './state';

export function nameOf(user: User | undefined): string {
  return user ? user.name || user.username : strings.someone;
}

/** What a room is called: a direct one by the people in it. */
export function roomTitle(room: Room, myId: string | undefined): string {
  if (room.kind !== 'direct') return room.name;
  const others = room.people.filter((person) => person.id !== myId);
  return others.map(nameOf).join(', ') || room.name || strings.you;
}

/** Whose colours a room wears: a direct room's are the other person's. */
export function faceOf(room: Room, myId: string | undefined): string {
  const others = room.kind === 'direct' ? room.people.filter((person) => person.id !== myId) : [];
  return others.length === 1 ? others[0]!.id : room.id;
}

export function sessionTitle(session: Session): string {
  return session.main ? strings.mainSession : session.name;
}

/** The open sessions of a room: the main one first, then by age. */
export function sessionsOf(state: State, roomId: string): Session[] {
  return Object.values(state.sessions)
    .filter((session) => session.room_id === roomId && !session.ended_at)
    .sort((a, b) => Number(b.main) - Number(a.main) || a.created_at.localeCompare(b.created_at));
}

export interface Counts {
  unread: number;
  mentions: number;
}

/** What is new in each room, over all its sessions. */
export function countsByRoom(sessions: State['sessions']): Map<string, Counts> {
  const counts = new Map<string, Counts>();
  for (const { room_id, unread, mentions, ended_at } of Object.values(sessions)) {
    if (ended_at || !(unread || mentions)) continue;
    const sum = counts.get(room_id) ?? { unread: 0, mentions: 0 };
    counts.set(room_id, { unread: sum.unread + unread, mentions: sum.mentions + mentions });
  }
  return counts;
}

const RANK: Record<string, number> = { member: 1, moderator: 2, owner: 3 };

export function rank(role: string | null | undefined): number {
  return RANK[role ?? ''] ?? 0;
}

export interface Rights {
  settings: boolean;
  moderate: boolean;
  invite: boolean;
}

/** What the server will let this person do; it decides again itself. */
export function rightsIn(room: Room): Rights {
  const mine = rank(room.my_role);
  const open = room.kind === 'public' || room.kind === 'unlisted';
  const direct = room.kind === 'direct';
  return {
    settings: mine === 3 && !direct,
    moderate: mine >= 2 && !direct,
    invite: !direct && (mine >= 2 || (mine >= 1 && open && !room.has_password)),
  };
}

/** In a public room's main session only those who keep order pin; elsewhere everybody. */
export function mayPin(room: Room, session: Session): boolean {
  const open = room.kind === 'public' || room.kind === 'unlisted';
  return !room.archived_at && (!open || !session.main || rank(room.my_role) >= 2);
}

export function sortedRooms(state: State): { rooms: Room[]; direct: Room[]; archived: Room[] } {
  const mine = state.me?.user.id;
  const all = Object.values(state.rooms).sort(
    (a, b) => Number(b.lobby) - Number(a.lobby) || roomTitle(a, mine).localeCompare(roomTitle(b, mine)),
  );
  return {
    rooms: all.filter((room) => room.kind !== 'direct' && !room.archived_at),
    direct: all.filter((room) => room.kind === 'direct' && !room.archived_at),
    archived: all.filter((room) => room.archived_at),
  };
}
