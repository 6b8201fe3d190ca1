import type { Init, MessagePage, Session } from '../wire';
import { believedPage } from './believed';

/** The newest messages of some sessions, as they came with the first screen. */
let first = new Map<string, { seq: number; page: MessagePage }>();

export function keepFirst({ newest, sessions }: Init): void {
  const heads = new Map(sessions.map(({ id, head_seq }) => [id, head_seq]));
  first = new Map(newest.map(({ session_id, messages, has_more_before }) => {
    const page = { messages, has_more_before, has_more_after: false };
    return [session_id, { seq: heads.get(session_id) ?? -1, page }];
  }));
}

export function dropFirst(): void {
  first = new Map();
}

/** A session's first page, where it came already: nothing has happened since, and it shows the oldest unread message. */
export function takeFirst({ id, read_number }: Session, seq: number): MessagePage | null {
  const held = first.get(id);
  first.delete(id);
  if (!held || held.seq !== seq) return null;
  const { messages, has_more_before } = held.page;
  return has_more_before && (messages[0]?.number ?? 0) > read_number + 1 ? null : believedPage(id, held.page);
}
