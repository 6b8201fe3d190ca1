import { useEffect, useState } from 'react';
import { call } from '../net/http';
import type { MediaTicket } from '../wire';

/** What files are fetched with: it proves who asks, where no cookie is looked at. It lasts for minutes. */
let held: MediaTicket | null = null;
let asked: Promise<MediaTicket> | null = null;

const LEFT_MS = 30_000;

/** A ticket that is good for a while yet. */
export async function freshTicket(renew = false): Promise<string> {
  if (!renew && held && Date.parse(held.expires_at) - Date.now() > LEFT_MS) return held.ticket;
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

/** The ticket that something is shown with, and a way to ask for another when it is refused, once. */
export function useTicket(): { ticket: string | null; refused: () => void } {
  const [ticket, setTicket] = useState<string | null>(null);
  const [tries, setTries] = useState(0);
  useEffect(() => {
    let stale = false;
    freshTicket(tries > 0).then((fresh) => !stale && setTicket(fresh), () => {});
    return () => {
      stale = true;
    };
  }, [tries]);
  return { ticket, refused: () => setTries((held) => Math.min(1, held + 1)) };
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
