import type { ClientFrame, ServerFrame } from '../wire';
import { backoff } from './backoff';

export type LinkState =
  | { at: 'connecting' }
  | { at: 'open' }
  | { at: 'waiting'; until: number }
  | { at: 'off' };

/** What to do after the server closed the socket with this code. */
export type AfterClose = 'retry' | 'reload' | 'stop';

export interface LinkOwner {
  frame(frame: ServerFrame): void;
  state(state: LinkState): void;
  ended(reason: Exclude<AfterClose, 'retry'>): void;
}

const SIGNED_OUT = [4001, 4003, 4010];
const RESUME_IMPOSSIBLE = 4009;
const ANSWER_MS = 10_000;
const STEADY_MS = 5_000;

export function afterClose(code: number): AfterClose {
  if (SIGNED_OUT.includes(code)) return 'stop';
  return code === RESUME_IMPOSSIBLE ? 'reload' : 'retry';
}

/** One socket to the server, kept alive: it reconnects by itself until it is stopped. */
export class Link {
  private socket: WebSocket | null = null;
  private attempt = 0;
  private ref = 0;
  private retryTimer = 0;
  private pingTimer = 0;
  private silenceTimer = 0;
  private steadyTimer = 0;
  private drainMs = 0;
  private stopped = false;

  constructor(private readonly owner: LinkOwner) {}

  start(): void {
    window.addEventListener('online', this.now);
    window.addEventListener('offline', this.lost);
    document.addEventListener('visibilitychange', this.seen);
    this.open();
  }

  stop(): void {
    this.stopped = true;
    window.removeEventListener('online', this.now);
    window.removeEventListener('offline', this.lost);
    document.removeEventListener('visibilitychange', this.seen);
    this.drop();
    this.owner.state({ at: 'off' });
  }

  nextRef(): number {
    return ++this.ref;
  }

  send(frame: ClientFrame): boolean {
    if (this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(frame));
    return true;
  }

  /** Tries again at once, whatever the countdown says. */
  readonly now = (): void => {
    if (this.stopped || this.socket) return;
    this.open();
  };

  private readonly lost = (): void => {
    if (this.stopped || !this.socket) return;
    this.drop();
    this.wait();
  };

  private readonly seen = (): void => {
    if (document.visibilityState === 'visible') this.now();
  };

  private open(): void {
    clearTimeout(this.retryTimer);
    this.owner.state({ at: 'connecting' });
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    const socket = new WebSocket(`${scheme}://${location.host}/api/v1/socket`, 'parlor.v1.json');
    this.socket = socket;
    this.expectWithin(ANSWER_MS);
    socket.onmessage = (message) => this.heard(JSON.parse(String(message.data)) as ServerFrame);
    socket.onclose = (close) => this.closed(close.code);
  }

  private heard(frame: ServerFrame): void {
    clearTimeout(this.silenceTimer);
    if (frame.type === 'hello') {
      // A server that greets and hangs up at once is not back yet.
      this.steadyTimer = window.setTimeout(() => { this.attempt = 0; }, STEADY_MS);
      this.beat(frame.heartbeat_ms);
      this.owner.state({ at: 'open' });
    }
    if (frame.type === 'reconnect') this.drainMs = frame.after_ms;
    this.owner.frame(frame);
  }

  /** Browsers do not show the server's pings, so this end asks as well. */
  private beat(everyMs: number): void {
    clearInterval(this.pingTimer);
    this.pingTimer = window.setInterval(() => {
      this.send({ type: 'ping', ref: this.nextRef() });
      this.expectWithin(ANSWER_MS);
    }, Math.max(5_000, everyMs));
  }

  private expectWithin(ms: number): void {
    clearTimeout(this.silenceTimer);
    this.silenceTimer = window.setTimeout(this.lost, ms);
  }

  private closed(code: number): void {
    this.drop();
    const next = afterClose(code);
    if (next === 'retry') this.wait();
    else this.owner.ended(next);
  }

  private wait(): void {
    const delay = this.drainMs ? this.drainMs + backoff(0) : backoff(this.attempt++);
    this.drainMs = 0;
    this.owner.state({ at: 'waiting', until: Date.now() + delay });
    clearTimeout(this.retryTimer);
    this.retryTimer = window.setTimeout(this.now, delay);
  }

  private drop(): void {
    clearInterval(this.pingTimer);
    clearTimeout(this.silenceTimer);
    clearTimeout(this.retryTimer);
    clearTimeout(this.steadyTimer);
    if (!this.socket) return;
    this.socket.onmessage = null;
    this.socket.onclose = null;
    this.socket.close();
    this.socket = null;
  }
}
