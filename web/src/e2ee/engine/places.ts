/** Where a device keeps what is its own in this browser. */

import { plainId } from './ids';

export const PREFIX = 'parlor-e2ee';

/** Whose keys: a person's, on one device. */
export function accountOf(user: string, device: string): string {
  return `${plainId(user)} ${device}`;
}

/** What the library's store is called. */
export function storeName(account: string): string {
  return `${PREFIX}-keys ${account}`;
}

/** Every database of an account's device, ours and the library's. */
export function databasesOf(account: string): string[] {
  const library = storeName(account);
  return [`${PREFIX} ${account}`, `${library}::matrix-sdk-crypto`, `${library}::matrix-sdk-crypto-meta`];
}
