// @vitest-environment node
import { initAsync, type OlmMachine } from '@matrix-org/matrix-sdk-crypto-wasm';
import { beforeAll, expect, test } from 'vitest';
import { Driver } from '../../src/e2ee/engine/driver';
import { ApiError } from '../../src/net/http';

/** In which order what the server has for a device is taken, kept and acknowledged. */

beforeAll(() => initAsync());

interface World {
  log: string[];
  position: number;
  fails: boolean;
  driver: Driver;
}

function world(queue: number[]): World {
  const log: string[] = [];
  const made = { log, position: 0, fails: false } as World;
  const machine = {
    receiveSyncChanges: async () => {
      if (made.fails) throw new Error('the store is full');
      log.push('store');
      return [];
    },
    outgoingRequests: async () => {
      log.push('outgoing');
      return [];
    },
  } as unknown as OlmMachine;
  const wire = {
    call: async <T>(_method: string, path: string) => {
      const after = Number(/after=(\d+)/.exec(path)![1]);
      log.push(`ask after ${after}`);
      const pos = queue.find((one) => one > after) ?? after;
      return {
        pos, more: queue.some((one) => one > pos), to_device: { events: [] }, device_lists: { changed: [], left: [] },
        device_one_time_keys_count: {}, device_unused_fallback_key_types: [],
      } as T;
    },
  };
  const bookmark = {
    position: async () => made.position,
    moveTo: async (to: number) => {
      made.position = to;
      log.push(`keep ${to}`);
    },
  };
  made.driver = new Driver(machine, wire, bookmark, async () => {}, async () => {});
  return made;
}

test('it is stored, then the position is kept, and the next question acknowledges it', async () => {
  const { driver, log } = world([4]);
  await driver.drain();
  expect(log).toEqual(['ask after 0', 'store', 'keep 4', 'outgoing', 'ask after 4', 'store', 'keep 4', 'outgoing']);
});

test('what could not be stored is not acknowledged', async () => {
  const made = world([4]);
  made.fails = true;
  await expect(made.driver.turn(0)).rejects.toThrow('full');
  expect(made.position).toBe(0);
  made.fails = false;
  await made.driver.turn(0);
  expect(made.log.filter((line) => line.startsWith('ask'))).toEqual(['ask after 0', 'ask after 0']);
  expect(made.position).toBe(4);
});

test('a long queue is taken in turns', async () => {
  const made = world([2, 5, 9]);
  await made.driver.drain();
  expect(made.log.filter((line) => line.startsWith('keep'))).toEqual(['keep 2', 'keep 5', 'keep 9', 'keep 9']);
});

test('it goes on after an error, and stops when it is told to', async () => {
  const made = world([4]);
  made.fails = true;
  const errors: unknown[] = [];
  await made.driver.run((error) => {
    errors.push(error);
    made.fails = errors.length < 3;
    return errors.length < 3;
  });
  expect(errors).toHaveLength(3);
  expect(made.position).toBe(0);
  expect(errors.every((error) => !(error instanceof ApiError))).toBe(true);
});
