import { useMemo } from 'react';
import { readersText } from '../sessions/readers';
import { nameOf } from '../store/select';
import { useParlor } from '../store/store';
import { strings } from '../strings';
import type { Session } from '../wire';

const NOBODY: string[] = [];

interface Props {
  session: Session;
  direct: boolean;
  /** Says who is writing and nothing else. */
  quiet?: boolean;
}

/** One line above the field: who is writing; else, who can read. Its height never changes. */
export function TypingLine({ session, direct, quiet = false }: Props) {
  const typing = useParlor((state) => state.typing[session.id] ?? NOBODY);
  const users = useParlor((state) => state.users);
  const seats = useParlor((state) => state.seats[session.id]);
  const me = useParlor((state) => state.me!.user.id);
  const readers = useMemo(() => {
    const others = Object.keys(seats ?? {}).filter((id) => id !== me).map((id) => nameOf(users[id]));
    return readersText(session.main && !direct, session.member_count, others);
  }, [seats, users, me, session.main, direct, session.member_count]);
  const names = typing.map((id) => nameOf(users[id]));
  if (quiet && !names.length) return null;
  return (
    <p className={names.length ? 'typing typing-now' : 'typing'}>
      {names.length > 0 && <span className="typing-dots" aria-hidden="true"><i /><i /><i /></span>}
      <span>{names.length ? typingText(names) : readers}</span>
    </p>
  );
}

function typingText(names: string[]): string {
  if (names.length === 1) return strings.typingOne(names[0]!);
  if (names.length === 2) return strings.typingTwo(names[0]!, names[1]!);
  return strings.typingMany;
}
