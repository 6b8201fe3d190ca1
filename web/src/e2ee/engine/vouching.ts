import type { OlmMachine } from '@matrix-org/matrix-sdk-crypto-wasm';
import type { People } from './people';
import { firstRoll, madeRoll, missing, only, take, type List, type Roll, type Told } from './roll';
import { isValid, isVersion, readClaim, writeStatement, type Claim, type Signed } from './statement';
import type { Wire } from './wire';

/** Members let each other in: here statements are made and read, and the roll of each session is kept. */

/** Where the rolls outlive the page. */
export interface Rolls {
  roll(session: string): Promise<Roll | null>;
  keepRoll(session: string, roll: Roll): Promise<void>;
}

interface StatementPage {
  statements: ({ number: number } & Signed)[];
  more: boolean;
}

const PAGES_MAX = 40;

export class Vouching {
  constructor(
    private readonly machine: OlmMachine,
    private readonly people: People,
    private readonly wire: Wire,
    private readonly rolls: Rolls,
    private readonly me: string,
  ) {}

  async knows(session: string): Promise<boolean> {
    return (await this.rolls.roll(session)) !== null;
  }

  /** Begins the roll of a session that was made here. One that is there already is not begun anew: the server may name an old session. */
  async begin(session: string, named: string[]): Promise<void> {
    const held = await this.rolls.roll(session);
    await this.rolls.keepRoll(session, held ? only(held, named) : madeRoll(this.others(named)));
  }

  /** Signs and posts that these people are let in. */
  async letIn(session: string, users: string[]): Promise<void> {
    const { version } = await this.people.of(session, null);
    await this.people.meet(users);
    const statements: Signed[] = [];
    for (const user of users) statements.push(await this.sign(session, user, version));
    await this.wire.call('POST', `/e2ee/statements/${session}`, { statements });
  }

  private async sign(session_id: string, user_id: string, membership_version: number): Promise<Signed> {
    const identity = await this.people.masterKey(user_id);
    const text = writeStatement({ session_id, user_id, by: this.me, membership_version, ...(identity ? { identity } : {}) });
    const all = JSON.parse((await this.machine.sign(text)).asJSON()) as Record<string, Signed['signatures']>;
    return { text, signatures: all[this.machine.userId.toString()]! };
  }

  /** Who of the list is let in, and whether that is different from the last look. */
  async look(session: string, { users, version }: List): Promise<{ users: string[]; changed: boolean }> {
    const list = { users: this.others(users), version };
    const held = await this.rolls.roll(session);
    const roll = held ? await this.next(session, held, list) : firstRoll(list);
    if (!isSame(held, roll)) await this.rolls.keepRoll(session, roll);
    const letIn = new Set([this.me, ...roll.let_in]);
    return { users: users.filter((user) => letIn.has(user)), changed: held !== null && !isSame(held.let_in, roll.let_in) };
  }

  private async next(session: string, held: Roll, list: List): Promise<Roll> {
    const unknown = missing(held, list);
    const told = unknown.length ? await this.hear(session, held.read, unknown) : { statements: [], read: held.read };
    return take(held, list, this.me, told);
  }

  /** The statements that came since, as far as they are valid. */
  private async hear(session: string, after: number, unknown: string[]): Promise<Told> {
    const { claims, read } = await this.fetch(session, after);
    // Whoever is let in, and whoever says so, is known as they are now.
    if (claims.length) await this.people.meet([...new Set([...unknown, ...claims.map(({ says }) => says.by)])]);
    const statements = [];
    for (const claim of claims) if (await isValid(claim, session, this.people)) statements.push(claim.says);
    return { statements, read };
  }

  private async fetch(session: string, after: number): Promise<{ claims: Claim[]; read: number }> {
    const claims: Claim[] = [];
    let read = after;
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const before = read;
      const { statements, more } = await this.wire.call<StatementPage>('GET', `/e2ee/statements/${session}?after=${read}`);
      for (const told of statements) {
        if (!isVersion(told?.number) || told.number <= read) continue;
        read = told.number;
        const claim = readClaim(told);
        if (claim) claims.push(claim);
      }
      if (!more || read === before) break;
    }
    return { claims, read };
  }

  private others(users: string[]): string[] {
    return users.filter((user) => user !== this.me);
  }
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
