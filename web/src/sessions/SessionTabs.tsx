import { useEffect, useMemo, useRef } from 'react';
import { paths } from '../shell/router';
import { useHasDraft } from '../store/drafts';
import { sessionsOf, sessionTitle } from '../store/select';
import { encryptionOf } from '../store/sealed';
import { useParlor } from '../store/store';
import { strings } from '../strings';
import type { Room, Session } from '../wire';
import { IconButton, Link } from '../ui/controls';
import { openDialog } from '../ui/dialog';
import { Icon } from '../ui/Icon';
import { NewSession } from './NewSession';

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
          onClick={() => openDialog(<NewSession room={room} />)} />
      )}
    </div>
  );
}

function Tab({ room, session, current }: { room: Room; session: Session; current: boolean }) {
  const to = session.main ? paths.room(room.id) : paths.session(room.id, session.id);
  const isNew = (session.unread > 0 || session.mentions > 0) && !current;
  const draft = useHasDraft(session.id) && !current;
  return (
    <Link to={to} className={isNew ? 'tab tab-new' : 'tab'} current={current}>
      {encryptionOf(session) && <span className="tab-lock"><Icon name="sealed" size={14} /><span className="hidden">{strings.encrypted}: </span></span>}
      <bdi>{sessionTitle(session)}</bdi>
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
