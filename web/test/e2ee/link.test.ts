import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Ask, Said } from '../../src/e2ee/rpc';

/** Windows of one browser: who runs the worker, and what becomes of what was asked when it goes. */

const workers: Made[] = [];

class Made {
  onmessage: ((event: { data: Said }) => void) | null = null;
  onerror: (() => void) | null = null;
  got: (Ask | { account: string })[] = [];
  gone = false;
  postMessage(said: Ask | { account: string }): void { this.got.push(said); }
  terminate(): void { this.gone = true; }
  says(data: Said): void { this.onmessage?.({ data }); }
  asks(): Ask[] { return this.got.filter((said): said is Ask => 'ask' in said); }
}

vi.mock('../../src/net/worker', () => ({
  startWorker: () => {
    const made = new Made();
    workers.push(made);
    return made;
  },
}));

/** One lock at a time, handed on in order. */
class Locks {
  private tail: Promise<unknown> = Promise.resolve();
  request(_name: string, { signal }: { signal: AbortSignal }, work: () => Promise<void>): Promise<void> {
    const next = this.tail.then(() => (signal.aborted ? undefined : work()));
    this.tail = next;
    return next;
  }
}

class Channel {
  static all: Channel[] = [];
  onmessage: ((event: { data: Said }) => void) | null = null;
  constructor() { Channel.all.push(this); }
  postMessage(data: Said): void { for (const other of Channel.all) if (other !== this) other.onmessage?.({ data }); }
  close(): void { Channel.all = Channel.all.filter((other) => other !== this); }
}

async function aLink(heard: string[] = []) {
  const { Link } = await import('../../src/e2ee/link');
  const link = new Link('ana dev', ({ word }) => heard.push(word));
  link.start();
  await vi.advanceTimersByTimeAsync(0);
  return link;
}

beforeEach(() => {
  vi.useFakeTimers();
  workers.length = 0;
  Channel.all = [];
  vi.stubGlobal('navigator', { locks: new Locks() });
  vi.stubGlobal('BroadcastChannel', Channel);
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test('only one window runs the worker', async () => {
  await aLink();
  await aLink();
  expect(workers).toHaveLength(1);
});

test('an answer comes to who asked, a failure keeps its code', async () => {
  const link = await aLink();
  const [good, bad] = [link.call('status'), link.call('find', 'x')];
  const [first, second] = workers[0]!.asks();
  workers[0]!.says({ answer: second!.ask, failure: { code: 'sealing', message: 'no', status: 0 } });
  workers[0]!.says({ answer: first!.ask, value: 'fine' });
  expect(await good).toBe('fine');
  await expect(bad).rejects.toMatchObject({ code: 'sealing', message: 'no' });
});

test('the next window takes over, and asks again what was not answered', async () => {
  const first = await aLink();
  const second = await aLink();
  const asked = second.call('find', 'words');
  first.stop();
  await vi.advanceTimersByTimeAsync(0);
  expect(workers).toHaveLength(2);
  expect(workers[0]!.gone).toBe(true);
  const [ask] = workers[1]!.asks();
  expect(ask).toMatchObject({ method: 'find', args: ['words'] });
  workers[1]!.says({ answer: ask!.ask, value: [] });
  expect(await asked).toEqual([]);
});

test('a worker that is broken is thrown away, and another one is asked', async () => {
  const heard: string[] = [];
  const link = await aLink(heard);
  const asked = link.call('status');
  workers[0]!.says({ word: 'broken', why: 'unreachable' });
  expect(workers[0]!.gone).toBe(true);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(workers).toHaveLength(2);
  const [ask] = workers[1]!.asks();
  workers[1]!.says({ answer: ask!.ask, value: 'whole' });
  expect(await asked).toBe('whole');
  expect(heard).toEqual(['broken']);
});

test('what breaks every worker is given up', async () => {
  const link = await aLink();
  const asked = link.call('status');
  const refused = expect(asked).rejects.toMatchObject({ code: 'sealing' });
  for (let turn = 0; turn < 3; turn += 1) {
    workers.at(-1)!.says({ word: 'broken', why: 'unreachable' });
    await vi.advanceTimersByTimeAsync(10_000);
  }
  await refused;
});
