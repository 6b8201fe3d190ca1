import { plainText } from '../markdown/parse';
import { navigate, paths, route } from '../shell/router';
import { strings } from '../strings';
import { announce } from '../ui/live';
import type { Message, Removed } from '../wire';
import { nameOf, roomTitle } from './select';
import type { State } from './state';
import { say, store } from './store';
import { rootOf } from './threads';

/** Tells, in words, what happened elsewhere. */

export function tellRemoved(removed: Removed, before: State): void {
  const room = before.rooms[removed.room_id];
  const session = before.sessions[removed.session_id];
  const name = removed.room ? room && roomTitle(room, before.me?.user.id) : session?.name;
  const here = route();
  const inRoom = (here.at === 'room' || here.at === 'room-settings') && here.room === removed.room_id;
  if (inRoom && removed.room) navigate(paths.home, true);
  const words = strings.removedToast[removed.reason];
  if (name && words) say(words(name));
}

const TEXT_MAX = 120;

/** A new message in the session that is open is read out, or in a thread of it that one follows; others show in the list only. */
export function tellPosted(message: Message): void {
  const state = store.getState();
  const here = route();
  const open = here.at === 'room' ? (here.session ?? state.rooms[here.room]?.main_session_id) : null;
  if (open !== message.session_id) return;
  const { thread_id } = message;
  if (thread_id && !rootOf(state, message.session_id, thread_id)?.thread?.following) return;
  const room = state.rooms[state.sessions[message.session_id]?.room_id ?? ''];
  const where = room ? roomTitle(room, state.me?.user.id) : '';
  const text = plainText(message.content).slice(0, TEXT_MAX);
  const from = thread_id ? strings.announceReply : strings.announceFrom;
  announce(from(nameOf(state.users[message.sender_id]), text), (count) => strings.announceNew(count, where));
}
