import { useCallback, useEffect, useRef, useState } from 'react';
import { Files } from '../files/Files';
import { Markdown } from '../markdown/Markdown';
import { me as meApi } from '../net/api';
import { navigate, paths } from '../shell/router';
import { fullTime, shortTime } from '../shell/when';
import { loadUser } from '../store/actions';
import { nameOf, roomTitle } from '../store/select';
import { useAround, useParlor } from '../store/store';
import { strings } from '../strings';
import { openThread } from '../timeline/talk';
import type { FollowedThread } from '../wire';
import { Avatar } from '../ui/Avatar';
import { Button } from '../ui/controls';
import { explain } from '../ui/explain';
import { PageHead } from '../ui/PageHead';
import { Missing, Nothing, Waiting } from '../ui/Waiting';
import { ThreadLine } from './ThreadLine';
import './threads.css';

/** The threads that one follows. */
export default function Threads() {
  const { entries, error, more, busy, next, retry } = useThreads();
  return (
    <main id="main" className="page" aria-busy={!entries && !error} data-landmark tabIndex={-1}>
      <PageHead title={strings.threads} lead={strings.threadsLead} />
      <div className="page-body">
        {error && !entries ? <Missing why={error} onRetry={retry} />
          : !entries ? <Waiting rows={4} />
          : !entries.length ? <Nothing title={strings.noThreads} hint={strings.noThreadsHint} />
          : <ul className="thread-list">{entries.map((entry) => <Entry key={entry.message.id} entry={entry} />)}</ul>}
        {error && entries && <Missing why={error} onRetry={retry} />}
        {more && !error && <div className="page-actions"><Button busy={busy} onClick={next}>{strings.loadMore}</Button></div>}
      </div>
    </main>
  );
}

const CALM_MS = 600;

/** The followed threads page by page, begun anew when something happens in one. */
function useThreads() {
  const [entries, setEntries] = useState<FollowedThread[] | null>(null);
  const [cursor, setCursor] = useState<string | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const version = useParlor((state) => state.threadsVersion);
  const online = useAround((state) => state.link.at === 'open');
  const latest = useRef(0);
  const paged = useRef(false);

  const load = useCallback(async (from?: string) => {
    const asked = ++latest.current;
    setBusy(true);
    setError(null);
    try {
      const page = await meApi.threads(from);
      if (asked !== latest.current) return;
      page.threads.forEach(({ message }) => loadUser(message.sender_id));
      paged.current = Boolean(from);
      setEntries((held) => (from ? [...(held ?? []), ...page.threads] : page.threads));
      setCursor(page.next_cursor ?? null);
    } catch (reason) {
      if (asked === latest.current) setError(explain(reason));
    } finally {
      if (asked === latest.current) setBusy(false);
    }
  }, []);
  const first = useRef(true);
  useEffect(() => {
    // Whoever looks further back is not sent to the beginning.
    if (paged.current) return;
    const timer = setTimeout(() => void load(), first.current ? 0 : CALM_MS);
    first.current = false;
    return () => clearTimeout(timer);
  }, [load, version, online]);
  return { entries, error, busy, more: cursor !== null, next: () => void load(cursor!), retry: () => void load() };
}

function Entry({ entry: { message, room_id } }: { entry: FollowedThread }) {
  const sender = useParlor((state) => state.users[message.sender_id]);
  const room = useParlor((state) => state.rooms[room_id]);
  const session = useParlor((state) => state.sessions[message.session_id]);
  const me = useParlor((state) => state.me!.user);
  const where = `${room ? roomTitle(room, me.id) : ''}${session && !session.main ? ` · ${session.name}` : ''}`;
  const go = () => {
    openThread(message.session_id, message.id);
    navigate(paths.session(room_id, message.session_id));
  };
  const isNew = message.thread?.following && message.thread.unread > 0;
  return (
    <li className={isNew ? 'thread-entry thread-entry-new' : 'thread-entry'}>
      <p className="hit-head">
        <Avatar id={message.sender_id} name={nameOf(sender)} size="small" />
        <bdi className="message-name">{nameOf(sender)}</bdi>
        <bdi className="hit-where">{where}</bdi>
        <time className="quiet" dateTime={message.sent_at} title={fullTime(message.sent_at)}>{shortTime(message.sent_at)}</time>
      </p>
      {message.deleted_at ? <p className="tombstone">{strings.deletedMessage}</p>
        : message.content && <div className="thread-words"><Markdown source={message.content} username={me.username} /></div>}
      {message.files.length > 0 && <Files files={message.files} />}
      {message.thread && <ThreadLine message={message} onOpen={go} />}
    </li>
  );
}
