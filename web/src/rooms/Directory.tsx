import { useEffect, useState } from 'react';
import { rooms as roomsApi } from '../net/api';
import { ask } from '../shell/ask';
import { paths } from '../shell/router';
import { useParlor } from '../store/store';
import { strings } from '../strings';
import type { Room } from '../wire';
import { Avatar } from '../ui/Avatar';
import { Button, FormError, Link } from '../ui/controls';
import { explain } from '../ui/explain';
import { Icon } from '../ui/Icon';
import { PageHead } from '../ui/PageHead';
import { join } from './JoinRoom';

/** The public rooms of the server. */
export default function Directory() {
  const [text, setText] = useState('');
  const { rooms, cursor, more, error } = usePublicRooms(text);
  return (
    <main id="main" className="page" data-landmark tabIndex={-1}>
      <PageHead title={strings.directory} lead={strings.directoryLead}>
        <Button look="primary" onClick={() => ask('NewRoom')}>{strings.newRoom}</Button>
      </PageHead>
      <div className="page-body">
        <div className="field-box directory-find">
          <Icon name="search" size={18} />
          <input type="search" value={text} placeholder={strings.directoryFind} aria-label={strings.directoryFind}
            autoComplete="off" onChange={(event) => setText(event.target.value)} />
        </div>
        <FormError text={error} />
        <ul className="cards">{rooms?.map((room) => <RoomCard key={room.id} room={room} />)}</ul>
        {rooms?.length === 0 && <p className="quiet">{text ? strings.directoryNone : strings.directoryEmpty}</p>}
        {cursor && <Button onClick={more}>{strings.loadMore}</Button>}
      </div>
    </main>
  );
}

function RoomCard({ room }: { room: Room }) {
  const mine = useParlor((state) => Boolean(state.rooms[room.id]));
  return (
    <li className="card">
      <Avatar id={room.id} name={room.name} room size="large" />
      <div className="card-text">
        <h2><bdi>{room.name}</bdi></h2>
        {room.description && <p>{room.description}</p>}
        <p className="quiet">
          {strings.people(room.member_count)}
          {room.has_password && <span className="card-key"><Icon name="key" size={14} /> {strings.needsPassword}</span>}
        </p>
      </div>
      {mine
        ? <Link to={paths.room(room.id)} className="button button-plain" label={`${strings.joined}: ${room.name}`}>{strings.joined}</Link>
        : <Button look="primary" aria-label={`${strings.join}: ${room.name}`} onClick={() => join(room)}>{strings.join}</Button>}
    </li>
  );
}

function usePublicRooms(text: string) {
  const [rooms, setRooms] = useState<Room[] | null>(null);
  const [cursor, setCursor] = useState<string | null>(null);
  const [error, setError] = useState<string | null>(null);
  useEffect(() => {
    let stale = false;
    const timer = setTimeout(async () => {
      try {
        const list = await roomsApi.published(text.trim());
        if (stale) return;
        setRooms(list.rooms);
        setCursor(list.next_cursor ?? null);
        setError(null);
      } catch (reason) {
        if (!stale) setError(explain(reason));
      }
    }, text ? 150 : 0);
    return () => {
      stale = true;
      clearTimeout(timer);
    };
  }, [text]);
  const more = async () => {
    const list = await roomsApi.published(text.trim(), cursor ?? undefined).catch(() => null);
    if (!list) return;
    setRooms((held) => [...(held ?? []), ...list.rooms]);
    setCursor(list.next_cursor ?? null);
  };
  return { rooms, cursor, more, error };
}
