import { useStore } from 'zustand';
import { createStore } from 'zustand/vanilla';
import type { LinkState } from '../net/socket';
import type { Item } from '../outbox/outbox';
import { EMPTY, type State } from './state';

/** Everything the server told, in one place outside React. */
export const store = createStore<State>(() => EMPTY);

export function useParlor<T>(select: (state: State) => T): T {
  return useStore(store, select);
}

export function update(change: (state: State) => State): void {
  store.setState(change, true);
}

/** Whether somebody is signed in here. */
export type Gate = 'loading' | 'unreachable' | 'out' | 'in';

interface Around {
  gate: Gate;
  link: LinkState;
  outbox: Item[];
  toast: Toast | null;
}

/** A passing word, with something to do about it perhaps. */
interface Toast {
  id: number;
  text: string;
  bad: boolean;
  action?: { label: string; act: () => void };
}

/** What surrounds the conversation: sign-in, connection, outbox, a passing word. */
export const around = createStore<Around>(() => ({
  gate: 'loading',
  link: { at: 'connecting' },
  outbox: [],
  toast: null,
}));

export function useAround<T>(select: (state: Around) => T): T {
  return useStore(around, select);
}

let toasts = 0;

export function say(text: string, bad = false, action?: Toast['action']): void {
  around.setState({ toast: { id: ++toasts, text, bad, ...(action ? { action } : {}) } });
}

export function unsay(): void {
  around.setState({ toast: null });
}
