import type { Opened, ToOpen } from './types';

/** Asks the worker to open messages: each once, those asked for at the same time together, and anew when keys came meanwhile. */
export class Openings {
  /** What is being opened, and what was. */
  private readonly opened = new Map<string, Promise<Opened>>();
  private queue: Waiting[] = [];
  /** How often keys have come. */
  private arrivals = 0;

  constructor(private readonly ask: (messages: ToOpen[]) => Promise<Opened[]>) {}

  async open(message: ToOpen): Promise<Opened> {
    const key = keyOf(message);
    const known = this.opened.get(key);
    if (known) return known;
    if (this.opened.size > OPENED_MAX) this.opened.clear();
    const work = this.tryUntilSure(message).catch((): Opened => ({ state: 'shut', why: 'opening' }));
    this.opened.set(key, work);
    const found = await work;
    if (found.state === 'shut' && this.opened.get(key) === work) this.opened.delete(key);
    return found;
  }

  /** Keys came: an answer that is under way may be from before them. */
  arrived(): void {
    this.arrivals += 1;
  }

  clear(): void {
    this.opened.clear();
  }

  private async tryUntilSure(message: ToOpen): Promise<Opened> {
    for (;;) {
      const before = this.arrivals;
      const found = await this.enqueue(message);
      if (found.state === 'open' || before === this.arrivals) return found;
    }
  }

  private enqueue(message: ToOpen): Promise<Opened> {
    return new Promise((done, fail) => {
      this.queue.push({ message, done, fail });
      if (this.queue.length === 1) queueMicrotask(() => void this.send());
    });
  }

  private async send(): Promise<void> {
    const batch = this.queue;
    this.queue = [];
    try {
      const answers = await this.ask(batch.map(({ message }) => message));
      batch.forEach(({ done }, at) => done(answers[at]!));
    } catch (error) {
      batch.forEach(({ fail }) => fail(error));
    }
  }
}

interface Waiting {
  message: ToOpen;
  done: (opened: Opened) => void;
  fail: (error: unknown) => void;
}

const OPENED_MAX = 4_000;

function keyOf({ id, sealed }: ToOpen): string {
  return `${id} ${sealed.ciphertext}`;
}
