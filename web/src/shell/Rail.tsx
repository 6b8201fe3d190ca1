import { nameOf } from '../store/select';
import { useParlor } from '../store/store';
import { strings } from '../strings';
import { Avatar } from '../ui/Avatar';
import { Link } from '../ui/controls';
import { Icon, Mark } from '../ui/Icon';
import { paths, type Route } from './router';

export function Rail({ route }: { route: Route }) {
  const user = useParlor((state) => state.me!.user);
  const fresh = useParlor((state) => Object.values(state.sessions).reduce((sum, session) => sum + session.thread_unread, 0));
  const atRooms = ['home', 'room', 'room-settings'].includes(route.at);
  return (
    <nav className="rail" aria-label={strings.navigation} data-landmark>
      <div className="rail-mark"><Mark size={36} /></div>
      <Link to={paths.home} className="rail-item" label={strings.rooms} current={atRooms}><Icon name="rooms" size={22} /></Link>
      <Link to={paths.threads} className="rail-item" label={fresh ? `${strings.threads}, ${strings.unread(fresh)}` : strings.threads} current={route.at === 'threads'}>
        <Icon name="thread" size={22} />
        {fresh > 0 && <span className="rail-dot" aria-hidden="true" />}
      </Link>
      <Link to={paths.browse} className="rail-item" label={strings.browse} current={route.at === 'browse'}>
        <Icon name="compass" size={22} />
      </Link>
      <Link to={paths.search()} className="rail-item" label={strings.search} current={route.at === 'search'}>
        <Icon name="search" size={22} />
      </Link>
      <div className="rail-gap" />
      <Link to={paths.settings()} className="rail-me" current={route.at === 'settings'}>
        <Avatar id={user.id} name={nameOf(user)} />
        <span className="hidden">{strings.settings}, <bdi>{nameOf(user)}</bdi></span>
      </Link>
    </nav>
  );
}
