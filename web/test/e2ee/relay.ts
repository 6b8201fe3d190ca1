import { ApiError } from '../../src/net/http';
import type { Wire } from '../../src/e2ee/engine/wire';
import type { E2ee, ToDeviceEvent } from '../../src/wire';
import { plainId } from '../../src/e2ee/engine/ids';

/** A key service in memory. It stores and hands on, as the server does, and opens nothing. */

type Json = Record<string, any>;

interface Keeper {
  keys: Json | null;
  oneTime: [string, Json][];
  fallback: [string, Json] | null;
  fallbackUsed: boolean;
  queue: { pos: number; event: ToDeviceEvent }[];
  changed: { pos: number; user: string }[];
  taken: Set<string>;
}

const NONE = new ApiError('not_found', 'there is none', 404);

export class Relay {
  readonly server = 'parlor.test';
  private readonly users = new Map<string, Map<string, Keeper>>();
  private readonly identities = new Map<string, Json>();
  private readonly data = new Map<string, unknown>();
  private readonly backups = new Map<string, { version: string; info: Json; rooms: Json }>();
  private readonly sessions = new Map<string, { members: string[]; version: number }>();
  private readonly statements = new Map<string, Json[]>();
  private pos = 0;
  /** Everything that went through it, as text. */
  seen = '';
  claims = 0;
  statementPages = 0;

  name(user: string): string {
    return `@${user}:${this.server}`;
  }

  seat(session: string, members: string[]): number {
    const version = (this.sessions.get(session)?.version ?? 0) + 1;
    this.sessions.set(session, { members, version });
    return version;
  }

  wire(user: string, device: string): Wire {
    const devices = this.users.get(user) ?? new Map<string, Keeper>();
    this.users.set(user, devices);
    devices.set(device, devices.get(device) ?? { keys: null, oneTime: [], fallback: null, fallbackUsed: false, queue: [], changed: [], taken: new Set() });
    return {
      call: async <T>(method: string, path: string, body?: unknown) => {
        const sent = JSON.stringify(body ?? null);
        this.seen += sent;
        const answer = this.answer(user, device, method, path, JSON.parse(sent) as Json);
        return structuredClone(answer) as T;
      },
    };
  }

  private answer(user: string, device: string, method: string, path: string, body: Json): unknown {
    const url = new URL(path, 'http://relay');
    const parts = url.pathname.split('/').filter(Boolean);
    if (parts[0] === 'sessions') return this.members(parts[1]!);
    const at = parts.slice(1).join('/');
    if (at === '') return { server_name: this.server, user_id: this.name(user), device_id: device };
    if (at === 'sync') return this.sync(user, device, Number(url.searchParams.get('after')));
    if (at === 'keys/upload') return this.upload(user, device, body);
    if (at === 'keys/query') return this.query(user, body);
    if (at === 'keys/claim') return this.claim(body);
    if (at === 'keys/device_signing/upload') return this.identity(user, body);
    if (at === 'keys/signatures/upload') return this.signatures(body);
    if (parts[1] === 'send_to_device') return this.deliver(user, device, parts[2]!, parts[3]!, body);
    if (parts[1] === 'account_data') return this.account(user, method, parts[2]!, body);
    if (parts[1] === 'statements') return method === 'POST' ? this.keep(parts[2]!, body) : this.told(parts[2]!, Number(url.searchParams.get('after')));
    if (parts[1] === 'room_keys') return this.backup(user, method, parts[2]!, body);
    throw NONE;
  }

  private members(session: string) {
    const { members, version } = this.sessions.get(session)!;
    const people = members.map((id) => ({ user: { id }, joined_at: '2026-01-01T00:00:00Z' }));
    return { members: people, membership_version: version, next_cursor: null };
  }

  private keeper(user: string, device: string): Keeper {
    return this.users.get(user)!.get(device)!;
  }

  private sync(user: string, device: string, after: number): E2ee {
    const keeper = this.keeper(user, device);
    keeper.queue = keeper.queue.filter(({ pos }) => pos > after);
    keeper.changed = keeper.changed.filter(({ pos }) => pos > after);
    const events = keeper.queue.slice(0, 100);
    const pos = Math.max(after, ...events.map((one) => one.pos), ...keeper.changed.map((one) => one.pos));
    return {
      pos,
      to_device: { events: events.map(({ event }) => event) },
      device_lists: { changed: [...new Set(keeper.changed.map((one) => one.user))], left: [] },
      device_one_time_keys_count: { signed_curve25519: keeper.oneTime.length },
      device_unused_fallback_key_types: keeper.fallback && !keeper.fallbackUsed ? ['signed_curve25519'] : [],
      more: false,
    };
  }

  private announce(user: string): void {
    for (const devices of this.users.values()) {
      for (const keeper of devices.values()) keeper.changed.push({ pos: ++this.pos, user: this.name(user) });
    }
  }

  private upload(user: string, device: string, body: Json) {
    const keeper = this.keeper(user, device);
    if (body.device_keys) {
      keeper.keys = body.device_keys;
      this.announce(user);
    }
    keeper.oneTime.push(...Object.entries((body.one_time_keys ?? {}) as Json));
    const fallback = Object.entries((body.fallback_keys ?? {}) as Json)[0];
    if (fallback) [keeper.fallback, keeper.fallbackUsed] = [fallback, false];
    return { one_time_key_counts: { signed_curve25519: keeper.oneTime.length } };
  }

  private query(asker: string, body: Json) {
    const answer: Json = { device_keys: {}, master_keys: {}, self_signing_keys: {}, user_signing_keys: {}, failures: {} };
    for (const name of Object.keys(body.device_keys)) {
      const user = plainId(name);
      const devices = [...(this.users.get(user) ?? [])].filter(([, keeper]) => keeper.keys);
      answer.device_keys[name] = Object.fromEntries(devices.map(([id, keeper]) => [id, keeper.keys]));
      const identity = this.identities.get(user);
      if (!identity) continue;
      answer.master_keys[name] = identity.master_key;
      answer.self_signing_keys[name] = identity.self_signing_key;
      if (user === asker) answer.user_signing_keys[name] = identity.user_signing_key;
    }
    return answer;
  }

  private claim(body: Json) {
    this.claims += 1;
    const one_time_keys: Json = {};
    for (const [name, devices] of Object.entries(body.one_time_keys as Json)) {
      one_time_keys[name] = {};
      for (const device of Object.keys(devices)) {
        const keeper = this.users.get(plainId(name))?.get(device);
        if (!keeper) continue;
        const key = keeper.oneTime.shift() ?? keeper.fallback;
        if (key === keeper.fallback) keeper.fallbackUsed = true;
        if (key) one_time_keys[name][device] = { [key[0]]: key[1] };
      }
    }
    return { one_time_keys, failures: {} };
  }

  private identity(user: string, body: Json) {
    if (this.identities.has(user) && !body.auth) throw new ApiError('unauthorized', 'the password is asked for', 401);
    const { auth: _auth, ...keys } = body;
    this.identities.set(user, keys);
    this.announce(user);
    return {};
  }

  private signatures(body: Json) {
    for (const [name, objects] of Object.entries(body)) {
      const user = plainId(name);
      for (const [id, object] of Object.entries(objects as Json)) {
        const device = this.users.get(user)?.get(id)?.keys;
        const master = this.identities.get(user)?.master_key;
        const held = device ?? (master && Object.keys(master.keys)[0]?.endsWith(id) ? master : null);
        for (const [signer, signatures] of Object.entries((object as Json).signatures ?? {})) {
          if (held) held.signatures = { ...held.signatures, [signer]: { ...held.signatures?.[signer], ...(signatures as Json) } };
        }
      }
      this.announce(user);
    }
    return { failures: {} };
  }

  private deliver(user: string, device: string, type: string, txn: string, body: Json) {
    const sender = this.keeper(user, device);
    if (sender.taken.has(txn)) return {};
    sender.taken.add(txn);
    for (const [name, devices] of Object.entries(body.messages as Json)) {
      const all = this.users.get(plainId(name)) ?? new Map<string, Keeper>();
      for (const [to, content] of Object.entries(devices as Json)) {
        for (const [id, keeper] of all) {
          if (to === '*' || to === id) keeper.queue.push({ pos: ++this.pos, event: { type, sender: this.name(user), content } });
        }
      }
    }
    return {};
  }

  private account(user: string, method: string, type: string, body: Json): unknown {
    const key = `${user} ${type}`;
    if (method === 'PUT') return void this.data.set(key, body);
    if (!this.data.has(key)) throw NONE;
    return this.data.get(key);
  }

  private backup(user: string, method: string, at: string, body: Json): unknown {
    const held = this.backups.get(user);
    if (at === 'version' && method === 'POST') {
      const version = String(Number(held?.version ?? 0) + 1);
      this.backups.set(user, { version, info: body, rooms: {} });
      return { version };
    }
    if (!held) throw NONE;
    if (at === 'version') return { ...held.info, version: held.version, count: 0, etag: '' };
    if (method === 'GET') return { rooms: held.rooms };
    for (const [room, { sessions }] of Object.entries(body.rooms as Json)) {
      held.rooms[room] = { sessions: { ...held.rooms[room]?.sessions, ...sessions } };
    }
    return { count: 1, etag: String(++this.pos) };
  }

  private keep(session: string, body: Json) {
    const kept = this.statements.get(session) ?? [];
    for (const statement of body.statements as Json[]) kept.push({ number: kept.length + 1, ...statement });
    this.statements.set(session, kept);
    return {};
  }

  /** Pages of two, so that there are some. */
  private told(session: string, after: number) {
    this.statementPages += 1;
    const rest = (this.statements.get(session) ?? []).filter(({ number }) => number > after);
    return { statements: rest.slice(0, 2), more: rest.length > 2 };
  }

  /** What a server can do that wants to read along: another device in somebody's name. */
  plant(user: string, device: string, keys: Json): void {
    this.wire(user, device);
    this.keeper(user, device).keys = keys;
    this.announce(user);
  }

  keysOf(user: string, device: string): Json {
    return this.keeper(user, device).keys!;
  }

  /** Somebody begins anew, or somebody else does in their name. */
  forgetIdentity(user: string): void {
    this.identities.delete(user);
    this.announce(user);
  }

  drop(user: string, device: string): void {
    this.users.get(user)?.delete(device);
    this.announce(user);
  }
}
