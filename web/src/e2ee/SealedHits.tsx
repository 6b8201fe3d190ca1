import { useEffect, useState } from 'react';
import { pieces } from '../search/query';
import { paths } from '../shell/router';
import { fullTime, shortTime } from '../shell/when';
import { nameOf, roomTitle } from '../store/select';
import { useParlor } from '../store/store';
import { useSealing } from '../store/sealed';
import { Avatar } from '../ui/Avatar';
import { Link } from '../ui/controls';
import { Icon } from '../ui/Icon';
import './e2ee.css';
import { keys } from './page';
import type { FindAnswer, Found } from './types';
import { words } from './words';

const TYPING_MS = 200;

/** What this browser finds in messages that the server cannot search, and how far it has looked. */
export default function SealedHits({ text }: { text: string }) {
  const ready = useSealing((state) => state.at === 'ready');
  const [found, setFound] = useState<FindAnswer | null>(null);
  useEffect(() => {
    if (!ready || !text) return setFound(null);
    let stale = false;
    const timer = setTimeout(() => keys().call('find', text).then((answer) => !stale && setFound(answer), () => {}), TYPING_MS);
    return () => {
      stale = true;
      clearTimeout(timer);
    };
  }, [ready, text]);
  const sessions = useParlor((state) => state.sessions);
  if (!found) return null;
  // Sessions that one is in no more are not shown: their messages cannot be gone to.
  const hits = found.hits.filter((hit) => sessions[hit.session_id]);
  const { messages, since } = found.covers;
  return (
    <section className="sealed-hits" aria-label={words.findTitle}>
      <h2><Icon name="sealed" size={16} /> {words.findTitle}</h2>
      <p className="quiet">{since ? words.findCovers(messages, fullTime(since)) : words.findNone}</p>
      {since && !hits.length && <p className="quiet">{words.findNothing}</p>}
      <ol className="hits">{hits.map((hit) => <Hit key={hit.message_id} hit={hit} />)}</ol>
    </section>
  );
}

function Hit({ hit: { session_id, number, sender_id, sent_at, text, matches } }: { hit: Found }) {
  const sender = useParlor((state) => state.users[sender_id]);
  const session = useParlor((state) => state.sessions[session_id]!);
  const room = useParlor((state) => state.rooms[session.room_id]);
  const me = useParlor((state) => state.me!.user.id);
  const where = `${room ? roomTitle(room, me) : ''}${session.main ? '' : ` · ${session.name}`}`;
  return (
    <li className="hit">
      <Link to={paths.message(session.room_id, session_id, number)} className="hit-link">
        <Avatar id={sender_id} name={nameOf(sender)} />
        <span className="hit-text">
          <span className="hit-head">
            <bdi className="message-name">{nameOf(sender)}</bdi>
            <bdi className="hit-where">{where}</bdi>
            <time dateTime={sent_at} title={fullTime(sent_at)}>{shortTime(sent_at)}</time>
          </span>
          <bdi className="hit-snippet">{pieces(text, matches).map(([piece, match], at) => (match ? <mark key={at}>{piece}</mark> : <span key={at}>{piece}</span>))}</bdi>
        </span>
      </Link>
    </li>
  );
}
