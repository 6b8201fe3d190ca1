import { openDB, type DBSchema } from 'idb';
import type { Item, Shelf } from './outbox';

interface Schema extends DBSchema {
  outbox: { key: string; value: Item };
}

/** The shelf in IndexedDB; in memory where the browser keeps its storage closed. */
export async function openShelf(): Promise<Shelf> {
  try {
    const db = await openDB<Schema>('parlor', 1, {
      upgrade: (fresh) => void fresh.createObjectStore('outbox', { keyPath: 'client_id' }),
    });
    return {
      all: () => db.getAll('outbox'),
      has: async (id) => (await db.count('outbox', id)) > 0,
      put: async (item) => void (await db.put('outbox', item)),
      remove: (id) => db.delete('outbox', id),
    };
  } catch {
    return memoryShelf();
  }
}

export function memoryShelf(items: Map<string, Item> = new Map()): Shelf {
  return {
    all: async () => [...items.values()],
    has: async (id) => items.has(id),
    put: async (item) => void items.set(item.client_id, item),
    remove: async (id) => void items.delete(id),
  };
}
