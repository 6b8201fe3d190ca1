import { useEffect, useRef, useState, type FocusEvent, type KeyboardEvent, type RefObject } from 'react';
import { look } from '../shell/prefs';
import { isField } from '../shell/useShortcuts';
import { markRead } from '../store/actions';
import { rightsIn } from '../store/select';
import { sealedOf } from '../store/sealed';
import { store } from '../store/store';
import type { Message, Session } from '../wire';
import { dialogIsOpen } from '../ui/dialog';
import { pickReaction, react } from './Reactions';
import { edit, mayEdit, openThread, quote, replyTo } from './talk';
import { askDelete } from './Toolbar';
import type { Row } from './rows';
import type { View } from './useView';

interface Input {
  scroller: RefObject<HTMLDivElement | null>;
  rows: Row[];
  session: Session;
  view: View;
  clear: () => void;
}

const THUMB = '👍';
const STEPS: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: 1, PageUp: -1 };
const LETTER_STEPS: Record<string, number> = { j: 1, k: -1 };

/** The keys that act in the messages; the row that has the focus stays mounted while it scrolls away. */
export function useFeedKeys({ scroller, rows, session, view, clear }: Input) {
  const [focused, setFocused] = useState<number | null>(null);

  const focusRow = (from: number, step: number) => {
    let index = from;
    while (rows[index]?.kind === 'notices') index += step;
    if (!rows[index]) return;
    setFocused(index);
    view.list.current?.scrollToIndex(index, { align: 'nearest' });
    requestAnimationFrame(() => {
      scroller.current?.querySelector<HTMLElement>(`[data-index="${index}"] article`)?.focus({ preventScroll: true });
    });
  };

  const catchUp = () => {
    clear();
    markRead(session.id, session.head_number);
    view.toBottom();
    document.getElementById('composer')?.focus();
  };
  useEscape(catchUp);

  const onFocus = (event: FocusEvent) => {
    const row = (event.target as HTMLElement).closest<HTMLElement>('[data-index]');
    setFocused(row ? Number(row.dataset.index) : null);
  };

  const move = (event: KeyboardEvent): boolean => {
    const letters = look.getState().singleKeys && !event.shiftKey;
    const step = STEPS[event.key] ?? (letters ? LETTER_STEPS[event.key] : undefined);
    if (step) focusRow(focused === null ? rows.length - 1 : focused + step, step);
    else if (event.key === 'Home') focusRow(0, 1);
    else if (event.key === 'End') view.toBottom();
    else if (event.key === 'J' && event.shiftKey && look.getState().singleKeys) view.toOldest();
    else return false;
    return true;
  };

  const act = (event: KeyboardEvent): boolean => {
    const row = focused === null ? undefined : rows[focused];
    if (row?.kind !== 'message' || row.message.deleted_at) return false;
    return actOn(row.message, event);
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isField(event.target)) return;
    if (event.key === 'Escape') catchUp();
    else if (!move(event) && !act(event)) return;
    event.preventDefault();
  };

  return { onKeyDown, onFocus, kept: focused === null ? undefined : [focused] };
}

/** Esc means the same in the field below, and where nothing has the focus. */
function useEscape(catchUp: () => void): void {
  const latest = useRef(catchUp);
  useEffect(() => {
    latest.current = catchUp;
  });
  useEffect(() => {
    const listen = (event: globalThis.KeyboardEvent) => {
      if (event.key !== 'Escape' || event.defaultPrevented || dialogIsOpen()) return;
      const target = event.target as HTMLElement;
      if (target === document.body || target.id === 'composer') latest.current();
    };
    window.addEventListener('keydown', listen);
    return () => window.removeEventListener('keydown', listen);
  }, []);
}

export function actOn(message: Message, event: KeyboardEvent): boolean {
  const key = event.key;
  const state = store.getState();
  const own = message.sender_id === state.me?.user.id;
  const room = state.rooms[state.sessions[message.session_id]?.room_id ?? ''];
  const letters = look.getState().singleKeys;
  const article = (event.target as HTMLElement).closest<HTMLElement>('article');
  const sealed = sealedOf(message) !== null;
  if (sealed && message.clear?.state !== 'open' && key !== 'Delete') return false;
  if (key === 'r' && letters) replyTo(message);
  else if (key === 't' && letters && !message.thread_id && !sealed) openThread(message.session_id, message.id);
  else if (key === '>' && letters) quote(message);
  else if (key === '+' && letters) react(message, THUMB);
  else if (key === ':' && letters && article) pickReaction(message, article);
  else if (key === 'e' && letters && mayEdit(message)) edit(message);
  else if (key === 'Delete' && (own || (room && rightsIn(room).moderate))) askDelete(message);
  else return false;
  return true;
}
