import { useEffect, useMemo, useRef } from 'react';
import { ask } from '../shell/ask';
import { paths } from '../shell/router';
import { fullTime, spanOf } from '../shell/when';
import { useHasDraft } from '../store/drafts';
import { sessionsOf, sessionTitle } from '../store/select';
import { encryptionOf } from '../store/sealed';
import { useParlor } from '../store/store';
import { strings } from '../strings';
import { Countdown } from '../timeline/Countdown';
import type { Room, Session, SessionEnd } from '../wire';
import { IconButton, Link } from '../ui/controls';
import { Icon } from '../ui/Icon';

/** The sessions of a room as tabs: the main one first. */
export function SessionTabs({ room, current }: { room: Room; current: string }) {
  const all = useParlor((state) => state.sessions);
  const sessions = useMemo(() => sessionsOf({ sessions: all } as Parameters<typeof sessionsOf>[0], room.id), [all, room.id]);
  const strip = useRef<HTMLElement>(null);
  const several = sessions.length > 1;
  useEffect(() => {
    // To look where something is costs the first screen a layout more: a single tab is in sight.
    if (several) strip.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [current, several]);
  return (
    <div className="tabs">
      <nav className="tabs-strip" aria-label={strings.sessions} ref={strip}>
        {sessions.map((session) => <Tab key={session.id} room={room} session={session} current={session.id === current} />)}
      </nav>
      {!room.archived_at && (
        <IconButton icon="plus" size={18} className="tabs-new" label={strings.newSession}
          onClick={() => ask('NewSession', { room })} />
      )}
    </div>
  );
}

/** How long a session is still there; where silence ends it, when it would end now. */
function Ends({ end }: { end: SessionEnd }) {
  const title = end.silence_s ? strings.endsSilent(spanOf(end.silence_s)) : strings.endsAt(fullTime(end.at!));
  return <><Countdown until={end.at!} title={title} /><span className="hidden">, {title}</span></>;
}

function Tab({ room, session, current }: { room: Room; session: Session; current: boolean }) {
  const to = session.main ? paths.room(room.id) : paths.session(room.id, session.id);
  const isNew = (session.unread > 0 || session.mentions > 0) && !current;
  const draft = useHasDraft(session.id) && !current;
  return (
    <Link to={to} className={isNew ? 'tab tab-new' : 'tab'} current={current}>
      {encryptionOf(session) && <span className="tab-lock"><Icon name="sealed" size={14} /><span className="hidden">{strings.encrypted}: </span></span>}
      <bdi>{sessionTitle(session)}</bdi>
      {session.end?.at && <Ends end={session.end} />}
      {draft && <span className="room-row-draft">{strings.draft}</span>}
      {isNew && (
        <span className={session.mentions ? 'count count-mention' : 'count'}>
          <span aria-hidden="true">{session.mentions ? `@${session.mentions}` : session.unread > 99 ? '99+' : session.unread}</span>
          <span className="hidden">{session.unread ? `, ${strings.unread(session.unread)}` : ''}{session.mentions ? `, ${strings.mentionsYou(session.mentions)}` : ''}</span>
        </span>
      )}
    </Link>
  );
}
