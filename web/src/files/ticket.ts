import { useEffect, useRef, useState } from 'react';
import { call } from '../net/http';
import type { MediaTicket } from '../wire';

/** What files are fetched with: it proves who asks, where no cookie is looked at. It lasts for minutes. */
let held: MediaTicket | null = null;
let asked: Promise<MediaTicket> | null = null;

const LEFT_MS = 30_000;

/** The ticket at hand, when it is good for a while yet. */
function ticketNow(): string | null {
  return held && Date.parse(held.expires_at) - Date.now() > LEFT_MS ? held.ticket : null;
}

/** A ticket that is good for a while yet. */
export async function freshTicket(renew = false): Promise<string> {
  const now = renew ? null : ticketNow();
  if (now) return now;
  asked ??= call<MediaTicket>('POST', '/media-ticket').finally(() => {
    asked = null;
  });
  held = await asked;
  return held.ticket;
}

/** Somebody else may sign in: this ticket is not theirs. */
export function dropTicket(): void {
  held = null;
}

const REFUSED_MS = 30_000;

/**
 * The ticket that something is shown with, and what to do when it is refused: another one is asked for, but
 * not again and again. `refused` says whether it is.
 */
export function useTicket(): { ticket: string | null; refused: () => boolean } {
  const [ticket, setTicket] = useState(ticketNow);
  const [tries, setTries] = useState(0);
  const renewedAt = useRef(-Infinity);
  useEffect(() => {
    let stale = false;
    freshTicket(tries > 0).then((fresh) => !stale && setTicket(fresh), () => {});
    return () => {
      stale = true;
    };
  }, [tries]);
  const refused = () => {
    if (performance.now() - renewedAt.current < REFUSED_MS) return false;
    renewedAt.current = performance.now();
    setTries(tries + 1);
    return true;
  };
  return { ticket, refused };
}

export function fileUrl(id: string, name: string, ticket: string): string {
  return `/media/${id}/${encodeURIComponent(name)}?ticket=${encodeURIComponent(ticket)}`;
}

export function thumbnailUrl(id: string, ticket: string): string {
  return `/media/${id}/thumbnail?ticket=${encodeURIComponent(ticket)}`;
}

/** Lets the browser keep a file under its name. */
export async function download(id: string, name: string): Promise<void> {
  const link = document.createElement('a');
  link.href = fileUrl(id, name, await freshTicket());
  link.download = name;
  link.rel = 'noopener';
  link.click();
}
