import { lazy, Suspense } from 'react';
import { useStore } from 'zustand';
import { createStore } from 'zustand/vanilla';

interface Asked {
  /** Beside what it opens. */
  anchor: HTMLElement;
  choose: (emoji: string) => void;
  /** What gets the focus back; absent: the anchor. */
  back: HTMLElement;
}

const picker = createStore<{ asked: Asked | null }>(() => ({ asked: null }));

const Picker = lazy(() => import('./Picker'));

/** Lets somebody choose an emoji. At most one picker is open. */
export function pickEmoji(anchor: HTMLElement, choose: (emoji: string) => void, back = anchor): void {
  picker.setState({ asked: { anchor, choose, back } });
}

export function closePicker(): void {
  picker.setState({ asked: null });
}

export function PickerHost() {
  const asked = useStore(picker, (state) => state.asked);
  return asked && <Suspense><Picker {...asked} /></Suspense>;
}
