import { useStore } from 'zustand';
import { createStore } from 'zustand/vanilla';

/** The emoji one used last, and one's skin tone: kept in this browser. */
interface Taste {
  recent: string[];
  tone: number;
}

const KEY = 'parlor.emoji';
const RECENT_MAX = 27;
/** What is offered before somebody has used any. */
const FIRST = ['👍', '❤️', '😂', '🎉', '😮', '😢', '🙏', '👀', '🔥'];

function load(): Taste {
  try {
    const { recent, tone } = JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Taste>;
    const known = Array.isArray(recent) ? recent.filter((one) => typeof one === 'string' && one.length <= 40).slice(0, RECENT_MAX) : [];
    return { recent: known, tone: Number.isInteger(tone) && tone! >= 0 && tone! <= 5 ? tone! : 0 };
  } catch {
    return { recent: [], tone: 0 };
  }
}

const taste = createStore<Taste>(load);

export function useTaste<T>(select: (state: Taste) => T): T {
  return useStore(taste, select);
}

function keep(change: Partial<Taste>): void {
  taste.setState(change);
  localStorage.setItem(KEY, JSON.stringify(taste.getState()));
}

export function used(emoji: string): void {
  keep({ recent: [emoji, ...taste.getState().recent.filter((one) => one !== emoji)].slice(0, RECENT_MAX) });
}

export function setTone(tone: number): void {
  keep({ tone });
}

export function toneNow(): number {
  return taste.getState().tone;
}

/** The last ones used, filled up with what people use most. */
export function quick(recent: string[], count: number): string[] {
  return [...new Set([...recent, ...FIRST])].slice(0, count);
}
