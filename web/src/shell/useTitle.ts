import { useEffect } from 'react';
import { roomTitle, sessionTitle } from '../store/select';
import { useParlor } from '../store/store';
import { strings } from '../strings';
import { useRoute } from './router';

/** The page's title: what is new, where one is. */
export function useTitle(): void {
  const route = useRoute();
  const unread = useParlor((state) => Object.values(state.sessions).reduce((sum, session) => sum + session.unread, 0));
  const place = useParlor((state) => {
    switch (route.at) {
      case 'browse': return strings.browse;
      case 'threads': return strings.threads;
      case 'search': return strings.searchTitle;
      case 'settings': return strings.settings;
      case 'room': case 'room-settings': {
        const room = state.rooms[route.room];
        const session = route.at === 'room' && route.session ? state.sessions[route.session] : undefined;
        if (!room) return '';
        const title = roomTitle(room, state.me?.user.id);
        return session && !session.main ? `${sessionTitle(session)} · ${title}` : title;
      }
      default: return '';
    }
  });
  useEffect(() => {
    const name = place ? `${place} · ${strings.product}` : strings.product;
    document.title = unread ? `(${unread}) ${name}` : name;
  }, [unread, place]);
}
