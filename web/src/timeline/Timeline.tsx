import { useMemo, useRef, useState } from 'react';
import { Virtualizer } from 'virtua';
import { dayName } from '../shell/when';
import { mayPin, rightsIn } from '../store/select';
import { endOf, silent } from '../store/ending';
import { useAround, useParlor } from '../store/store';
import { strings } from '../strings';
import type { Room, Session } from '../wire';
import { Icon } from '../ui/Icon';
import { useFeedKeys } from './feedKeys';
import { Intro } from './Intro';
import { MessageRow } from './MessageRow';
import { Notices } from './Notices';
import { PendingRow } from './PendingRow';
import { readersByNumber, storedMarkOf } from './reading';
import { buildRows, pendingOf, type Row } from './rows';
import { useView } from './useView';
import { emptyLog } from '../store/state';

interface Props {
  room: Room;
  session: Session;
  title: string;
  goTo: number | null;
}

const UNKNOWN = emptyLog(0);

export function Timeline({ room, session, title, goTo }: Props) {
  const held = useParlor((state) => state.logs[session.id]) ?? UNKNOWN;
  const log = useMemo(() => (session.ended_at ? silent(held) : held), [session.ended_at, held]);
  const ends = endOf(session);
  const seats = useParlor((state) => state.seats[session.id]);
  const me = useParlor((state) => state.me!.user.id);
  const outbox = useAround((state) => state.outbox);
  const [marker, setMarker] = useState(session.unread > 0 ? session.read_number : null);
  const scroller = useRef<HTMLDivElement>(null);
  const pending = useMemo(() => pendingOf(outbox, session.id, log), [outbox, session.id, log]);
  const rows = useMemo(
    () => (log.loaded ? buildRows(log, pending, marker, me) : []),
    [log, pending, marker, me],
  );
  const view = useView({ session, log, rows, pending: pending.length, marker, setMarker, goTo });
  const keys = useFeedKeys({ scroller, rows, session, view, clear: () => setMarker(null) });
  const readers = useMemo(() => readersByNumber(seats, log, me), [seats, log, me]);
  const storedMark = useMemo(() => storedMarkOf(log, seats, me), [seats, log, me]);
  const mayDelete = rightsIn(room).moderate;
  const pins = mayPin(room, session);

  const draw = (row: Row, index: number) => (
    <div key={row.key} data-index={index} className="row">
      {row.day && <div className="day"><span>{dayName(row.day, strings.today, strings.yesterday)}</span></div>}
      {row.fresh && <div className="fresh"><span>{strings.newMarker}</span></div>}
      {row.kind === 'intro' && <Intro room={room} session={session} />}
      {row.kind === 'notices' && <Notices notices={row.notices} />}
      {row.kind === 'pending' && <PendingRow item={row.item} head={row.head} />}
      {row.kind === 'message' && (
        <MessageRow message={row.message} head={row.head} total={session.head_number} mayDelete={mayDelete} mayPin={pins}
          lit={view.lit === row.message.number} faces={readers.get(row.message.number) ?? ''}
          storedMark={storedMark === row.message.id} ends={ends} />
      )}
    </div>
  );

  return (
    <div className="timeline">
      {view.unreadAbove > 0 && (
        <button type="button" className="pill pill-top" onClick={view.toOldest}>
          <Icon name="up" size={16} /> {strings.toOldest(view.unreadAbove)}
        </button>
      )}
      <div ref={scroller} className="feed" role="feed" aria-label={strings.timeline(title)} aria-busy={!log.loaded}
        tabIndex={0} onKeyDown={keys.onKeyDown} onFocus={keys.onFocus}>
        <div className="feed-space" />
        <Virtualizer ref={view.list} data={rows} shift={view.shift} keepMounted={keys.kept} bufferSize={600}
          onScroll={view.onScroll} onResize={view.onResize}>
          {draw}
        </Virtualizer>
        {log.loaded && session.head_number === 0 && rows.length <= 1 && !room.lobby && <p className="feed-empty">{strings.emptySession}</p>}
      </div>
      {!view.atBottom && (
        <button type="button" className={session.unread ? 'pill pill-bottom pill-new' : 'pill pill-bottom'}
          aria-label={session.unread ? undefined : strings.toNewest} onClick={view.toBottom}>
          <Icon name="down" size={16} /> {session.unread > 0 && strings.newBelow(session.unread)}
        </button>
      )}
    </div>
  );
}
