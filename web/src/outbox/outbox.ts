import { backoff } from '../net/backoff';
import { ApiError, isPassing } from '../net/http';
import type { SealedFile } from '../e2ee/types';
import type { Message } from '../wire';

/** A message on its way. It stays on the shelf until the server has it, or somebody discards it. */
export interface Item {
  client_id: string;
  user_id: string;
  session_id: string;
  content: string;
  reply_to?: string;
  /** What goes with it: the server has it already. */
  files?: { id: string; name: string; sealed?: SealedFile }[];
  thread_id?: string;
  forward?: string;
  /** For how many seconds it lives, where that is less than what is said there does. */
  ttl_s?: number;
  /** The words that are passed on, to be seen meanwhile. */
  shows?: string;
  made_at: number;
  state: 'queued' | 'failed' | 'sent';
  reason?: string;
}

export type Draft = Pick<Item, 'client_id' | 'session_id' | 'content' | 'reply_to' | 'thread_id' | 'forward' | 'ttl_s' | 'shows' | 'files'>;

/** Where items outlive the page. */
export interface Shelf {
  all(): Promise<Item[]>;
  has(id: string): Promise<boolean>;
  put(item: Item): Promise<void>;
  remove(id: string): Promise<void>;
}

export interface OutboxOwner {
  shelf: Shelf;
  post(item: Item): Promise<Message>;
  /** Runs one at a time over all windows of this browser. */
  alone(work: () => Promise<void>): Promise<void>;
  /** The items changed: redraw, and tell the other windows. */
  changed(items: Item[], tellOthers: boolean): void;
  stored(message: Message): void;
  later(ms: number, work: () => void): void;
}

/** Sends what was written, exactly once and in order per session, however often the page reloads. */
export class Outbox {
  private items = new Map<string, Item>();
  private running = false;
  private again = false;
  private attempt = 0;
  private lastMade = 0;

  constructor(
    private readonly owner: OutboxOwner,
    private readonly userId: string,
  ) {}

  /** Takes up what an earlier page, or another window, left on the shelf. */
  async load(): Promise<void> {
    const shelved = (await this.owner.shelf.all()).filter((item) => item.user_id === this.userId);
    const sent = [...this.items.values()].filter((item) => item.state === 'sent');
    this.items = new Map([...sent, ...shelved.sort(byAge)].map((item) => [item.client_id, item]));
    this.tell(false);
  }

  async add(draft: Draft): Promise<void> {
    this.lastMade = Math.max(Date.now(), this.lastMade + 1);
    const item: Item = { ...draft, user_id: this.userId, made_at: this.lastMade, state: 'queued' };
    this.items.set(item.client_id, item);
    this.tell(false);
    await this.owner.shelf.put(item);
    this.tell(true);
    await this.flush();
  }

  async retry(id: string): Promise<void> {
    const item = this.items.get(id);
    if (!item) return;
    await this.keep({ ...item, state: 'queued', reason: undefined });
    this.attempt = 0;
    await this.flush();
  }

  async discard(id: string): Promise<void> {
    this.items.delete(id);
    this.tell(false);
    await this.owner.shelf.remove(id);
    this.tell(true);
  }

  /** Throws away what waits, or what waits in one session. */
  async clear(session?: string): Promise<void> {
    for (const { client_id, session_id } of this.items.values()) if (!session || session_id === session) await this.discard(client_id);
  }

  /** The message was seen in its session, so its row here is no longer needed. */
  seen(id: string): void {
    const item = this.items.get(id);
    if (item?.state !== 'sent') return;
    this.items.delete(id);
    this.tell(false);
  }

  /** The connection is back: whatever waits may go at once. */
  wake(): void {
    this.attempt = 0;
    void this.flush();
  }

  async flush(): Promise<void> {
    if (this.running) {
      this.again = true;
      return;
    }
    this.running = true;
    try {
      do {
        this.again = false;
        await this.owner.alone(() => this.drain());
      } while (this.again);
    } finally {
      this.running = false;
    }
  }

  private async drain(): Promise<void> {
    const waiting = (await this.owner.shelf.all())
      .filter((item) => item.user_id === this.userId && item.state === 'queued')
      .sort(byAge);
    const sessions = new Map<string, Item[]>();
    for (const item of waiting) {
      sessions.set(item.session_id, [...(sessions.get(item.session_id) ?? []), item]);
    }
    await Promise.all([...sessions.values()].map((items) => this.deliver(items)));
  }

  private async deliver(items: Item[]): Promise<void> {
    for (const item of items) {
      // Discarded meanwhile, perhaps in another window.
      if (!(await this.owner.shelf.has(item.client_id))) continue;
      try {
        await this.landed(item, await this.owner.post(item));
      } catch (error) {
        if (await this.refused(item, error)) return;
      }
    }
  }

  private async landed(item: Item, message: Message): Promise<void> {
    this.attempt = 0;
    this.items.set(item.client_id, { ...item, state: 'sent' });
    this.owner.stored(message);
    await this.owner.shelf.remove(item.client_id);
    this.tell(true);
  }

  /** Whether the rest of the session has to wait. */
  private async refused(item: Item, error: unknown): Promise<boolean> {
    if (isPassing(error)) {
      const wait = error instanceof ApiError ? error.retryAfterMs : undefined;
      this.owner.later(wait ?? backoff(this.attempt++), () => void this.flush());
      return true;
    }
    if (error instanceof ApiError && error.code === 'unauthorized') return true;
    await this.keep({ ...item, state: 'failed', reason: error instanceof Error ? error.message : '' });
    return false;
  }

  private async keep(item: Item): Promise<void> {
    this.items.set(item.client_id, item);
    await this.owner.shelf.put(item);
    this.tell(true);
  }

  private tell(others: boolean): void {
    this.owner.changed([...this.items.values()], others);
  }
}

function byAge(a: Item, b: Item): number {
  return a.made_at - b.made_at;
}
