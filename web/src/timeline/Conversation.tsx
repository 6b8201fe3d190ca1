import { lazy, Suspense, useRef } from 'react';
import { useDrop } from '../files/useDrop';
import { usePast } from '../shell/usePast';
import { closesAt } from '../store/ending';
import { encryptionOf } from '../store/sealed';
import { useParlor } from '../store/store';
import { strings } from '../strings';
import type { Room, Session } from '../wire';
import { roomTitle, sessionTitle } from '../store/select';
import { Composer } from './Composer';
import { Timeline } from './Timeline';
import { TypingLine } from './TypingLine';

const SealedLine = lazy(() => import('../e2ee/SealedLine'));

interface Props {
  room: Room;
  session: Session;
  goTo: number | null;
}

/** A session: its messages, who is writing, and the field to write in. */
export function Conversation({ room, session, goTo }: Props) {
  const me = useParlor((state) => state.me!.user.id);
  const title = session.main ? roomTitle(room, me) : sessionTitle(session);
  const soon = usePast(closesAt(session));
  const closed = session.ended_at ? strings.ended : soon ? strings.endsSoon : room.archived_at ? strings.isArchived : null;
  const box = useRef<HTMLDivElement>(null);
  const over = useDrop(box, closed ? null : session.id);
  return (
    <div className="conversation" ref={box}>
      {over && <p className="drop">{strings.dropHere}</p>}
      <Timeline room={room} session={session} title={title} goTo={goTo} />
      <div className="foot">
        {encryptionOf(session) && !closed
          ? <Suspense fallback={<p className="typing" />}><SealedLine session={session} typing={<TypingLine session={session} direct={room.kind === 'direct'} quiet />} /></Suspense>
          : <TypingLine session={session} direct={room.kind === 'direct'} />}
        {closed ? <p className="foot-closed">{closed}</p> : <Composer session={session} title={title} />}
      </div>
    </div>
  );
}
