import { lazy, Suspense, useEffect, useMemo, useRef, useState, type KeyboardEvent } from 'react';
import { navigate, paths } from '../shell/router';
import { fullTime, shortTime } from '../shell/when';
import { nameOf, roomTitle } from '../store/select';
import { useSealing } from '../store/sealed';
import { useParlor } from '../store/store';
import { strings } from '../strings';
import type { SearchHit } from '../wire';
import { Avatar } from '../ui/Avatar';
import { Button, Link } from '../ui/controls';
import { Icon } from '../ui/Icon';
import { PageHead } from '../ui/PageHead';
import './search.css';
import { pieces, readQuery, unmarked, writeQuery } from './query';
import { SearchField } from './SearchField';
import { useSearch } from './useSearch';

const SealedHits = lazy(() => import('../e2ee/SealedHits'));

/** Finds what was said, everywhere that one may read. The address holds the question. */
export default function Search({ text }: { text: string }) {
  const [query, setQuery] = useState(() => readQuery(text));
  const written = useRef(text);
  // Another question came by the address: the back button, a key.
  useEffect(() => {
    if (text === written.current) return;
    written.current = text;
    setQuery(readQuery(text));
    document.querySelector<HTMLElement>('.search-box input')?.focus();
  }, [text]);
  const asked = writeQuery(query);
  const short = asked.length === 1 && /[a-z0-9]/i.test(asked);
  const found = useSearch(short ? '' : asked);
  const list = useRef<HTMLOListElement>(null);
  const sealing = useSealing(({ at }) => at === 'ready');
  useEffect(() => {
    if (found.asked !== asked || found.asked === written.current) return;
    written.current = asked;
    navigate(paths.search(asked), true);
  }, [found.asked, asked]);
  return (
    <main id="main" className="page search" data-landmark tabIndex={-1}>
      <PageHead title={strings.searchTitle} />
      <div className="page-body" role="search" aria-label={strings.searchTitle}>
        <SearchField query={query} busy={found.busy} onChange={setQuery}
          onDown={() => list.current?.querySelector<HTMLElement>('a')?.focus()} />
        <p className="hidden" aria-live="polite">{asked && !found.busy && !found.error ? strings.results(found.hits.length) : ''}</p>
        {found.error ? <p className="form-error" role="alert"><Icon name="alert" size={16} /> {found.error}</p>
          : !asked ? <Teach onChoose={(words) => setQuery({ ...query, words })} />
          : short ? <p className="quiet search-none">{strings.searchShort}</p>
          : found.asked && !found.busy && !found.hits.length && !found.more ? (sealing ? <p className="quiet">{strings.searchNothingOpen}</p> : <Nothing />)
          : null}
        {!found.error && (
          <ol className="hits" ref={list} aria-label={strings.searchResults} aria-busy={found.busy} hidden={!found.hits.length || !asked} onKeyDown={walk}>
            {found.hits.map((hit) => <Hit key={hit.message.id} hit={hit} />)}
          </ol>
        )}
        {sealing && asked && !short && <Suspense><SealedHits text={query.words} /></Suspense>}
        {found.more && !found.error && asked && (
          <div className="page-actions"><Button busy={found.busy} onClick={found.next}>{found.hits.length ? strings.loadMore : strings.searchFurther}</Button></div>
        )}
      </div>
    </main>
  );
}

/** Arrow keys go through the results, and back up into the field. */
function walk(event: KeyboardEvent<HTMLElement>): void {
  const step = { ArrowDown: 1, ArrowUp: -1, j: 1, k: -1 }[event.key];
  if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
  const all = [...event.currentTarget.querySelectorAll<HTMLElement>('a')];
  const to = all.indexOf(document.activeElement as HTMLElement) + step;
  event.preventDefault();
  if (to < 0) document.querySelector<HTMLElement>('.search-box input')?.focus();
  else all[to]?.focus();
}

function Hit({ hit: { message, room_id, snippet } }: { hit: SearchHit }) {
  const sender = useParlor((state) => state.users[message.sender_id]);
  const room = useParlor((state) => state.rooms[room_id]);
  const session = useParlor((state) => state.sessions[message.session_id]);
  const me = useParlor((state) => state.me!.user.id);
  const shown = useMemo(() => pieces(snippet.text, snippet.matches), [snippet]);
  const where = `${room ? roomTitle(room, me) : ''}${session && !session.main ? ` · ${session.name}` : ''}`;
  return (
    <li className="hit">
      <Link to={paths.message(room_id, message.session_id, message.number)} className="hit-link">
        <Avatar id={message.sender_id} name={nameOf(sender)} />
        <span className="hit-text">
          <span className="hit-head">
            <bdi className="message-name">{nameOf(sender)}</bdi>
            <bdi className="hit-where">{where}</bdi>
            <time dateTime={message.sent_at} title={fullTime(message.sent_at)}>{shortTime(message.sent_at)}</time>
          </span>
          <span className="hit-snippet" dir="auto">
            {snippet.more_before && '… '}
            {shown.map(([piece, match], at) => (match ? <mark key={at}>{piece}</mark> : unmarked(piece)))}
            {snippet.more_after && ' …'}
          </span>
        </span>
      </Link>
    </li>
  );
}

function Nothing() {
  return (
    <div className="search-none">
      <p>{strings.searchNothing}</p>
      <p className="quiet">{strings.searchNothingHint}</p>
    </div>
  );
}

/** What can be asked, as examples that can be pressed. */
function Teach({ onChoose }: { onChoose: (words: string) => void }) {
  return (
    <section className="teach">
      <h2>{strings.searchTeach}</h2>
      <dl>
        {strings.searchExamples.map(([example, what]) => (
          <div key={example} className="teach-row">
            <dt><button type="button" onClick={() => onChoose(example)}><code>{example}</code></button></dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
