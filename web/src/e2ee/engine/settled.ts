import type { Encrypted } from '../../wire';
import { messageIndex } from './megolm';

/** How a session is encrypted. */
export interface Settings {
  /** How long a key is used, and for how many messages. */
  period_ms: number;
  messages: number;
  /** Whether those only are given keys whom one has compared emoji with. */
  verified_only: boolean;
}

/** What the last send in a session has made sure of, so that the next one need not look at everybody again. */
export interface Settled {
  users: string[];
  settings: Settings;
  /** How often anything had changed about anybody by then, and when that was. */
  stirs: number;
  looked: number;
  /** When the key was made; null when nobody noted it. */
  began: number | null;
  /** For how many messages it was used. */
  uses: number;
}

export interface Next {
  users: string[];
  settings: Settings;
  stirs: number;
  /** Since the page was opened, and since 1970, in milliseconds. */
  now: number;
  time: number;
}

/** A device that could not be given the key gets another chance then. */
const LOOK_AGAIN_MS = 60_000;
/** The library uses a key for an hour at least. */
const PERIOD_MIN_MS = 60 * 60 * 1000;
/** It seals nothing by a key whose time has come, and breaks when it is asked to: near the end it looks itself. */
const SLACK_MS = 10 * 60 * 1000;

/** Whether the next message may be sealed by the same key without another look. When it is not known, it may not. */
export function holds(settled: Settled, next: Next): boolean {
  const { began, settings, users } = settled;
  const age = began === null ? -1 : next.time - began;
  return settled.stirs === next.stirs
    && settled.uses < settings.messages
    && age >= 0 && age < Math.max(settings.period_ms, PERIOD_MIN_MS) - SLACK_MS
    && next.now - settled.looked < LOOK_AGAIN_MS
    && isSame(settings, next.settings)
    && users.length === next.users.length && users.every((user, at) => user === next.users[at]);
}

function isSame(a: Settings, b: Settings): boolean {
  return a.period_ms === b.period_ms && a.messages === b.messages && a.verified_only === b.verified_only;
}

/** Where the beginnings of this device's keys outlive the page. */
export interface Beginnings {
  began(key: string, time: number): Promise<void>;
  beginning(key: string): Promise<number | null>;
}

/** What every session's last send has made sure of. */
export class Sessions {
  private readonly held = new Map<string, Settled>();

  constructor(private readonly beginnings: Beginnings) {}

  /** Takes what holds still; null when everybody is to be looked at. */
  take(session: string, next: Next): Settled | null {
    const settled = this.held.get(session);
    this.held.delete(session);
    return settled && holds(settled, next) ? settled : null;
  }

  drop(session: string): void {
    this.held.delete(session);
  }

  /** Keeps it for the next send, after one more message. */
  async keep(session: string, settled: Settled, sealed: Encrypted, time: number): Promise<void> {
    const index = messageIndex(sealed.ciphertext);
    if (index === null) return;
    if (index === 0) await this.beginnings.began(sealed.session_id, time);
    const began = settled.began ?? (await this.beginnings.beginning(sealed.session_id));
    this.held.set(session, { ...settled, began, uses: index + 1 });
  }
}
