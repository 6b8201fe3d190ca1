import type { Statement } from './statement';

/**
 * Who is let into a session: this device's own record. The server's list says who is in it, and the roll who
 * of them gets keys. Oneself is always let in, and stands in no roll.
 */
export interface Roll {
  /** Statements that were made for earlier members than these do not count. */
  since: number;
  let_in: string[];
  /** When those left who were let in, and for which members the newest statement about somebody was made. */
  gone: [user: string, version: number][];
  vouched: [user: string, version: number][];
  /** The number of the last statement that was read. */
  read: number;
}

/** The server's list of the others in a session. */
export interface List {
  users: string[];
  version: number;
}

/** Statements that are valid, in their order. */
export interface Told {
  statements: Statement[];
  read: number;
}

/** Of a session that this device sees for the first time: everybody who is there is let in. */
export function firstRoll({ users, version }: List): Roll {
  return { since: version, let_in: users, gone: [], vouched: [], read: 0 };
}

/** Of a session that this device made: those are let in who were named. */
export function madeRoll(users: string[]): Roll {
  return firstRoll({ users, version: 0 });
}

/** Of those whom this device found there, none but who were named is let in. */
export function only(roll: Roll, named: string[]): Roll {
  return { ...roll, let_in: roll.let_in.filter((user) => named.includes(user)) };
}

export function missing(roll: Roll, { users }: List): string[] {
  const before = new Set(roll.let_in);
  return users.filter((user) => !before.has(user));
}

/** The roll after a look at the list, and at what was told since the last one. */
export function take(roll: Roll, { users, version }: List, me: string, told: Told): Roll {
  const [before, here] = [new Set(roll.let_in), new Set(users)];
  const vouched = new Map(roll.vouched);
  const gone = new Map(roll.gone);
  for (const user of before) {
    // Whatever version the server tells: what let them in once lets them in no more.
    if (!here.has(user)) gone.set(user, Math.max(version, (vouched.get(user) ?? -1) + 1));
  }
  const floor = (user: string) => Math.max(roll.since, gone.get(user) ?? 0);
  const isVouched = (user: string) => (vouched.get(user) ?? -1) >= floor(user);
  for (const { by, user_id, membership_version } of told.statements) {
    const counts = by === me || before.has(by) || isVouched(by);
    if (counts && membership_version >= floor(user_id)) vouched.set(user_id, Math.max(membership_version, vouched.get(user_id) ?? 0));
  }
  const let_in = users.filter((user) => before.has(user) || isVouched(user));
  return { since: roll.since, let_in, gone: [...gone], vouched: [...vouched], read: told.read };
}
