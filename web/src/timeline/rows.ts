import { dayNumber } from '../shell/when';
import type { Item } from '../outbox/outbox';
import { isLine } from '../store/sealed';
import type { Log, Notice } from '../store/state';
import type { Message } from '../wire';

/** One line of the timeline. `day` and `fresh` stand above it. */
export interface RowBase {
  key: string;
  day: string | null;
  fresh: boolean;
}

export type Row = RowBase &
  (
    | { kind: 'intro' }
    | { kind: 'message'; message: Message; head: boolean }
    | { kind: 'pending'; item: Item; head: boolean }
    | { kind: 'notices'; notices: Notice[] }
  );

const GROUP_MS = 5 * 60_000;

interface Last {
  sender: string;
  at: number;
  day: number;
}

/** What the timeline shows: messages grouped by person and day, then what is still on its way. */
export function buildRows(log: Log, pending: Item[], marker: number | null, mine: string): Row[] {
  const rows: Row[] = [];
  const last: Last = { sender: '', at: 0, day: -1 };
  const notices = log.notices.slice();
  let marked = marker === null;
  if (!log.hasBefore) rows.push({ kind: 'intro', key: 'intro', day: null, fresh: false });
  for (const message of log.messages) {
    if (!isLine(message)) continue;
    addNotices(rows, notices, message.number, last, log);
    const fresh = !marked && message.number > marker!;
    if (fresh) marked = true;
    const at = Date.parse(message.sent_at);
    const day = newDay(last, at, message.sent_at);
    const head = fresh || day !== null || last.sender !== message.sender_id || at - last.at > GROUP_MS || Boolean(message.reply_to);
    rows.push({ kind: 'message', key: message.client_id || message.id, message, head, day, fresh });
    last.sender = message.sender_id;
    last.at = at;
  }
  if (log.hasAfter) return rows;
  addNotices(rows, notices, Infinity, last, log);
  for (const item of pending) {
    const sent = new Date(item.made_at).toISOString();
    const day = newDay(last, item.made_at, sent);
    const head = day !== null || last.sender !== mine || item.made_at - last.at > GROUP_MS || Boolean(item.reply_to);
    rows.push({ kind: 'pending', key: item.client_id, item, head, day, fresh: false });
    last.sender = mine;
    last.at = item.made_at;
  }
  return rows;
}

/** Puts the notices that belong before message `number`, as one quiet line. */
function addNotices(rows: Row[], notices: Notice[], number: number, last: Last, log: Log): void {
  const due: Notice[] = [];
  while (notices.length && notices[0]!.after < number) due.push(notices.shift()!);
  const first = log.messages[0]?.number ?? 0;
  const shown = due.filter((notice) => notice.after >= first - 1 || !log.hasBefore);
  if (!shown.length) return;
  rows.push({ kind: 'notices', key: `n${shown[0]!.seq}`, notices: shown, day: newDay(last, Date.parse(shown[0]!.at), shown[0]!.at), fresh: false });
  last.sender = '';
}

function newDay(last: Last, at: number, text: string): string | null {
  const day = dayNumber(at);
  if (day === last.day) return null;
  last.day = day;
  return text;
}

/** What is still on its way in a session and not yet in its window. */
export function pendingOf(outbox: Item[], sessionId: string, log: Log): Item[] {
  const waiting = outbox.filter((item) => item.session_id === sessionId && !item.thread_id);
  if (!waiting.length) return waiting;
  const stored = new Set(log.messages.slice(-STORED_LOOK).map((message) => message.client_id));
  return waiting.filter((item) => !stored.has(item.client_id));
}

/** What is still on its way in a thread. */
export function pendingReplies(outbox: Item[], threadId: string, replies: Message[]): Item[] {
  const stored = new Set(replies.map((message) => message.client_id));
  return outbox.filter((item) => item.thread_id === threadId && !stored.has(item.client_id));
}

const STORED_LOOK = 300;
