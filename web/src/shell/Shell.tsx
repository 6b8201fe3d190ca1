import { lazy, Suspense, useEffect } from 'react';
import { RoomPage } from '../rooms/RoomPage';
import { store, useParlor } from '../store/store';
import { strings } from '../strings';
import { Boundary } from '../ui/Boundary';
import { Button, Link } from '../ui/controls';
import { OfflineBar } from './OfflineBar';
import { lastPlace } from './prefs';
import { Rail } from './Rail';
import { RoomList } from './RoomList';
import { ask, loadDialogs } from './ask';
import { navigate, parseRoute, paths, type Route } from './router';
import { usePhone } from './usePhone';

const Directory = lazy(() => import('../rooms/Directory'));
const RoomSettings = lazy(() => import('../rooms/RoomSettings'));
const Search = lazy(() => import('../search/Search'));
const Threads = lazy(() => import('../threads/Threads'));
const Settings = lazy(() => import('../settings/Settings'));

/** Rail, list and conversation side by side; on a phone, one of them at a time. */
export function Shell({ route }: { route: Route }) {
  const phone = usePhone();
  const home = route.at === 'home';
  useHome(home && !phone);
  useEffect(loadDialogs, []);
  return (
    <div className={`app ${home ? 'app-at-list' : 'app-at-main'}`}>
      <a className="skip" href="#main">{strings.skip}</a>
      <Rail route={route} />
      {(!phone || home) && <RoomList route={route} />}
      {(!phone || !home) && (
        <div className="stage">
          <OfflineBar />
          <Boundary key={route.at}><Suspense fallback={<main className="page" aria-busy="true" />}><Page route={route} /></Suspense></Boundary>
        </div>
      )}
      {phone && home && <div className="list-offline"><OfflineBar /></div>}
    </div>
  );
}

function Page({ route }: { route: Route }) {
  switch (route.at) {
    case 'room': return <RoomPage key={route.room} roomId={route.room} sessionId={route.session} message={route.message} />;
    case 'room-settings': return <RoomSettings key={route.room} roomId={route.room} />;
    case 'browse': return <Directory />;
    case 'threads': return <Threads />;
    case 'search': return <Search text={route.text} />;
    case 'settings': return <Settings page={route.page} />;
    case 'nowhere': return <Nowhere />;
    default: return <NoRooms />;
  }
}

/** Home on a wide screen is the room one was in last, or the lobby. */
function useHome(active: boolean): void {
  const rooms = useParlor((state) => state.rooms);
  useEffect(() => {
    if (!active) return;
    const last = lastPlace();
    const place = last ? parseRoute(last, '') : null;
    if (last && place?.at === 'room' && rooms[place.room]) return navigate(last, true);
    const all = Object.values(store.getState().rooms);
    const first = all.find((room) => room.lobby) ?? all[0];
    if (first) navigate(paths.room(first.id), true);
  }, [active, rooms]);
}

function NoRooms() {
  return (
    <main id="main" className="page page-empty" data-landmark tabIndex={-1}>
      <h1>{strings.noRoomsTitle}</h1>
      <p className="quiet">{strings.noRoomsHint}</p>
      <div className="page-actions">
        <Link to={paths.browse} className="button button-primary">{strings.browse}</Link>
        <Button onClick={() => ask('NewRoom')}>{strings.newRoom}</Button>
      </div>
    </main>
  );
}

export function Nowhere() {
  return (
    <main id="main" className="page page-empty" data-landmark tabIndex={-1}>
      <h1>{strings.notFound}</h1>
      <p className="quiet">{strings.notFoundHint}</p>
      <div className="page-actions"><Link to={paths.home} className="button button-primary">{strings.toRooms}</Link></div>
    </main>
  );
}
