import { useEffect, useRef, useState, type CSSProperties } from 'react';
import { fullTime, spanOf } from '../shell/when';
import { strings } from '../strings';
import { Icon } from '../ui/Icon';

const MINUTE_MS = 60_000;

/** How long a message, or a session, is still there, to the second in its last minute. */
export function Countdown({ until, title = strings.decaysAt(fullTime(until)) }: { until: string; title?: string }) {
  const left = Math.max(0, Date.parse(until) - useNow(until));
  const seconds = Math.ceil(left / 1_000);
  return (
    <span className="countdown" title={title}>
      <Icon name="timer" size={14} /><span aria-hidden="true">{spanOf(Math.max(1, seconds), 'narrow')}</span>
    </span>
  );
}

function useNow(until: string): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const left = Date.parse(until) - now;
    if (left <= 0) return;
    const next = setTimeout(() => setNow(Date.now()), left > 2 * MINUTE_MS ? MINUTE_MS / 2 : 1_000);
    return () => clearTimeout(next);
  }, [until, now]);
  return now;
}

/** How a row that is to disappear does so by itself, in the very frame: also in one that is drawn before any code runs. */
export function useFading(until: number): CSSProperties | undefined {
  // The animation begins when there is an end, and goes on when that is put off.
  const began = useRef<number | null>(null);
  began.current = until < Infinity ? (began.current ?? Date.now()) : null;
  return began.current === null ? undefined : { '--left': `${Math.max(0, until - began.current)}ms` } as CSSProperties;
}
