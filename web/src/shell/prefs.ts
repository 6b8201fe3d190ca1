import { useStore } from 'zustand';
import { createStore } from 'zustand/vanilla';

/** How this browser likes it: kept here, never on the server. */
export interface Look {
  theme: 'system' | 'light' | 'dark';
  density: 'roomy' | 'compact';
  singleKeys: boolean;
  panel: boolean;
}

const KEY = 'parlor.look';
const DEFAULT: Look = { theme: 'system', density: 'roomy', singleKeys: true, panel: false };

function load(): Look {
  try {
    return { ...DEFAULT, ...JSON.parse(localStorage.getItem(KEY) ?? '{}') };
  } catch {
    return DEFAULT;
  }
}

export const look = createStore<Look>(load);

export function useLook<T>(select: (state: Look) => T): T {
  return useStore(look, select);
}

export function setLook(change: Partial<Look>): void {
  look.setState(change);
  localStorage.setItem(KEY, JSON.stringify(look.getState()));
  show(look.getState());
}

function show({ theme, density }: Look): void {
  const root = document.documentElement;
  if (theme === 'system') delete root.dataset.theme;
  else root.dataset.theme = theme;
  if (density === 'compact') root.dataset.density = 'compact';
  else delete root.dataset.density;
}

// Another window changed it.
window.addEventListener('storage', (event) => {
  if (event.key !== KEY) return;
  look.setState(load(), true);
  show(look.getState());
});

show(look.getState());

const LAST = 'parlor.last';

/** The path of the room that was open last. */
export function lastPlace(): string | null {
  return localStorage.getItem(LAST);
}

export function rememberPlace(path: string): void {
  localStorage.setItem(LAST, path);
}
