import { me as meApi, sessions as sessionsApi } from '../net/api';
import { backoff } from '../net/backoff';
import { ApiError, isPassing, whenSignedOut } from '../net/http';
import { Link, type LinkState } from '../net/socket';
import type { Event as WireEvent, ServerFrame } from '../wire';
import { applyEvent, applyPresence, applyRead, applyTyping, position } from './apply';
import { believedEvent } from './believed';
import { fromServer, heardDraft } from './drafts';
import { dropFirst, keepFirst } from './first';
import { EMPTY, fromInit, type State } from './state';
import { around, store, update } from './store';

type Listener = (event: WireEvent, before: State) => void;

/** Keeps the store in step with the server: first screen, socket, resume, repair of holes. */
class Sync {
  private link: Link | null = null;
  private subscribed = new Set<string>();
  private asked = new Map<number, string>();
  private queue: WireEvent[] = [];
  private due = false;
  private repairing = new Set<string>();
  private newest = new Map<string, number>();
  private typingTimers = new Map<string, number>();
  private bootAttempt = 0;
  private bootTimer = 0;
  private generation = 0;

  onApplied: Listener = () => {};
  onOpen: () => void = () => {};
  onReady: () => void = () => {};
  onSignedOut: () => void = () => {};
  onThreadRead: (root: string, number: number) => void = () => {};

  /** Loads the first screen and connects; keeps trying while the server is away. */
  readonly boot = async (): Promise<void> => {
    clearTimeout(this.bootTimer);
    const generation = ++this.generation;
    try {
      const init = await meApi.init();
      if (generation !== this.generation) return;
      this.bootAttempt = 0;
      keepFirst(init);
      update((state) => fromInit(init, state));
      fromServer(init.drafts);
      around.setState({ gate: 'in' });
      this.connect();
      this.onReady();
    } catch (error) {
      if (generation !== this.generation) return;
      if (!isPassing(error)) return this.signedOut();
      const wait = (error as ApiError).retryAfterMs ?? backoff(this.bootAttempt++);
      if (around.getState().gate !== 'in') around.setState({ gate: 'unreachable' });
      around.setState({ link: { at: 'waiting', until: Date.now() + wait } });
      this.bootTimer = window.setTimeout(this.boot, wait);
    }
  };

  readonly signedOut = (): void => {
    if (around.getState().gate === 'out') return;
    this.generation++;
    this.link?.stop();
    this.link = null;
    dropFirst();
    around.setState({ gate: 'out', outbox: [] });
    update(() => EMPTY);
    this.onSignedOut();
  };

  /** Tries again at once. */
  readonly now = (): void => {
    if (this.link) this.link.now();
    else void this.boot();
  };

  typing(session_id: string): void {
    this.link?.send({ type: 'typing', session_id });
  }

  private connect(): void {
    this.link?.stop();
    this.queue = [];
    this.link = new Link({
      frame: (frame) => this.frame(frame),
      state: (state) => this.moved(state),
      ended: (reason) => (reason === 'stop' ? this.signedOut() : this.reload()),
    });
    this.link.start();
  }

  private moved(link: LinkState): void {
    if (link.at === 'off') return;
    around.setState({ link });
    if (link.at === 'open') this.onOpen();
  }

  private reload(): void {
    this.link?.stop();
    this.link = null;
    void this.boot();
  }

  private frame(frame: ServerFrame): void {
    switch (frame.type) {
      case 'hello': return this.resume(frame.epoch, frame.user_seq);
      case 'event': return this.enqueue(frame);
      case 'typing': return this.typed(frame.session_id, frame.user_ids);
      case 'presence': return update((state) => applyPresence(state, frame));
      case 'read': return update((state) => applyRead(state, frame));
      case 'ok': return this.answered(frame.ref);
      case 'error': return this.refused(frame.ref ?? 0, frame.retry_after_ms ?? 0, frame.code);
      case 'draft': return heardDraft(frame);
      case 'thread_read': return this.onThreadRead(frame.message_id, frame.number);
      case 'reconnect': return;
    }
  }

  private resume(epoch: string, userSeq: number): void {
    const state = store.getState();
    if (epoch !== state.epoch) return this.reload();
    this.subscribed.clear();
    this.asked.clear();
    if (userSeq > state.userSeq) {
      this.link?.send({
        type: 'subscribe', ref: this.link.nextRef(), session_id: '', user_log: true, after: state.userSeq, epoch,
      });
    }
    this.listen(state);
  }

  /** Subscribes to every session one is in, from the last event that was applied. */
  private listen(state: State): void {
    if (!this.link) return;
    for (const id of this.subscribed) {
      if (state.logs[id]) continue;
      this.subscribed.delete(id);
      this.link.send({ type: 'unsubscribe', ref: this.link.nextRef(), session_id: id });
    }
    for (const [id, log] of Object.entries(state.logs)) {
      if (this.subscribed.has(id)) continue;
      if (this.asked.size >= ASKED_MAX) return;
      const ref = this.link.nextRef();
      const sent = this.link.send({
        type: 'subscribe', ref, session_id: id, after: log.seq, user_log: false, epoch: state.epoch,
      });
      if (!sent) return;
      this.subscribed.add(id);
      this.asked.set(ref, id);
    }
  }

  /** The server takes only so many commands at once; each answer makes room for the next. */
  private answered(ref: number): void {
    const full = this.asked.size >= ASKED_MAX;
    if (this.asked.delete(ref) && full) this.listen(store.getState());
  }

  private refused(ref: number, retryAfterMs: number, code: string): void {
    const id = this.asked.get(ref);
    if (!id) return;
    this.asked.delete(ref);
    if (code !== 'rate_limited') return;
    this.subscribed.delete(id);
    window.setTimeout(() => this.listen(store.getState()), retryAfterMs || 1_000);
  }

  /** Events of one burst are applied together, so that a burst costs one drawing. */
  private enqueue(event: WireEvent): void {
    this.queue.push(event);
    if (this.due) return;
    this.due = true;
    queueMicrotask(() => {
      if (this.queue.length < 3 || document.hidden) this.apply();
      else requestAnimationFrame(() => this.apply());
    });
  }

  private apply(): void {
    this.due = false;
    const events = this.queue.splice(0);
    const before = store.getState();
    let state = before;
    const holes = new Set<string>();
    const applied: WireEvent[] = [];
    for (const told of events) {
      const event = believedEvent(state, told);
      const at = position(state, event);
      const key = event.session_id ?? '';
      if (at === 'next') {
        state = applyEvent(state, event);
        applied.push(event);
      } else if (at === 'hole') {
        this.newest.set(key, Math.max(this.newest.get(key) ?? 0, event.seq ?? event.user_seq ?? 0));
        holes.add(key);
      }
    }
    if (state !== before) store.setState(state, true);
    applied.forEach((event) => this.onApplied(event, before));
    this.listen(state);
    holes.forEach((id) => void this.repair(id));
  }

  /** Fetches what is missing of a log; an empty id means the user's own. */
  private async repair(id: string): Promise<void> {
    if (this.repairing.has(id)) return;
    this.repairing.add(id);
    try {
      for (;;) {
        const from = this.applied(id);
        if (from === null) return;
        const page = id ? await sessionsApi.events(id, from) : await meApi.events(from);
        this.queue.push(...page.events);
        this.apply();
        const now = this.applied(id);
        if (now === null || now >= Math.max(page.head, this.newest.get(id) ?? 0)) return;
        if (now === from) return this.reload();
      }
    } catch (error) {
      if (!isPassing(error)) this.reload();
    } finally {
      this.repairing.delete(id);
    }
  }

  private applied(id: string): number | null {
    const state = store.getState();
    return id ? (state.logs[id]?.seq ?? null) : state.userSeq;
  }

  private typed(session_id: string, user_ids: string[]): void {
    update((state) => applyTyping(state, { session_id, user_ids }));
    clearTimeout(this.typingTimers.get(session_id));
    if (!user_ids.length) return;
    const forget = () => update((state) => applyTyping(state, { session_id, user_ids: [] }));
    this.typingTimers.set(session_id, window.setTimeout(forget, TYPING_MS));
  }
}

const TYPING_MS = 8_000;
const ASKED_MAX = 32;

export const sync = new Sync();

whenSignedOut(sync.signedOut);
