import { useEffect } from 'react';
import type { User } from '../wire';
import { loadUser } from './actions';
import { useParlor } from './store';

/** A person who wrote in a session; asked for when they are not, or no longer, among its people. */
export function useUser(id: string | undefined, sessionId: string): User | undefined {
  const user = useParlor((state) => (id ? state.users[id] : undefined));
  const missing = useParlor((state) => Boolean(id && state.seats[sessionId] && !state.users[id]));
  useEffect(() => {
    if (id && missing) loadUser(id);
  }, [id, missing]);
  return user;
}
