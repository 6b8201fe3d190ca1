import { writeTo } from '../rooms/writeTo';
import { ask } from '../shell/ask';
import { setLook } from '../shell/prefs';
import { navigate, paths } from '../shell/router';
import { askSignOut } from '../settings/Profile';
import { faceOf, nameOf, roomTitle, sessionsOf, sortedRooms } from '../store/select';
import { say } from '../store/store';
import type { State } from '../store/state';
import { strings } from '../strings';
import { explain } from '../ui/explain';

export interface Entry {
  key: string;
  section: 'unread' | 'rooms' | 'people' | 'commands';
  title: string;
  about: string;
  avatar: { id: string; room: boolean } | null;
  unread: number;
  act: () => void;
}

/** Everything one can go to or do, the new first. */
export function allEntries(state: State): Entry[] {
  return [...places(state), ...people(state), ...commands()];
}

function places(state: State): Entry[] {
  const me = state.me?.user.id;
  const { rooms, direct, archived } = sortedRooms(state);
  const entries = [...rooms, ...direct, ...archived].flatMap((room) =>
    sessionsOf(state, room.id).map((session): Entry => {
      const title = roomTitle(room, me);
      return {
        key: session.id,
        section: session.unread ? 'unread' : 'rooms',
        title: session.main ? title : session.name,
        about: session.main ? '' : title,
        avatar: { id: faceOf(room, me), room: room.kind !== 'direct' },
        unread: session.unread,
        act: () => navigate(session.main ? paths.room(room.id) : paths.session(room.id, session.id)),
      };
    }),
  );
  return entries.sort((a, b) => Number(a.section === 'rooms') - Number(b.section === 'rooms'));
}

function people(state: State): Entry[] {
  return Object.values(state.users)
    .filter((user) => user.id !== state.me?.user.id)
    .sort((a, b) => nameOf(a).localeCompare(nameOf(b)))
    .map((user) => ({
      key: user.id,
      section: 'people',
      title: nameOf(user),
      about: `@${user.username}`,
      avatar: { id: user.id, room: false },
      unread: 0,
      act: () => void writeTo([user.id]).catch((error) => say(explain(error), true)),
    }));
}

function commands(): Entry[] {
  const list: [string, () => void][] = [
    [strings.newRoom, () => ask('NewRoom')],
    [strings.newDirect, () => ask('NewDirect')],
    [strings.threads, () => navigate(paths.threads)],
    [strings.browse, () => navigate(paths.browse)],
    [strings.searchMessages, () => navigate(paths.search())],
    [strings.settings, () => navigate(paths.settings())],
    [strings.help, () => navigate(paths.settings('shortcuts'))],
    ...Object.entries(strings.themes).map(([theme, name]): [string, () => void] => [
      `${strings.theme}: ${name}`, () => setLook({ theme: theme as 'system' }),
    ]),
    [strings.signOut, () => void askSignOut()],
  ];
  return list.map(([title, act]) => ({
    key: title, section: 'commands', title, about: '', avatar: null, unread: 0, act,
  }));
}

/** Entries that have every word of the text, those that begin with it first. */
export function matching(entries: Entry[], text: string): Entry[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return entries.filter((entry) => entry.section !== 'people');
  const found = entries.filter((entry) => {
    const hay = `${entry.title} ${entry.about}`.toLowerCase();
    return words.every((word) => hay.includes(word));
  });
  const order = ['unread', 'rooms', 'people', 'commands'];
  const begins = (entry: Entry) => Number(!entry.title.toLowerCase().startsWith(words[0]!));
  return found.sort((a, b) => order.indexOf(a.section) - order.indexOf(b.section) || begins(a) - begins(b)).slice(0, SHOWN_MAX);
}

const SHOWN_MAX = 40;
