import { lazy, Suspense, useEffect, useState } from 'react';
import { rooms as roomsApi } from '../net/api';
import { MembersPanel } from '../sessions/MembersPanel';
import { SessionTabs } from '../sessions/SessionTabs';
import { rememberPlace, setLook, useLook } from '../shell/prefs';
import { navigate, paths } from '../shell/router';
import { Nowhere } from '../shell/Shell';
import { usePhone } from '../shell/usePhone';
import { closeSession, loadSeats, openSession } from '../store/actions';
import { say, useAround, useParlor } from '../store/store';
import { strings } from '../strings';
import { Conversation } from '../timeline/Conversation';
import { useTalk, type Side } from '../timeline/talk';
import type { Room, Session } from '../wire';
import { Boundary } from '../ui/Boundary';
import { Button } from '../ui/controls';
import { explain } from '../ui/explain';
import { PageHead } from '../ui/PageHead';
import { join } from './JoinRoom';
import { RoomHeader } from './RoomHeader';

const ThreadPanel = lazy(() => import('../threads/ThreadPanel').then(({ ThreadPanel: page }) => ({ default: page })));
const Readers = lazy(() => import('../e2ee/Readers'));
const Pins = lazy(() => import('../threads/Pins').then(({ Pins: page }) => ({ default: page })));

interface Props {
  roomId: string;
  sessionId: string | null;
  message: number | null;
}

export function RoomPage({ roomId, sessionId, message }: Props) {
  const room = useParlor((state) => state.rooms[roomId]);
  const id = sessionId ?? room?.main_session_id ?? '';
  const session = useParlor((state) => state.sessions[id]);
  const ended = Boolean(session?.ended_at);
  const members = useLook((state) => state.panel);
  const side = useTalk((state) => (state.side?.session === id && !ended ? state.side : null));
  const panel = members || side !== null;
  const phone = usePhone();
  useOpen(room ? id : '');
  useEffect(() => {
    if (room && !session && sessionId) navigate(paths.room(roomId), true);
  }, [room, session, sessionId, roomId]);
  useEffect(() => {
    if (session) rememberPlace(session.main ? paths.room(roomId) : paths.session(roomId, session.id));
  }, [roomId, session]);

  if (!room) return <Stranger roomId={roomId} />;
  if (!session) return <main id="main" className="page" aria-busy="true" />;
  return (
    <div className="room">
      <main id="main" className="room-main" data-landmark tabIndex={-1} hidden={phone && panel}>
        <RoomHeader room={room} session={session} />
        {room.kind !== 'direct' && <SessionTabs room={room} current={session.id} />}
        <Conversation key={session.id} room={room} session={session} goTo={message} />
      </main>
      {side ? <Boundary><Suspense fallback={<aside className="panel thread" aria-label={strings.loading} aria-busy="true" />}><Beside room={room} session={session} side={side} /></Suspense></Boundary>
        : members && <MembersPanel room={room} session={session} onClose={() => setLook({ panel: false })} />}
    </div>
  );
}

function Beside({ room, session, side }: { room: Room; session: Session; side: Side }) {
  if (side.kind === 'pins') return <Pins room={room} session={session} />;
  if (side.kind === 'readers') return <Readers key={session.id} session={session} />;
  return <ThreadPanel key={side.root} room={room} session={session} root={side.root} number={side.number} />;
}

/** Loads a session's messages and people while it is looked at; again after a reload of everything. */
function useOpen(id: string): void {
  const known = useParlor((state) => Boolean(state.logs[id]));
  const loaded = useParlor((state) => Boolean(state.logs[id]?.loaded));
  const online = useAround((state) => state.link.at === 'open');
  useEffect(() => {
    if (id && known && !loaded) openSession(id).catch((error) => say(explain(error), true));
  }, [id, known, loaded, online]);
  useEffect(() => {
    if (id && known && online) void loadSeats(id).catch(() => {});
  }, [id, known, online]);
  useEffect(() => (id ? () => closeSession(id) : undefined), [id]);
}

/** The room's door, for somebody who is not in it. */
function Stranger({ roomId }: { roomId: string }) {
  const [room, setRoom] = useState<Room | null | 'gone'>(null);
  useEffect(() => {
    let stale = false;
    roomsApi.get(roomId).then((found) => !stale && setRoom(found), () => !stale && setRoom('gone'));
    return () => {
      stale = true;
    };
  }, [roomId]);
  if (room === null) return <main id="main" className="page" aria-busy="true" />;
  if (room === 'gone') return <Nowhere />;
  return (
    <main id="main" className="page" data-landmark tabIndex={-1}>
      <PageHead title={room.name} lead={strings.kinds[room.kind]?.[1] ?? ''} />
      <div className="page-body">
        {room.description && <p>{room.description}</p>}
        <p className="quiet">{strings.joinLead} {strings.people(room.member_count)}.</p>
        <div className="page-actions"><Button look="primary" onClick={() => join(room)}>{strings.join}</Button></div>
      </div>
    </main>
  );
}
