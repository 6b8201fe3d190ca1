import { deleteDB, openDB, type DBSchema, type IDBPDatabase } from 'idb';
import { random, utf8 } from './bytes';
import { databasesOf, PREFIX } from './places';
import type { Roll } from './roll';

/**
 * What this device keeps of its own beside the library's store. Keys that open it can be used here and
 * never be read out: a copy of the files is of no use elsewhere.
 */

interface Schema extends DBSchema {
  meta: { key: string; value: unknown };
  /** By Megolm session and index: the message that this ciphertext is. */
  ledger: { key: string; value: string };
  /** By session and message: who reacts to it, sealed. */
  reactions: { key: string; value: Box };
  /** Pieces of the index, sealed. */
  pieces: { key: number; value: Box };
}

interface Box {
  iv: Uint8Array<ArrayBuffer>;
  data: ArrayBuffer;
}

export class Vault {
  private constructor(
    private readonly db: IDBPDatabase<Schema>,
    private readonly seal: CryptoKey,
    /** Opens the library's store. */
    readonly storeKey: Uint8Array<ArrayBuffer>,
    /** When this device began to keep keys. */
    readonly born: string,
  ) {}

  static async open(account: string): Promise<Vault> {
    const db = await openDB<Schema>(`${PREFIX} ${account}`, 1, {
      upgrade(fresh) {
        for (const name of ['meta', 'ledger', 'reactions', 'pieces'] as const) fresh.createObjectStore(name);
      },
    });
    const seal = await keyIn(db);
    const storeKey = await storeKeyIn(db, seal);
    const born = ((await db.get('meta', 'born')) as string | undefined) ?? new Date().toISOString();
    await db.put('meta', born, 'born');
    return new Vault(db, seal, storeKey, born);
  }

  close(): void {
    this.db.close();
  }

  async position(): Promise<number> {
    return ((await this.db.get('meta', 'position')) as number | undefined) ?? 0;
  }

  async moveTo(position: number): Promise<void> {
    await this.db.put('meta', position, 'position');
  }

  /**
   * Notes which message a ciphertext is. False when it is another one already: somebody gives old words
   * out as new ones.
   */
  async note(chain: string, index: number, message: string): Promise<boolean> {
    const key = `${chain} ${index}`;
    const work = this.db.transaction('ledger', 'readwrite');
    const known = await work.store.get(key);
    if (known === undefined) await work.store.put(message, key);
    await work.done;
    return known === undefined || known === message;
  }

  /** Notes when a key of this device began; the first time counts. */
  async began(key: string, time: number): Promise<void> {
    if ((await this.beginning(key)) === null) await this.db.put('meta', time, `began ${key}`);
  }

  async beginning(key: string): Promise<number | null> {
    return ((await this.db.get('meta', `began ${key}`)) as number | undefined) ?? null;
  }

  /** Who is let into a session, sealed. */
  async roll(session: string): Promise<Roll | null> {
    const box = (await this.db.get('meta', `roll ${session}`)) as Box | undefined;
    return box ? ((await this.unbox(box)) as Roll) : null;
  }

  async keepRoll(session: string, roll: Roll): Promise<void> {
    await this.db.put('meta', await this.box(roll), `roll ${session}`);
  }

  async reactionsOf(session: string, message: string): Promise<unknown> {
    const box = await this.db.get('reactions', `${session} ${message}`);
    return box && this.unbox(box);
  }

  async keepReactions(session: string, message: string, reactions: unknown): Promise<void> {
    await this.db.put('reactions', await this.box(reactions), `${session} ${message}`);
  }

  async piece(number: number): Promise<unknown> {
    const box = await this.db.get('pieces', number);
    return box && this.unbox(box);
  }

  async keepPiece(number: number, piece: unknown): Promise<void> {
    await this.db.put('pieces', await this.box(piece), number);
  }

  pieceNumbers(): Promise<number[]> {
    return this.db.getAllKeys('pieces');
  }

  private async box(value: unknown): Promise<Box> {
    const iv = random(12);
    return { iv, data: await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, this.seal, utf8(JSON.stringify(value))) };
  }

  private async unbox({ iv, data }: Box): Promise<unknown> {
    const opened = await crypto.subtle.decrypt({ name: 'AES-GCM', iv }, this.seal, data);
    return JSON.parse(new TextDecoder().decode(opened));
  }
}

async function keyIn(db: IDBPDatabase<Schema>): Promise<CryptoKey> {
  const held = (await db.get('meta', 'seal')) as CryptoKey | undefined;
  if (held) return held;
  const key = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);
  await db.put('meta', key, 'seal');
  return key;
}

/** The library wants the bytes of its key: they lie here wrapped. */
async function storeKeyIn(db: IDBPDatabase<Schema>, seal: CryptoKey): Promise<Uint8Array<ArrayBuffer>> {
  const held = (await db.get('meta', 'store')) as Box | undefined;
  if (held) return new Uint8Array(await crypto.subtle.decrypt({ name: 'AES-GCM', iv: held.iv }, seal, held.data));
  const key = random(32);
  const iv = random(12);
  await db.put('meta', { iv, data: await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, seal, key) }, 'store');
  return key;
}

/** Another device of this browser was signed in here before: its keys are of no use to anybody. */
export async function forgetOthers(account: string): Promise<void> {
  if (!('databases' in indexedDB)) return;
  const ours = new Set(databasesOf(account));
  const all = await indexedDB.databases();
  for (const { name } of all) if (name?.startsWith(PREFIX) && !ours.has(name)) void deleteDB(name).catch(() => {});
}
