import { useSyncExternalStore } from 'react';

const BASE = '/app';

export type Route =
  | { at: 'home' }
  | { at: 'login' | 'register' | 'forgot' }
  | { at: 'verify' | 'reset'; email: string; code: string }
  | { at: 'browse' | 'threads' }
  | { at: 'search'; text: string }
  | { at: 'settings'; page: string }
  | { at: 'room'; room: string; session: string | null; message: number | null }
  | { at: 'room-settings'; room: string }
  | { at: 'nowhere' };

export const paths = {
  home: '/',
  login: '/login',
  register: '/register',
  forgot: '/forgot',
  verify: (email: string) => `/verify?email=${encodeURIComponent(email)}`,
  reset: (email: string) => `/reset?email=${encodeURIComponent(email)}`,
  browse: '/browse',
  threads: '/threads',
  search: (text = '') => (text ? `/search?q=${encodeURIComponent(text)}` : '/search'),
  settings: (page = 'profile') => `/settings/${page}`,
  room: (room: string) => `/r/${room}`,
  session: (room: string, session: string) => `/r/${room}/s/${session}`,
  message: (room: string, session: string, number: number) => `/r/${room}/s/${session}/m/${number}`,
  roomSettings: (room: string) => `/r/${room}/settings`,
};

export function parseRoute(path: string, search: string): Route {
  const parts = path.split('/').filter(Boolean);
  const query = new URLSearchParams(search);
  const [first, second, third, fourth, fifth, sixth] = parts;
  switch (first) {
    case undefined: return { at: 'home' };
    case 'login': case 'register': case 'forgot': return { at: first };
    case 'verify': case 'reset':
      return { at: first, email: query.get('email') ?? '', code: query.get('code') ?? '' };
    case 'browse': case 'threads': return { at: first };
    case 'search': return { at: 'search', text: query.get('q') ?? '' };
    case 'settings': return { at: 'settings', page: second ?? '' };
    case 'r': {
      if (!second) return { at: 'nowhere' };
      if (third === 'settings') return { at: 'room-settings', room: second };
      const number = fifth === 'm' ? Number(sixth) : NaN;
      const message = Number.isInteger(number) ? number : null;
      return { at: 'room', room: second, session: third === 's' ? (fourth ?? null) : null, message };
    }
    default: return { at: 'nowhere' };
  }
}

const listeners = new Set<() => void>();
let current = read();

function read(): Route {
  const path = location.pathname.startsWith(BASE) ? location.pathname.slice(BASE.length) : location.pathname;
  return parseRoute(path, location.search);
}

function refresh(): void {
  current = read();
  listeners.forEach((listener) => listener());
}

window.addEventListener('popstate', refresh);

export function navigate(path: string, replace = false): void {
  if (BASE + path === location.pathname + location.search) return;
  history[replace ? 'replaceState' : 'pushState'](null, '', BASE + path);
  refresh();
}

export function href(path: string): string {
  return BASE + path;
}

export function route(): Route {
  return current;
}

export function useRoute(): Route {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => current,
  );
}
