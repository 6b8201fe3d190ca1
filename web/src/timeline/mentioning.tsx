import { useLayoutEffect, useRef, useState, type KeyboardEvent, type RefObject } from 'react';
import { nameOf } from '../store/select';
import { store } from '../store/store';
import { strings } from '../strings';
import type { User } from '../wire';
import { Avatar } from '../ui/Avatar';

const OPEN = /(?:^|[\s(])@([\p{L}\p{N}_.-]{0,32})$/u;
const OFFERED_MAX = 6;

export interface Naming {
  people: User[];
  at: number;
  choose: (person: User) => void;
  keys: (event: KeyboardEvent) => boolean;
  look: () => void;
  close: () => void;
  aria: Record<string, string | boolean | undefined>;
}

/** Completes `@name` under the caret with the people of the session; who spoke last comes first. */
export function useMentions(
  sessionId: string, field: RefObject<HTMLTextAreaElement | null>, text: string, write: (text: string) => void,
): Naming {
  const [word, setWord] = useState<string | null>(null);
  const [at, setAt] = useState(0);
  const people = word === null ? [] : offered(sessionId, word);

  // Before the next key can be typed, so that it lands behind the name.
  const caretAt = useRef<number | null>(null);
  useLayoutEffect(() => {
    if (caretAt.current !== null) field.current?.setSelectionRange(caretAt.current, caretAt.current);
    caretAt.current = null;
  }, [field, text]);

  const look = () => {
    const caret = field.current?.selectionStart ?? 0;
    const found = field.current?.selectionEnd === caret ? OPEN.exec(field.current.value.slice(0, caret)) : null;
    setWord(found ? found[1]!.toLowerCase() : null);
    setAt(0);
  };
  const close = () => setWord(null);
  const choose = (person: User) => {
    const caret = field.current!.selectionStart;
    const start = caret - word!.length;
    const before = `${text.slice(0, start)}${person.username} `;
    write(before + text.slice(caret));
    close();
    caretAt.current = before.length;
  };
  const keys = (event: KeyboardEvent): boolean => {
    if (!people.length) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) setAt((at + step + people.length) % people.length);
    else if ((event.key === 'Enter' && !event.shiftKey) || event.key === 'Tab') choose(people[at]!);
    else if (event.key === 'Escape') {
      event.stopPropagation();
      close();
    } else return false;
    event.preventDefault();
    return true;
  };
  const open = people.length > 0;
  const aria = open
    ? { role: 'combobox', 'aria-expanded': true, 'aria-controls': 'mentions', 'aria-activedescendant': `mention-${at}`, 'aria-autocomplete': 'list' }
    : {};
  return { people, at, choose, keys, look, close, aria };
}

function offered(sessionId: string, word: string): User[] {
  const state = store.getState();
  const recent = new Map<string, number>();
  for (const message of state.logs[sessionId]?.messages.slice(-100) ?? []) recent.set(message.sender_id, message.number);
  return Object.keys(state.seats[sessionId] ?? {})
    .filter((id) => id !== state.me?.user.id)
    .map((id) => state.users[id])
    .filter((user) => user !== undefined)
    .filter((user) => user.username.toLowerCase().startsWith(word) || user.name.toLowerCase().includes(word))
    .sort((a, b) => (recent.get(b.id) ?? 0) - (recent.get(a.id) ?? 0) || nameOf(a).localeCompare(nameOf(b)))
    .slice(0, OFFERED_MAX);
}

export function MentionList({ naming: { people, at, choose } }: { naming: Naming }) {
  if (!people.length) return null;
  return (
    <ul className="mentions" id="mentions" role="listbox" aria-label={strings.mentionList}>
      {people.map((person, index) => (
        <li key={person.id} id={`mention-${index}`} role="option" aria-selected={index === at}
          onMouseDown={(event) => { event.preventDefault(); choose(person); }}>
          <Avatar id={person.id} name={nameOf(person)} size="small" online={person.online} />
          <bdi>{nameOf(person)}</bdi> <span className="quiet">@{person.username}</span>
        </li>
      ))}
    </ul>
  );
}
