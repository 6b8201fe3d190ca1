import { strings } from '../strings';

const NAMED_MAX = 4;

/** Says in words who can read a session. */
export function readersText(main: boolean, count: number, others: string[]): string {
  if (main) return strings.readersAll(count);
  if (count <= 1) return strings.readersSelf;
  if (others.length !== count - 1 || others.length > NAMED_MAX) return strings.readersMany(count);
  return strings.readersFew(joinNames([...others, strings.you]));
}

export function joinNames(names: string[]): string {
  if (names.length <= 1) return names[0] ?? '';
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
