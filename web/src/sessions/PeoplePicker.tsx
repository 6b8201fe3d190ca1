import { useEffect, useId, useState } from 'react';
import { users as usersApi } from '../net/api';
import { nameOf } from '../store/select';
import { strings } from '../strings';
import type { User } from '../wire';
import { Avatar } from '../ui/Avatar';
import { Icon } from '../ui/Icon';

interface Props {
  label: string;
  chosen: User[];
  onChange: (people: User[]) => void;
  /** The people to choose from; absent: everybody on the server. */
  from?: User[];
  /** Who is not offered. */
  except: Set<string>;
  empty?: string;
}

/** Chooses people: a field that narrows, and a list to tick. */
export function PeoplePicker({ label, chosen, onChange, from, except, empty }: Props) {
  const id = useId();
  const [text, setText] = useState('');
  const offered = useOffered(text, from).filter((person) => !except.has(person.id));
  const picked = new Set(chosen.map((person) => person.id));
  const toggle = (person: User) =>
    onChange(picked.has(person.id) ? chosen.filter((other) => other.id !== person.id) : [...chosen, person]);
  const nobody = from && !from.some((person) => !except.has(person.id));
  if (nobody && empty) return <p className="quiet">{empty}</p>;
  return (
    <fieldset className="picker">
      <legend>{label}</legend>
      <div className="field-box">
        <Icon name="search" size={18} />
        <input type="search" value={text} placeholder={strings.findPeople} aria-label={strings.findPeople}
          autoComplete="off" onChange={(event) => setText(event.target.value)} />
      </div>
      <p className="hidden" aria-live="polite">{chosen.length > 0 && strings.chosen(chosen.map(nameOf).join(', '))}</p>
      <ul className="picker-list">
        {offered.map((person) => (
          <li key={person.id}>
            <label className="picker-row" htmlFor={`${id}-${person.id}`}>
              <Avatar id={person.id} name={nameOf(person)} size="small" online={person.online} />
              <span className="picker-name"><bdi>{nameOf(person)}</bdi> <span className="quiet">@{person.username}</span></span>
              <input id={`${id}-${person.id}`} type="checkbox" checked={picked.has(person.id)} onChange={() => toggle(person)} />
            </label>
          </li>
        ))}
      </ul>
      {offered.length === 0 && <p className="quiet picker-none">{strings.nobody}</p>}
    </fieldset>
  );
}

function useOffered(text: string, from: User[] | undefined): User[] {
  const [found, setFound] = useState<User[]>([]);
  useEffect(() => {
    if (from) return;
    let stale = false;
    const timer = setTimeout(async () => {
      const list = await usersApi.find(text).catch(() => ({ users: [] }));
      if (!stale) setFound(list.users);
    }, text ? 150 : 0);
    return () => {
      stale = true;
      clearTimeout(timer);
    };
  }, [text, from]);
  if (!from) return found;
  const wanted = text.trim().toLowerCase();
  return from.filter((person) => `${person.name} ${person.username}`.toLowerCase().includes(wanted));
}
