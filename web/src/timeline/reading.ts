import { isLine } from '../store/sealed';
import type { Log, Seat } from '../store/state';

type Seats = Record<string, Seat> | undefined;

/** More faces than this say nothing. */
const SEATS_MAX = 20;

/** Who has read up to which message of the window; ids joined by spaces. Writers do not count on their own words. */
export function readersByNumber(seats: Seats, log: Log, me: string): Map<number, string> {
  const readers = new Map<number, string>();
  const first = log.messages[0]?.number;
  const last = log.messages.at(-1)?.number;
  const entries = Object.entries(seats ?? {});
  if (first === undefined || last === undefined || entries.length > SEATS_MAX) return readers;
  for (const [id, { readNumber }] of entries) {
    if (id === me || readNumber === null || readNumber < first || (readNumber > last && log.hasAfter)) continue;
    const number = shownAt(log, Math.min(readNumber, last) - first);
    if (number === null || log.messages[number - first]?.sender_id === id) continue;
    readers.set(number, readers.has(number) ? `${readers.get(number)} ${id}` : id);
  }
  return readers;
}

/** The number of the last message of the timeline at `index` or before: replies in threads, for one, are not in it. */
function shownAt(log: Log, index: number): number | null {
  let at = index;
  while (at >= 0 && !isLine(log.messages[at]!)) at -= 1;
  return log.messages[at]?.number ?? null;
}

/** One's own newest message, while nobody else has read it. */
export function storedMarkOf(log: Log, seats: Seats, me: string): string | null {
  if (log.hasAfter) return null;
  const own = log.messages.findLast((message) => message.sender_id === me && isLine(message));
  if (!own || own.deleted_at) return null;
  const seen = Object.entries(seats ?? {}).some(([id, seat]) => id !== me && (seat.readNumber ?? 0) >= own.number);
  return seen ? null : own.id;
}
