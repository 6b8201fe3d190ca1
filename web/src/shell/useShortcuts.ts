import { useEffect, type ReactNode } from 'react';
import { countsByRoom, sessionsOf, sortedRooms } from '../store/select';
import { store } from '../store/store';
import { closeDialog, dialogIsOpen, openDialog } from '../ui/dialog';
import { isMac } from './keymap';
import { look, setLook } from './prefs';
import { navigate, paths, route } from './router';

/** The keys that act anywhere. */
export function useShortcuts(on: boolean, palette: () => ReactNode): void {
  useEffect(() => {
    if (!on) return;
    const act = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.isComposing) return;
      const done = combined(event, palette) || plain(event);
      if (done) event.preventDefault();
    };
    window.addEventListener('keydown', act);
    return () => window.removeEventListener('keydown', act);
  }, [on, palette]);
}

function combined(event: KeyboardEvent, palette: () => ReactNode): boolean {
  const mod = isMac ? event.metaKey : event.ctrlKey;
  if (mod && !event.altKey && !event.shiftKey) {
    if (event.key === 'k') return palette && togglePalette(palette);
    if (dialogIsOpen()) return false;
    if (event.key === 'f') return searchHere();
    if (event.key === '.') return setLook({ panel: !look.getState().panel }), true;
    if (event.key === ',') return navigate(paths.settings()), true;
    return false;
  }
  if (dialogIsOpen()) return false;
  if (mod && event.shiftKey && !event.altKey && event.key.toLowerCase() === 'f') return navigate(paths.search()), true;
  const vertical = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (event.altKey && !event.ctrlKey && !event.metaKey && vertical) return nextRoom(vertical, event.shiftKey);
  const sideways = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (event.altKey && event.ctrlKey && sideways) return nextSession(sideways);
  if (event.key === 'F6') return nextLandmark(event.shiftKey ? -1 : 1);
  return false;
}

function plain(event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey || dialogIsOpen() || isField(event.target)) return false;
  if (!look.getState().singleKeys) return false;
  if (event.key === '?') return navigate(paths.settings('shortcuts')), true;
  if (event.key === '/') return searchHere() || (navigate(paths.search()), true);
  return false;
}

/** Searches the room that is open. Where one searches already, the key is the browser's own again. */
export function searchHere(): boolean {
  const here = route();
  if (here.at === 'search') return false;
  navigate(paths.search(here.at === 'room' || here.at === 'room-settings' ? `in:${here.room}` : ''));
  return true;
}

export function isField(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches('input, textarea, select, [contenteditable]');
}

function togglePalette(palette: () => ReactNode): boolean {
  if (dialogIsOpen()) closeDialog();
  else openDialog(palette());
  return true;
}

function nextRoom(step: number, onlyUnread: boolean): boolean {
  const state = store.getState();
  const { rooms, direct } = sortedRooms(state);
  const counts = countsByRoom(state.sessions);
  const here = route();
  const current = here.at === 'room' ? here.room : '';
  const all = [...rooms, ...direct].filter((room) => !onlyUnread || counts.has(room.id) || room.id === current);
  if (!all.length) return true;
  const at = all.findIndex((room) => room.id === current);
  const next = all[(Math.max(at, step > 0 ? -1 : 0) + step + all.length) % all.length]!;
  navigate(paths.room(next.id));
  return true;
}

function nextSession(step: number): boolean {
  const here = route();
  if (here.at !== 'room') return false;
  const state = store.getState();
  const all = sessionsOf(state, here.room);
  const current = here.session ?? state.rooms[here.room]?.main_session_id;
  const at = all.findIndex((session) => session.id === current);
  const next = all[(at + step + all.length) % all.length];
  if (next) navigate(paths.session(here.room, next.id));
  return true;
}

/** Rail, list, conversation, panel: F6 goes round them. */
function nextLandmark(step: number): boolean {
  const marks = [...document.querySelectorAll<HTMLElement>('[data-landmark]')].filter((mark) => mark.offsetParent !== null);
  const at = marks.findIndex((mark) => mark.contains(document.activeElement));
  const next = marks[(at + step + marks.length) % marks.length];
  const inside = next?.querySelector<HTMLElement>('[data-landmark-focus], a[href], button, [tabindex="0"]');
  (inside ?? next)?.focus();
  return true;
}
