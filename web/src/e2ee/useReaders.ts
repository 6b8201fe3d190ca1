import { useEffect, useState } from 'react';
import { membershipOf, useSealing } from '../store/sealed';
import type { Session } from '../wire';
import { keys } from './page';
import type { Reader } from './types';

const held = new Map<string, Reader[]>();

/** Who can read a session and by what; asked again when somebody comes or goes, or a device does. */
export function useReaders(session: Session): Reader[] | null {
  const version = useSealing((state) => state.version);
  const ready = useSealing((state) => state.at === 'ready');
  const membership = membershipOf(session);
  const [readers, setReaders] = useState<Reader[] | null>(held.get(session.id) ?? null);
  useEffect(() => {
    if (!ready) return;
    let stale = false;
    const ask = async () => {
      const found = await keys().call('readers', session.id, membership);
      held.set(session.id, found);
      if (!stale) setReaders(found);
    };
    ask().catch(() => {});
    return () => {
      stale = true;
    };
  }, [session.id, membership, session.member_count, version, ready]);
  return readers;
}
