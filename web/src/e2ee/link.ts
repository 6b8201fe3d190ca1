import { ApiError } from '../net/http';
import { startWorker } from '../net/worker';
import workerUrl from './engine.worker?worker&url';
import { channelName, type Answer, type Ask, type Failure, type Method, type Methods, type Said, type Word } from './rpc';

/**
 * The way to the worker that has the keys. The window that holds a lock runs it; when that window goes,
 * the next one takes over, and what was asked is asked again.
 */

interface Waiting {
  ask: Ask;
  tries: number;
  done: (value: unknown) => void;
  fail: (error: unknown) => void;
  timer: ReturnType<typeof setTimeout>;
}

const PATIENCE_MS = 90_000;
const TRIES_MAX = 3;
const RESTARTS_MAX = 5;
const RESTART_MS = 1_000;

export class Refused extends ApiError {
  constructor({ code, message, status, retryAfterMs }: Failure, readonly users: string[]) {
    super(code, message, status, retryAfterMs);
  }
}

export class Link {
  private readonly waiting = new Map<string, Waiting>();
  private readonly channel: BroadcastChannel;
  private worker: Worker | null = null;
  private readonly stopping = new AbortController();
  private release: (() => void) | null = null;
  private restarts = 0;
  private count = 0;
  private readonly tab = crypto.randomUUID();

  constructor(private readonly account: string, private readonly heard: (word: Word) => void) {
    this.channel = new BroadcastChannel(channelName(account));
    // What its own worker says, the window that runs it hears from the worker.
    this.channel.onmessage = ({ data }: MessageEvent<Said>) => this.worker || this.hear(data);
  }

  start(): void {
    const lead = () => new Promise<void>((release) => {
      this.release = release;
      this.lead();
    });
    navigator.locks.request(channelName(this.account), { signal: this.stopping.signal }, lead).catch(() => {});
    this.channel.postMessage({ word: 'who' } satisfies Word);
  }

  stop(): void {
    this.stopping.abort();
    this.worker?.terminate();
    this.worker = null;
    this.release?.();
    this.channel.close();
    for (const { fail, timer } of this.waiting.values()) {
      clearTimeout(timer);
      fail(new ApiError('unavailable', '', 0));
    }
    this.waiting.clear();
  }

  call<M extends Method>(method: M, ...args: Parameters<Methods[M]>): ReturnType<Methods[M]> {
    const ask: Ask = { ask: `${this.tab} ${++this.count}`, method, args };
    return new Promise<unknown>((done, fail) => {
      const timer = setTimeout(() => this.settle(ask.ask)?.fail(new ApiError('unavailable', '', 0)), PATIENCE_MS);
      this.waiting.set(ask.ask, { ask, tries: 0, done, fail, timer });
      this.post(ask);
    }) as ReturnType<Methods[M]>;
  }

  private post(ask: Ask): void {
    if (this.worker) this.worker.postMessage(ask);
    else this.channel.postMessage(ask);
  }

  private lead(): void {
    try {
      const worker = startWorker(workerUrl);
      this.worker = worker;
      worker.onmessage = ({ data }: MessageEvent<Said>) => this.hear(data);
      worker.onerror = () => this.restart('the worker did not start');
      worker.postMessage({ account: this.account });
      for (const { ask } of this.waiting.values()) worker.postMessage(ask);
    } catch (error) {
      this.restart(String(error));
    }
  }

  /** Another worker, which knows nothing of what went wrong. */
  private restart(why: string): void {
    this.worker?.terminate();
    this.worker = null;
    this.restarts += 1;
    for (const one of [...this.waiting.values()]) {
      one.tries += 1;
      if (one.tries >= TRIES_MAX) this.settle(one.ask.ask)?.fail(new ApiError('sealing', '', 0));
    }
    this.heard({ word: 'broken', why });
    if (this.restarts > RESTARTS_MAX || this.stopping.signal.aborted) return;
    setTimeout(() => this.stopping.signal.aborted || this.lead(), RESTART_MS * this.restarts);
  }

  private hear(said: Said): void {
    if ('answer' in said) return this.answered(said);
    if (!('word' in said)) return;
    if (said.word === 'broken') return this.restart(said.why);
    if (said.word === 'ready') {
      for (const { ask } of this.waiting.values()) this.post(ask);
    }
    this.heard(said);
  }

  private answered(said: Answer): void {
    const one = this.settle(said.answer);
    if (!one) return;
    this.restarts = 0;
    if ('failure' in said) one.fail(new Refused(said.failure, said.failure.users ?? []));
    else one.done(said.value);
  }

  private settle(id: string): Waiting | null {
    const one = this.waiting.get(id);
    if (!one) return null;
    this.waiting.delete(id);
    clearTimeout(one.timer);
    return one;
  }
}
