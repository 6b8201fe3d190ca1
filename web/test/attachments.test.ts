import { beforeEach, expect, test, vi } from 'vitest';

interface Running {
  name: string;
  cancelled: boolean;
  done: (id: string) => void;
  fail: (error: unknown) => void;
}

/** Uploads that end when the test says so. */
const running: Running[] = [];

vi.mock('../src/net/upload', () => ({
  Upload: class {
    private own: Running | null = null;
    constructor(_file: Blob, private readonly name: string) {}
    start(): Promise<string> {
      return new Promise((done, fail) => {
        this.own = { name: this.name, cancelled: false, done, fail };
        running.push(this.own);
      });
    }
    cancel(): void {
      this.own!.cancelled = true;
      this.own!.fail(new Error('cancelled'));
    }
    now(): void {}
  },
}));

const { attach, attachmentsOf, detach, forgetAll, FILES_MAX, retry, takeFiles } = await import('../src/files/attachments');

const states = (place: string) => attachmentsOf(place).map(({ name, state }) => `${name} ${state}`);
const file = (name: string) => new File(['x'], name);
const settled = () => new Promise((done) => setTimeout(done));

beforeEach(async () => {
  forgetAll();
  await settled();
  running.splice(0);
});

test('three go at once, and the next begins when one is there', async () => {
  attach('s', ['a', 'b', 'c', 'd'].map(file));
  expect(running.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
  running[0]!.done('id-a');
  await settled();
  expect(running.map(({ name }) => name)).toEqual(['a', 'b', 'c', 'd']);
});

test('only what is there goes with the message, and the place is empty afterwards', async () => {
  attach('s', [file('a')]);
  running[0]!.done('id-a');
  await settled();
  expect(takeFiles('s')).toEqual([{ id: 'id-a', name: 'a' }]);
  expect(takeFiles('s')).toEqual([]);
});

test('what is taken away stops, and what failed can be tried again', async () => {
  attach('s', ['a', 'b'].map(file));
  const [a, b] = attachmentsOf('s');
  detach('s', a!.key);
  expect(running[0]!.cancelled).toBe(true);
  running[1]!.fail(new Error('no'));
  await settled();
  expect(states('s')).toEqual(['b failed']);
  retry('s', b!.key);
  running[2]!.done('id-b');
  await settled();
  expect(states('s')).toEqual(['b done']);
});

test('a message carries only so many', () => {
  attach('s', Array.from({ length: FILES_MAX + 5 }, (_, n) => file(`f${n}`)));
  expect(states('s')).toHaveLength(FILES_MAX);
});

test('nothing is left for whoever signs in next', async () => {
  attach('s', [file('a')]);
  attach('other', [file('b')]);
  forgetAll();
  await settled();
  expect(running.every(({ cancelled }) => cancelled)).toBe(true);
  expect([...states('s'), ...states('other')]).toEqual([]);
});
