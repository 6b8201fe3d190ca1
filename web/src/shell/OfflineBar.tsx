import { useEffect, useState } from 'react';
import { useAround } from '../store/store';
import { sync } from '../store/sync';
import { strings } from '../strings';
import { alertOnce } from '../ui/live';

/** Seconds until a moment, counted down; null when there is none. */
export function useCountdown(until: number | null): number | null {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (until === null) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 250);
    return () => clearInterval(timer);
  }, [until]);
  return until === null ? null : Math.max(0, Math.ceil((until - now) / 1_000));
}

const PATIENCE_MS = 1_200;

/** A thin line while there is no connection. A short drop does not show at all. */
export function OfflineBar() {
  const link = useAround((state) => state.link);
  const open = link.at === 'open' || link.at === 'off';
  const [late, setLate] = useState(false);
  const seconds = useCountdown(link.at === 'waiting' ? link.until : null);
  useEffect(() => {
    if (open) {
      setLate(false);
      alertOnce('');
      return;
    }
    const timer = setTimeout(() => {
      setLate(true);
      alertOnce(strings.notConnected);
    }, PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [open]);
  if (open || !late) return null;
  return (
    <section className="offline" aria-label={strings.connection}>
      <span className="offline-text">
        {strings.notConnected} <span className="tabular">{seconds ? strings.tryingIn(seconds) : `${strings.connecting} …`}</span>
      </span>
      <button type="button" className="offline-retry" onClick={sync.now}>{strings.retryNow}</button>
    </section>
  );
}
