import { createStore } from 'zustand/vanilla';

/** What a screen reader is told, besides what has the focus. */
export const live = createStore<{ polite: string; urgent: string }>(() => ({ polite: '', urgent: '' }));

const WINDOW_MS = 2_000;
let lastAt = 0;
let waiting: string[] = [];
let timer = 0;

/** Says it politely; more than one in two seconds become `summary`. */
export function announce(text: string, summary: (count: number) => string): void {
  waiting.push(text);
  const wait = Math.max(0, lastAt + WINDOW_MS - Date.now());
  clearTimeout(timer);
  timer = window.setTimeout(() => {
    lastAt = Date.now();
    live.setState({ polite: waiting.length === 1 ? waiting[0]! : summary(waiting.length) });
    waiting = [];
  }, wait);
}

export function alertOnce(text: string): void {
  if (live.getState().urgent !== text) live.setState({ urgent: text });
}
