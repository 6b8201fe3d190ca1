import { useEffect, useState } from 'react';

/** A timer takes no longer span than this. */
const NAP_MAX_MS = 2_000_000_000;

/** Whether a moment, in milliseconds since 1970, is over: it is drawn anew when it comes. */
export function usePast(moment: number): boolean {
  const [now, setNow] = useState(Date.now);
  const past = moment <= Math.max(now, Date.now());
  useEffect(() => {
    if (past || moment === Infinity) return;
    const nap = setTimeout(() => setNow(Date.now()), Math.min(moment - Date.now(), NAP_MAX_MS));
    return () => clearTimeout(nap);
  }, [moment, past, now]);
  return past;
}
