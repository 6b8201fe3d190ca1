import { useEffect, useLayoutEffect, useMemo, useRef, useState, type KeyboardEvent } from 'react';
import { useDrop } from '../files/useDrop';
import { usePast } from '../shell/usePast';
import { usePhone } from '../shell/usePhone';
import { isField } from '../shell/useShortcuts';
import { closeReplies, followThread, loadRepliesBefore, loadRepliesTo, markThreadRead, openReplies } from '../store/actions';
import { closesAt, endOf } from '../store/ending';
import { mayPin, rightsIn } from '../store/select';
import type { Replies } from '../store/state';
import { say, useAround, useParlor } from '../store/store';
import { strings } from '../strings';
import { Composer } from '../timeline/Composer';
import { actOn } from '../timeline/feedKeys';
import { MessageRow } from '../timeline/MessageRow';
import { PendingRow } from '../timeline/PendingRow';
import { pendingReplies } from '../timeline/rows';
import { closeSide, focusComposer } from '../timeline/talk';
import type { Message, Room, Session } from '../wire';
import { Button } from '../ui/controls';
import { explain } from '../ui/explain';
import { Missing, Waiting } from '../ui/Waiting';
import { SidePanel } from './SidePanel';
import './threads.css';

const GROUP_MS = 5 * 60_000;
const LIT_MS = 2_400;
const END_PX = 48;

interface Props {
  room: Room;
  session: Session;
  root: string;
  /** The reply to light up. */
  number: number | null;
}

/** A thread beside its session: the message that began it, its replies, and a field of its own. */
export function ThreadPanel({ room, session, root, number }: Props) {
  const { thread, error, retry } = useReplies(session.id, root, number);
  const soon = usePast(closesAt(session));
  const closed = session.ended_at ? strings.ended : soon ? strings.endsSoon : room.archived_at ? strings.isArchived : null;
  const box = useRef<HTMLDivElement>(null);
  const over = useDrop(box, closed ? null : root);
  return (
    <SidePanel title={strings.thread} action={thread && <Follow message={thread.root} />}>
      <div className="conversation" ref={box}>
        {over && <p className="drop">{strings.dropHere}</p>}
        {thread ? <Talk room={room} session={session} thread={thread} number={number} />
          : <div className="thread-scroll">{error ? <Missing why={error} onRetry={retry} /> : <Waiting />}</div>}
        <div className="foot thread-foot">
          {closed ? <p className="foot-closed">{closed}</p> : <Composer key={root} session={session} title={strings.thread} thread={root} />}
        </div>
      </div>
    </SidePanel>
  );
}

/** What was said in a thread, while it is looked at; back to the reply that is to be lit up. */
function useReplies(sessionId: string, root: string, number: number | null) {
  const thread = useParlor((state) => state.threads[root]);
  const online = useAround((state) => state.link.at === 'open');
  const [error, setError] = useState<string | null>(null);
  const [tries, setTries] = useState(0);
  const known = Boolean(thread);
  useEffect(() => {
    let stale = false;
    const failed = (reason: unknown) => !stale && setError(explain(reason));
    if (!known) openReplies(sessionId, root).then(() => !stale && setError(null), failed);
    else if (number !== null) loadRepliesTo(root, number).catch(failed);
    return () => {
      stale = true;
    };
  }, [known, online, tries, sessionId, root, number]);
  useEffect(() => () => closeReplies(root), [root]);
  const retry = () => {
    setError(null);
    setTries(tries + 1);
  };
  return { thread, error, retry };
}

/** The messages of a thread that is loaded. */
function Talk({ room, session, thread, number }: Omit<Props, 'root'> & { thread: Replies }) {
  const { root, messages, hasBefore } = thread;
  const outbox = useAround((state) => state.outbox);
  const pending = useMemo(() => pendingReplies(outbox, root.id, messages), [outbox, root.id, messages]);
  // Where the new begins, as it was when one came: what is read meanwhile moves no line.
  const [marker] = useState(() => (root.thread?.unread ? root.thread.read_number : null));
  const scroller = useFollow(thread, pending.length, number);
  const lit = useLit(number);
  const [busy, setBusy] = useState(false);
  const place = { mayDelete: rightsIn(room).moderate, mayPin: mayPin(room, session), ends: endOf(session) };
  const fresh = marker === null ? -1 : messages.findIndex((message) => message.number > marker);
  const earlier = () => {
    setBusy(true);
    loadRepliesBefore(root.id).catch((error) => say(explain(error), true)).finally(() => setBusy(false));
  };
  return (
    <div className="thread-scroll" ref={scroller} role="feed" aria-label={strings.repliesIn} aria-busy={busy} tabIndex={0} onKeyDown={walk(root, messages)}>
      <MessageRow message={root} head total={-1} inThread lit={false} faces="" storedMark={false} {...place} />
      <p className="thread-divider"><span>{root.thread?.replies ? strings.replies(root.thread.replies) : strings.noReplies}</span></p>
      {hasBefore && <Button look="quiet" className="thread-earlier" busy={busy} onClick={earlier}>{strings.earlierReplies}</Button>}
      {messages.map((message, at) => (
        <div key={message.client_id || message.id}>
          {at === fresh && <div className="fresh"><span>{strings.newMarker}</span></div>}
          <MessageRow message={message} head={at === fresh || isHead(messages, at)} total={-1} inThread
            lit={lit === message.number} faces="" storedMark={false} {...place} />
        </div>
      ))}
      {pending.map((item) => <PendingRow key={item.client_id} item={item} head />)}
    </div>
  );
}

function isHead(messages: Message[], at: number): boolean {
  const [before, message] = [messages[at - 1], messages[at]!];
  return !before || before.sender_id !== message.sender_id || Boolean(message.reply_to) || Date.parse(message.sent_at) - Date.parse(before.sent_at) > GROUP_MS;
}

function Follow({ message }: { message: Message }) {
  const following = message.thread?.following ?? false;
  const toggle = () => void followThread(message.session_id, message.id, !following).catch((error) => say(explain(error), true));
  return (
    <Button className={following ? 'thread-follow thread-followed' : 'thread-follow'} title={following ? strings.unfollow : strings.followHint} onClick={toggle}>
      {following ? strings.following : strings.follow}
    </Button>
  );
}

/** Keeps the newest reply in view while one is at the end, and what is seen read. */
function useFollow({ root: { id }, messages }: Replies, pending: number, number: number | null) {
  const scroller = useRef<HTMLDivElement>(null);
  const atEnd = useRef(number === null);
  const last = messages.at(-1)?.number ?? 0;
  const found = number !== null && messages.some((message) => message.number === number);
  useEffect(() => {
    const box = scroller.current!;
    const look = () => {
      atEnd.current = box.scrollHeight - box.scrollTop - box.clientHeight < END_PX;
      if (atEnd.current && document.hasFocus()) markThreadRead(id);
    };
    box.addEventListener('scroll', look, { passive: true });
    window.addEventListener('focus', look);
    return () => {
      box.removeEventListener('scroll', look);
      window.removeEventListener('focus', look);
    };
  }, [id]);
  useLayoutEffect(() => {
    if (!found) return;
    atEnd.current = false;
    scroller.current!.querySelector(`[data-number="${number}"]`)?.scrollIntoView({ block: 'center' });
  }, [number, found]);
  // What one writes is seen at once.
  const before = useRef(pending);
  useLayoutEffect(() => {
    const box = scroller.current!;
    if (pending > before.current) atEnd.current = true;
    before.current = pending;
    if (!atEnd.current) return;
    box.scrollTop = box.scrollHeight;
    if (last && document.hasFocus()) markThreadRead(id);
  }, [id, last, pending]);
  return scroller;
}

function useLit(number: number | null): number | null {
  const [lit, setLit] = useState(number);
  useEffect(() => {
    setLit(number);
    const timer = setTimeout(() => setLit(null), LIT_MS);
    return () => clearTimeout(timer);
  }, [number]);
  return lit;
}

const STEPS: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, j: 1, k: -1 };

/** The keys of the timeline, in a thread. */
function walk(root: Message, messages: Message[]) {
  return (event: KeyboardEvent<HTMLDivElement>) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isField(event.target)) return;
    const all = [...event.currentTarget.querySelectorAll<HTMLElement>('article')];
    const at = all.findIndex((row) => row.contains(document.activeElement));
    const step = STEPS[event.key];
    if (event.key === 'Escape') closeSide();
    else if (step) all[at < 0 ? all.length - 1 : Math.max(0, Math.min(all.length - 1, at + step))]?.focus();
    else {
      const id = all[at]?.dataset.id;
      const message = id === root.id ? root : messages.find((one) => one.id === id);
      if (!message || message.deleted_at) return;
      // Whatever is written here answers what the thread is under.
      if (message === root && event.key === 'r') focusComposer(root.id);
      else if (!actOn(message, event)) return;
    }
    event.preventDefault();
    event.stopPropagation();
  };
}
