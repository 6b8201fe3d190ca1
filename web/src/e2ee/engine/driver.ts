import { DecryptionSettings, DeviceLists, RequestType, TrustRequirement, UserId } from '@matrix-org/matrix-sdk-crypto-wasm';
import type { KeysBackupRequest, OlmMachine, ProcessedToDeviceEvent, SignatureUploadRequest, ToDeviceRequest, UploadSigningKeysRequest } from '@matrix-org/matrix-sdk-crypto-wasm';
import type { E2ee } from '../../wire';
import { plainId } from './ids';
import type { Wire } from './wire';

/** Anything that the library wants sent. */
export type Request =
  | { id: string | undefined; type: RequestType; body: string; event_type?: string; txn_id?: string; version?: string }
  | ToDeviceRequest | SignatureUploadRequest | KeysBackupRequest;

/** Where the position in the server's queue outlives the page. */
export interface Bookmark {
  position(): Promise<number>;
  moveTo(position: number): Promise<void>;
}

/** Only what its owner signed is believed, of devices too. */
export const TRUST = () => new DecryptionSettings(TrustRequirement.CrossSigned);

const WAIT_MS = 25_000;
const PAUSE_MS = 1_000;
const PAUSE_MAX_MS = 30_000;

/** Carries what the library wants to say to the server, and what the server has for this device to the library. */
export class Driver {
  private sending: Promise<void> = Promise.resolve();
  private stopped = false;
  private asking: AbortController | null = null;
  /** How often anything has changed about anybody's devices or identity, or may have. */
  stirs = 0;
  /** Is told whose devices and identity may be others in the library's store now; null: anybody's. */
  renewed: (users: string[] | null) => void = () => {};

  constructor(
    private readonly machine: OlmMachine,
    private readonly wire: Wire,
    private readonly bookmark: Bookmark,
    private readonly heard: (events: ProcessedToDeviceEvent[], news: E2ee) => Promise<void>,
    private readonly pause: (ms: number) => Promise<void> = (ms) => new Promise((done) => setTimeout(done, ms)),
  ) {}

  stop(): void {
    this.stopped = true;
    this.asking?.abort();
  }

  /** Listens until it is stopped. */
  async run(failed: (error: unknown) => boolean): Promise<void> {
    for (let tries = 0; !this.stopped;) {
      try {
        await this.turn(WAIT_MS);
        tries = 0;
      } catch (error) {
        if (this.stopped || !failed(error)) return;
        await this.pause(Math.min(PAUSE_MAX_MS, PAUSE_MS * 2 ** tries++));
      }
    }
  }

  /** One answer of the server: into the library's store, then the position is kept, and the next question acknowledges it. */
  async turn(waitMs: number): Promise<boolean> {
    const after = await this.bookmark.position();
    const news = await this.wire.call<E2ee>('GET', `/e2ee/sync?after=${after}&wait_ms=${waitMs}`);
    if (this.stopped) return false;
    await this.take(news);
    await this.bookmark.moveTo(news.pos);
    await this.flush();
    return news.more || news.pos !== after;
  }

  /** All that there is now. */
  async drain(): Promise<void> {
    while (await this.turn(0));
  }

  private async take(news: E2ee): Promise<void> {
    const users = (names: string[]) => names.map((name) => new UserId(name));
    // The library hears nobody out whose keys it does not know.
    const asking = news.to_device.events.filter(({ type }) => type === 'm.key.verification.request').map(({ sender }) => sender);
    // It judges a key when it comes: of a device that is signed out by then it would never learn that it was signed.
    const strangers = await this.unknown(news.to_device.events.filter(({ type }) => type === 'm.room.encrypted').map(({ sender }) => sender));
    if (asking.length + strangers.length) {
      await this.machine.updateTrackedUsers(users([...asking, ...strangers]));
      await this.flush();
    }
    const lists = new DeviceLists(users(news.device_lists.changed), users(news.device_lists.left));
    const counts = new Map(Object.entries({ signed_curve25519: 0, ...news.device_one_time_keys_count }));
    const unused = new Set(news.device_unused_fallback_key_types);
    const events = await this.machine.receiveSyncChanges(JSON.stringify(news.to_device.events), lists, counts, unused, TRUST());
    // Whose keys have changed is asked for; until then the store has the old ones.
    if (!events.every(({ rawEvent }) => SESSION_KEYS.has(typeOf(rawEvent)))) this.stir();
    else if (news.device_lists.changed.length || news.device_lists.left.length) this.stir([]);
    await this.heard(events, news);
  }

  /** Those of some people of whose identity nothing is known here. */
  private async unknown(names: string[]): Promise<string[]> {
    const unknown: string[] = [];
    for (const name of new Set(names)) {
      const identity = await this.machine.getIdentity(new UserId(name));
      if (!identity) unknown.push(name);
      else identity.free();
    }
    return unknown;
  }

  /** Sends everything that waits; one at a time, whoever asks. */
  flush(): Promise<void> {
    const next = this.sending.then(() => this.sendWaiting());
    this.sending = next.catch(() => {});
    return next;
  }

  private async sendWaiting(): Promise<void> {
    for (let round = 0; round < ROUNDS_MAX; round += 1) {
      const waiting = await this.machine.outgoingRequests();
      if (!waiting.length) return;
      for (const request of waiting) await this.send(request);
    }
  }

  /** Sends one thing and tells the library what came of it. */
  async send(request: Request): Promise<void> {
    const answer = await this.post(request);
    if (request.id) await this.machine.markRequestAsSent(request.id, request.type, JSON.stringify(answer ?? {}));
    if (request.type === RequestType.KeysQuery) this.stir(asked(request.body));
    if (request.type === RequestType.SignatureUpload) this.stir();
  }

  /** The next send of each session looks at everybody again, and reads anew what is known of these. */
  stir(users: string[] | null = null): void {
    this.stirs += 1;
    this.renewed(users);
  }

  private post(request: Request): Promise<unknown> {
    const body: unknown = JSON.parse(request.body);
    switch (request.type) {
      case RequestType.KeysUpload: return this.wire.call('POST', '/e2ee/keys/upload', body);
      case RequestType.KeysQuery: return this.wire.call('POST', '/e2ee/keys/query', body);
      case RequestType.KeysClaim: return this.wire.call('POST', '/e2ee/keys/claim', body);
      case RequestType.SignatureUpload: return this.wire.call('POST', '/e2ee/keys/signatures/upload', body);
      case RequestType.ToDevice: {
        const { event_type, txn_id } = request as ToDeviceRequest;
        return this.wire.call('PUT', `/e2ee/send_to_device/${encodeURIComponent(event_type)}/${encodeURIComponent(txn_id)}`, body);
      }
      case RequestType.KeysBackup:
        return this.wire.call('PUT', `/e2ee/room_keys/keys?version=${encodeURIComponent((request as KeysBackupRequest).version)}`, body);
      default: throw new Error('nobody here sends that');
    }
  }

  /** The public keys of the account. To replace others, the password is asked for. */
  async uploadIdentity(request: UploadSigningKeysRequest, password?: string): Promise<void> {
    const body = JSON.parse(request.body) as object;
    await this.wire.call('POST', '/e2ee/keys/device_signing/upload', password ? { ...body, auth: { password } } : body);
    this.stir();
  }
}

/** Letters that change nothing about anybody: keys of sessions, and what cannot be opened. */
const SESSION_KEYS = new Set(['m.room_key', 'm.forwarded_room_key', 'm.room.encrypted']);

function typeOf(event: string): string {
  return (JSON.parse(event) as { type: string }).type;
}

/** Whose keys a request asks for. */
function asked(body: string): string[] {
  return Object.keys((JSON.parse(body) as { device_keys: object }).device_keys).map(plainId);
}

const ROUNDS_MAX = 20;
