import type { Reader } from './types';

/** Whether somebody can read what is written now in a session that is for compared people only, or not. */
function canRead({ state, devices }: Reader, verifiedOnly: boolean): boolean {
  return devices.some(({ signed }) => signed) && !(verifiedOnly && state === 'first');
}

export interface Counts {
  /** Everybody who is in the session. */
  people: number;
  /** Of whom nobody said that they are let in; none of the other numbers counts them. */
  unvouched: number;
  devices: number;
  compared: number;
  without: number;
  changed: string[];
}

export function countsOf(readers: Reader[], verifiedOnly: boolean): Counts {
  const letIn = readers.filter(({ state }) => state !== 'unvouched');
  return {
    people: readers.length,
    unvouched: readers.length - letIn.length,
    devices: letIn.reduce((sum, { devices }) => sum + devices.filter(({ signed }) => signed).length, 0),
    compared: letIn.filter(({ state }) => state === 'verified').length,
    without: letIn.filter((reader) => !canRead(reader, verifiedOnly)).length,
    changed: letIn.filter(({ state }) => state === 'changed').map(({ user_id }) => user_id),
  };
}
