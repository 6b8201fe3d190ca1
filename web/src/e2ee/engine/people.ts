import { UserId } from '@matrix-org/matrix-sdk-crypto-wasm';
import type { Device, OlmMachine } from '@matrix-org/matrix-sdk-crypto-wasm';
import type { MemberList } from '../../wire';
import type { Reader, ReaderDevice, ReaderState } from '../types';
import type { Driver } from './driver';
import { plainId, type Names } from './ids';
import type { Wire } from './wire';

/** Who is in a session, by what devices, and whether they are who they were. */

interface Seat {
  user_id: string;
  joined_at: string;
}

interface Seats {
  version: number;
  seats: Seat[];
}

const PAGES_MAX = 40;
const LATELY_MS = 3_000;

export class People {
  private readonly sessions = new Map<string, Promise<Seats>>();
  private readonly askedAt = new Map<string, number>();
  /** What the library's store says of people: to ask it costs a transaction each. */
  private readonly states = new Kept((user) => this.stateOf(user));
  private readonly all = new Kept((user) => this.devicesOf(user));

  constructor(
    private readonly machine: OlmMachine,
    private readonly driver: Driver,
    private readonly wire: Wire,
    private readonly names: Names,
  ) {
    driver.renewed = (users) => {
      // By one's own identity all others are verified.
      const whose = users?.includes(plainId(machine.userId.toString())) ? null : users;
      this.states.forget(whose);
      this.all.forget(whose);
    };
  }

  /** The people of a session, as the server tells; asked for again when somebody came or went since. */
  async of(session: string, version: number | null): Promise<Seats> {
    const held = await this.sessions.get(session)?.catch(() => null);
    if (held && version !== null && held.version >= version) return held;
    const asked = this.ask(session);
    this.askedAt.set(session, Date.now());
    this.sessions.set(session, asked);
    return asked;
  }

  /** The people as they were a moment ago, which is good enough to say why something is shut. */
  async lately(session: string): Promise<Seats> {
    const fresh = Date.now() - (this.askedAt.get(session) ?? 0) < LATELY_MS;
    return this.of(session, fresh ? 0 : null);
  }

  private async ask(session: string): Promise<Seats> {
    const seats: Seat[] = [];
    let version = 0;
    let cursor: string | null | undefined = '';
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const from: string = cursor ? `&cursor=${encodeURIComponent(cursor)}` : '';
      const answer: MemberList = await this.wire.call('GET', `/sessions/${session}/members?limit=100${from}`);
      // Between two pages somebody may have come: the first page's version is the one that the server will refuse.
      if (!page) version = answer.membership_version ?? 0;
      seats.push(...answer.members.map(({ user, joined_at }) => ({ user_id: user.id, joined_at })));
      cursor = answer.next_cursor;
      if (!cursor) break;
    }
    return { seats, version };
  }

  ids(users: string[]): UserId[] {
    return users.map((user) => new UserId(this.names.user(user)));
  }

  /** Makes sure that everybody's devices are known as they are now. */
  async track(users: string[]): Promise<void> {
    await this.machine.updateTrackedUsers(this.ids(users));
    await this.driver.flush();
  }

  /** Asks for these people's keys, whether they are known already or not. */
  async meet(users: string[]): Promise<void> {
    await this.track(users);
    await this.driver.send(this.machine.queryKeysForUsers(this.ids(users)));
  }

  async masterKey(user: string): Promise<string | null> {
    const identity = await this.machine.getIdentity(new UserId(this.names.user(user)));
    if (!identity) return null;
    const { keys } = JSON.parse(identity.masterKey) as { keys: Record<string, string> };
    return Object.values(keys)[0] ?? null;
  }

  /** By what somebody's statements are believed: their master key, and the keys of the devices that they signed. */
  async signingKeys(user: string): Promise<Map<string, string>> {
    const keys = new Map<string, string>();
    const master = await this.masterKey(user);
    if (!master || (await this.state(user)) === 'changed') return keys;
    keys.set(`ed25519:${master}`, master);
    const all = await this.machine.getUserDevices(new UserId(this.names.user(user)));
    for (const device of all.devices().filter((one: Device) => one.isCrossSignedByOwner())) {
      const key = device.ed25519Key?.toBase64();
      if (key) keys.set(`ed25519:${device.deviceId.toString()}`, key);
    }
    return keys;
  }

  /** Those who are somebody else than before, and of whom nobody said that this is right. */
  async changed(users: string[]): Promise<string[]> {
    const found: string[] = [];
    for (const user of users) {
      const state = await this.state(user);
      if (state === 'changed') found.push(user);
    }
    return found;
  }

  private state(user: string): Promise<ReaderState> {
    return this.states.of(user);
  }

  private async stateOf(user: string): Promise<ReaderState> {
    const identity = await this.machine.getIdentity(new UserId(this.names.user(user)));
    if (plainId(this.machine.userId.toString()) === user) return 'me';
    if (!identity) return 'none';
    if (identity.hasVerificationViolation()) return 'changed';
    if ('identityNeedsUserApproval' in identity && identity.identityNeedsUserApproval()) return 'changed';
    return identity.isVerified() ? 'verified' : 'first';
  }

  /** Everybody in a session, as they are known here; who is not let in is that above all. */
  async readers(users: string[], letIn: string[]): Promise<Reader[]> {
    await this.track(users);
    const known = new Set(letIn);
    const found: Reader[] = [];
    for (const user_id of users) {
      const state = known.has(user_id) ? await this.state(user_id) : 'unvouched';
      found.push({ user_id, state, devices: await this.devices(user_id) });
    }
    return found;
  }

  devices(user: string): Promise<ReaderDevice[]> {
    return this.all.of(user);
  }

  private async devicesOf(user: string): Promise<ReaderDevice[]> {
    const all = await this.machine.getUserDevices(new UserId(this.names.user(user)));
    const mine = plainId(this.machine.userId.toString()) === user;
    const here = this.machine.deviceId.toString();
    return all.devices().filter((device) => !device.isDehydrated).map((device: Device) => {
      const id = device.deviceId.toString();
      return { id, name: device.displayName ?? '', signed: device.isCrossSignedByOwner(), mine, here: mine && id === here };
    });
  }

  /** Takes somebody as they are now. */
  async approve(user: string): Promise<void> {
    const identity = await this.machine.getIdentity(new UserId(this.names.user(user)));
    if (!identity) return;
    if (identity.hasVerificationViolation()) await identity.withdrawVerification();
    if ('pinCurrentMasterKey' in identity) await identity.pinCurrentMasterKey();
    this.driver.stir();
  }
}

/** What was read once, until it may be otherwise. */
class Kept<T> {
  private readonly held = new Map<string, Promise<T>>();

  constructor(private readonly read: (user: string) => Promise<T>) {}

  of(user: string): Promise<T> {
    const known = this.held.get(user);
    if (known) return known;
    const found = this.read(user);
    this.held.set(user, found);
    found.catch(() => this.held.delete(user));
    return found;
  }

  forget(users: string[] | null): void {
    if (!users) return this.held.clear();
    for (const user of users) this.held.delete(user);
  }
}
