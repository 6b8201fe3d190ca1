import { beforeEach, expect, test } from 'vitest';
import { ApiError } from '../src/net/http';
import { Outbox, type Item } from '../src/outbox/outbox';
import { memoryShelf } from '../src/outbox/shelf';
import type { Message } from '../src/wire';
import { message } from './samples';

const offline = new ApiError('offline', '', 0);

/** A server that keeps each id once, a shelf that outlives the page, and a clock moved by hand. */
class World {
  items = new Map<string, Item>();
  shelf = memoryShelf(this.items);
  log: string[] = [];
  stored: Message[] = [];
  shown: Item[] = [];
  due: (() => void)[] = [];
  fail: (item: Item) => Error | null = () => null;
  private lock: Promise<void> = Promise.resolve();

  page(userId = 'ana'): Outbox {
    return new Outbox(
      {
        shelf: this.shelf,
        post: (item) => this.post(item),
        alone: (work) => (this.lock = this.lock.then(work)),
        changed: (items) => { this.shown = items; },
        stored: (posted) => this.stored.push(posted),
        later: (_ms, work) => this.due.push(work),
      },
      userId,
    );
  }

  async post(item: Item): Promise<Message> {
    const error = this.fail(item);
    if (error) throw error;
    if (!this.log.includes(item.content)) this.log.push(item.content);
    return message(this.log.length, { client_id: item.client_id, session_id: item.session_id });
  }

  async tick(): Promise<void> {
    for (const work of this.due.splice(0)) work();
    await new Promise((done) => setTimeout(done));
    await this.lock;
  }
}

let world: World;
let count = 0;

beforeEach(() => {
  world = new World();
});

function draft(content: string, session_id = 's') {
  return { client_id: `id${++count}`, content, session_id };
}

test('what is written is sent and leaves the shelf', async () => {
  const page = world.page();
  await page.add(draft('hello'));
  expect(world.log).toEqual(['hello']);
  expect(world.items.size).toBe(0);
  expect(world.shown.map((item) => item.state)).toEqual(['sent']);
  page.seen(world.shown[0]!.client_id);
  expect(world.shown).toEqual([]);
});

test('without a connection it waits, and goes out in order', async () => {
  world.fail = () => offline;
  const page = world.page();
  await page.add(draft('one'));
  await page.add(draft('two'));
  await page.add(draft('three'));
  expect(world.shown.map((item) => item.state)).toEqual(['queued', 'queued', 'queued']);
  world.fail = () => null;
  page.wake();
  await world.tick();
  expect(world.log).toEqual(['one', 'two', 'three']);
});

test('it survives a reload, and goes out once', async () => {
  world.fail = () => offline;
  await world.page().add(draft('kept'));
  world.fail = () => null;
  const reloaded = world.page();
  await reloaded.load();
  expect(world.shown.map((item) => item.content)).toEqual(['kept']);
  await Promise.all([reloaded.flush(), world.page().flush()]);
  expect(world.log).toEqual(['kept']);
  expect(world.stored).toHaveLength(1);
});

test('a lost answer is asked for again with the same id', async () => {
  let first = true;
  world.fail = (item) => {
    if (!first) return null;
    first = false;
    world.log.push(item.content);
    return offline;
  };
  await world.page().add(draft('stored already'));
  await world.tick();
  expect(world.log).toEqual(['stored already']);
  expect(world.items.size).toBe(0);
});

test('a refusal parks one message and lets the next ones pass', async () => {
  world.fail = (item) => (item.content === 'bad' ? new ApiError('invalid', 'no', 422) : null);
  const page = world.page();
  await page.add(draft('bad'));
  await page.add(draft('good'));
  expect(world.log).toEqual(['good']);
  const failed = world.shown.find((item) => item.state === 'failed')!;
  expect(failed).toMatchObject({ content: 'bad', reason: 'no' });
  world.fail = () => null;
  await page.retry(failed.client_id);
  expect(world.log).toEqual(['good', 'bad']);
});

test('what is discarded is not sent', async () => {
  world.fail = () => offline;
  const page = world.page();
  await page.add(draft('never'));
  await page.discard(world.shown[0]!.client_id);
  world.fail = () => null;
  await world.tick();
  expect(world.log).toEqual([]);
});

test('one session waiting does not hold up another', async () => {
  world.fail = (item) => (item.session_id === 'slow' ? offline : null);
  const page = world.page();
  await page.add(draft('waits', 'slow'));
  await page.add(draft('goes', 'other'));
  expect(world.log).toEqual(['goes']);
});

test('nobody sends what another person wrote here', async () => {
  world.fail = () => offline;
  await world.page('ana').add(draft('of ana'));
  world.fail = () => null;
  const other = world.page('bo');
  await other.load();
  await other.flush();
  expect(world.log).toEqual([]);
  expect(world.shown).toEqual([]);
});
