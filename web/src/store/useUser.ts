import { useEffect, useState } from 'react';
import { users as usersApi } from '../net/api';
import type { User } from '../wire';
import { loadUser } from './actions';
import { update, useParlor } from './store';

/** A person who wrote in a session; asked for when they are not, or no longer, among its people. */
export function useUser(id: string | undefined, sessionId: string): User | undefined {
  const user = useParlor((state) => (id ? state.users[id] : undefined));
  const missing = useParlor((state) => Boolean(id && state.seats[sessionId] && !state.users[id]));
  useEffect(() => {
    if (id && missing) loadUser(id);
  }, [id, missing]);
  return user;
}

const TYPING_MS = 150;

/** Asks for people by name while one types, for those that are not known yet; counts the answers. */
export function useFindPeople(text: string): number {
  const [answers, setAnswers] = useState(0);
  const wanted = text.trim();
  useEffect(() => {
    if (!wanted) return;
    const timer = setTimeout(async () => {
      const list = await usersApi.find(wanted).catch(() => ({ users: [] }));
      update((state) => {
        const known = { ...state.users };
        for (const user of list.users) known[user.id] ??= user;
        return { ...state, users: known };
      });
      setAnswers((held) => held + 1);
    }, TYPING_MS);
    return () => clearTimeout(timer);
  }, [wanted]);
  return answers;
}
