import { useCallback, useEffect, useLayoutEffect, useRef, useState, type RefObject } from 'react';
import type { VirtualizerHandle } from 'virtua';
import { loadAfter, loadAround, loadBefore, loadNewest, markRead } from '../store/actions';
import { say } from '../store/store';
import type { Log } from '../store/state';
import { plainAfter } from '../store/window';
import { explain } from '../ui/explain';
import type { Session } from '../wire';
import type { Row } from './rows';
import { openThread, useTalk } from './talk';

interface Input {
  session: Session;
  log: Log;
  rows: Row[];
  pending: number;
  marker: number | null;
  setMarker: (marker: number | null) => void;
  goTo: number | null;
}

export interface View {
  list: RefObject<VirtualizerHandle | null>;
  shift: boolean;
  atBottom: boolean;
  /** How many unread messages begin above what is visible. */
  unreadAbove: number;
  lit: number | null;
  onScroll: () => void;
  onResize: () => void;
  toBottom: () => void;
  toOldest: () => void;
  goToNumber: (number: number) => void;
}

const NEAR_PX = 900;
/** Whoever stays at the end has not begun to look back. */
const NEAR_AT_END_PX = 300;
const BOTTOM_PX = 32;
const MARKER_GAP_PX = 72;
const LIT_MS = 2_400;
/** After a jump, its rows are there. */
const DRAWN_MS = 80;

/** Where the reader is in a session: follows the end, pages both ways, moves the read marker. */
export function useView({ session, log, rows, pending, marker, setMarker, goTo }: Input): View {
  const list = useRef<VirtualizerHandle>(null);
  const bottom = useRef(goTo === null && marker === null);
  const offset = useRef(0);
  const placed = useRef(false);
  /** A jump is under way: the end has no pull until it has landed. */
  const aiming = useRef(goTo !== null);
  const [atBottom, setAtBottom] = useState(true);
  const [unreadAbove, setUnreadAbove] = useState(0);
  const [target, setTarget] = useState<number | null>(goTo);
  const [lit, setLit] = useState<number | null>(null);
  /** Somebody asked for the jump here, and goes with it. */
  const going = useRef(false);
  const id = session.id;
  const shift = useShift(rows);

  const look = useCallback(() => {
    const view = list.current;
    if (!view || !placed.current || !rows.length) return;
    const end = view.scrollOffset + view.viewportSize;
    const low = view.scrollSize - end < BOTTOM_PX;
    // Only a scroll upwards leaves the end; growing rows and a shrinking window do not.
    if (low && !log.hasAfter && !aiming.current) bottom.current = true;
    else if (view.scrollOffset < offset.current - 1) bottom.current = false;
    offset.current = view.scrollOffset;
    setAtBottom(bottom.current && !log.hasAfter);
    setUnreadAbove(marker === null ? 0 : countAbove(view, rows, log, marker, session.head_number));
    if (view.scrollOffset < (bottom.current ? NEAR_AT_END_PX : NEAR_PX)) void loadBefore(id).catch(ignore);
    if (view.scrollSize - end < NEAR_PX) void loadAfter(id).catch(ignore);
    if (document.visibilityState !== 'visible' || !document.hasFocus()) return;
    const seen = lastSeen(view, rows, end);
    if (seen !== null) markRead(id, seen);
  }, [id, rows, log, marker, session.head_number]);

  const follow = useCallback(() => {
    if (placed.current && bottom.current) list.current?.scrollToIndex(rows.length - 1, { align: 'end' });
  }, [rows.length]);

  // The first look: at the oldest unread message, or at the end.
  useLayoutEffect(() => {
    if (!log.loaded) placed.current = false;
    if (placed.current || !log.loaded || !rows.length) return;
    placed.current = true;
    const fresh = rows.findIndex((row) => row.fresh);
    if (target !== null) return;
    if (fresh >= 0) list.current?.scrollToIndex(fresh, { align: 'start', offset: -MARKER_GAP_PX });
    else {
      bottom.current = true;
      list.current?.scrollToIndex(rows.length - 1, { align: 'end' });
    }
  }, [log.loaded, rows, target]);

  useLayoutEffect(() => {
    // With other rows the old offset says nothing about who scrolled.
    offset.current = -Infinity;
    follow();
  }, [follow, rows]);
  useEffect(() => {
    const frame = requestAnimationFrame(look);
    return () => cancelAnimationFrame(frame);
  }, [look]);
  useAttention(look);

  // A page of nothing but replies in threads shows nothing: there is more on either side.
  useEffect(() => {
    if (!log.loaded || rows.some((row) => row.kind === 'message')) return;
    if (log.hasBefore) void loadBefore(id).catch(ignore);
    else if (log.hasAfter) void loadAfter(id).catch(ignore);
  }, [id, log, rows]);

  const toBottom = useCallback(() => {
    aiming.current = false;
    bottom.current = true;
    setAtBottom(true);
    if (log.hasAfter) void loadNewest(id).catch((error) => say(explain(error), true));
    else list.current?.scrollToIndex(rows.length - 1, { align: 'end' });
  }, [id, log.hasAfter, rows.length]);

  // What one writes is seen at once.
  const before = useRef(pending);
  useLayoutEffect(() => {
    if (pending > before.current) toBottom();
    before.current = pending;
  }, [pending, toBottom]);

  const goToNumber = useCallback((number: number) => {
    bottom.current = false;
    aiming.current = true;
    setTarget(number);
    void loadAround(id, number).catch((error) => {
      setTarget(null);
      aiming.current = false;
      say(explain(error), true);
    });
  }, [id]);

  useEffect(() => {
    if (goTo !== null && log.loaded) goToNumber(goTo);
  }, [goTo, log.loaded, goToNumber]);
  useLayoutEffect(() => {
    if (target === null) return;
    const reply = log.messages.find((message) => message.number === target && message.thread_id);
    if (reply) {
      openThread(id, reply.thread_id!, reply.number);
      going.current = false;
      // Beside it, what it answers.
      const root = log.messages.find((message) => message.id === reply.thread_id);
      setTarget(root?.number ?? null);
      if (!root) aiming.current = false;
      return;
    }
    if (!placed.current) return;
    const index = rows.findIndex((row) => row.kind === 'message' && row.message.number === target);
    if (index < 0) return;
    list.current?.scrollToIndex(index, { align: 'center' });
    setLit(target);
    setTarget(null);
    bottom.current = false;
    aiming.current = false;
  }, [id, target, rows, log.messages]);
  useEffect(() => {
    if (lit === null) return;
    if (going.current) setTimeout(() => document.querySelector<HTMLElement>(`.feed article[data-number="${lit}"]`)?.focus({ preventScroll: true }), DRAWN_MS);
    going.current = false;
    const timer = setTimeout(() => setLit(null), LIT_MS);
    return () => clearTimeout(timer);
  }, [lit]);
  const go = useCallback((number: number) => {
    going.current = true;
    goToNumber(number);
  }, [goToNumber]);
  useJumps(id, rows, list, go);

  const toOldest = useCallback(() => {
    if (marker !== null) goToNumber(Math.min(marker + 1, session.head_number));
  }, [marker, session.head_number, goToNumber]);

  // What comes while nobody looks gets a line above it.
  useEffect(() => {
    if (marker === null && session.unread > 0 && !document.hasFocus()) setMarker(session.read_number);
  }, [marker, session.unread, session.read_number, setMarker]);

  return {
    list, shift, atBottom: atBottom || !log.loaded, unreadAbove, lit, toBottom, toOldest, goToNumber,
    onScroll: look,
    onResize: () => {
      follow();
      look();
    },
  };
}

/** Whether rows were only put before the others, so that what is visible must stay where it is. */
function useShift(rows: Row[]): boolean {
  const seen = useRef({ first: '', last: '' });
  const first = rows[0]?.key ?? '';
  const last = rows.at(-1)?.key ?? '';
  const shift = seen.current.first !== '' && seen.current.first !== first && seen.current.last === last;
  useLayoutEffect(() => {
    seen.current = { first, last };
  });
  return shift;
}

/** Looks again when the window gets the reader's attention back. */
function useAttention(look: () => void): void {
  useEffect(() => {
    window.addEventListener('focus', look);
    document.addEventListener('visibilitychange', look);
    return () => {
      window.removeEventListener('focus', look);
      document.removeEventListener('visibilitychange', look);
    };
  }, [look]);
}

function useJumps(
  id: string, rows: Row[], list: RefObject<VirtualizerHandle | null>, goToNumber: (number: number) => void,
): void {
  const jump = useTalk((state) => (state.jump?.session === id ? state.jump : null));
  const done = useRef(jump);
  useEffect(() => {
    if (!jump || done.current === jump) return;
    done.current = jump;
    goToNumber(jump.number);
  }, [jump, goToNumber]);
  const editing = useTalk((state) => state.editing);
  useEffect(() => {
    if (!editing) return;
    const index = rows.findIndex((row) => row.kind === 'message' && row.message.id === editing);
    if (index >= 0) list.current?.scrollToIndex(index, { align: 'nearest' });
    // Only when editing begins, not whenever a row comes.
  }, [editing]);
}

function numberOf(row: Row | undefined): number | null {
  return row?.kind === 'message' ? row.message.number : null;
}

/** The newest message that is wholly visible. */
function lastSeen(view: VirtualizerHandle, rows: Row[], end: number): number | null {
  let index = view.findItemIndex(Math.max(0, end - 1));
  if (view.getItemOffset(index) + view.getItemSize(index) > end + BOTTOM_PX) index -= 1;
  for (; index >= 0; index -= 1) {
    const number = numberOf(rows[index]);
    if (number !== null) return number;
  }
  return null;
}

function countAbove(view: VirtualizerHandle, rows: Row[], log: Log, marker: number, head: number): number {
  const unread = plainAfter(log, head, marker);
  const first = log.messages[0]?.number ?? 0;
  if (marker + 1 < first) return unread;
  const index = rows.findIndex((row) => row.fresh);
  return index >= 0 && view.getItemOffset(index) < view.scrollOffset - BOTTOM_PX ? unread : 0;
}

function ignore(): void {
  // A page that could not be fetched is asked for again at the next scroll.
}
