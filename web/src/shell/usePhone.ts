import { useSyncExternalStore } from 'react';

const narrow = window.matchMedia('(max-width: 759px)');

export function isPhone(): boolean {
  return narrow.matches;
}

/** Whether there is room for one column only. */
export function usePhone(): boolean {
  return useSyncExternalStore(
    (listener) => {
      narrow.addEventListener('change', listener);
      return () => narrow.removeEventListener('change', listener);
    },
    () => narrow.matches,
  );
}
