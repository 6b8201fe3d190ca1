import { useEffect, useMemo } from 'react';
import { loadSeats } from '../store/actions';
import { nameOf } from '../store/select';
import { useParlor } from '../store/store';
import type { Room, User } from '../wire';

/** Everybody in the room, by name; asked for when not known yet. */
export function useRoomPeople(room: Room): User[] {
  const seats = useParlor((state) => state.seats[room.main_session_id]);
  const users = useParlor((state) => state.users);
  useEffect(() => {
    if (!seats) void loadSeats(room.main_session_id).catch(() => {});
  }, [seats, room.main_session_id]);
  return useMemo(() => {
    const people = Object.keys(seats ?? {}).map((id) => users[id]).filter((user) => user !== undefined);
    return people.sort((a, b) => nameOf(a).localeCompare(nameOf(b)));
  }, [seats, users]);
}
