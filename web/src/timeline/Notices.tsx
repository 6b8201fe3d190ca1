import { fullTime, spanOf } from '../shell/when';
import { nameOf } from '../store/select';
import { useParlor } from '../store/store';
import type { Notice, State } from '../store/state';
import { strings } from '../strings';

const SHOWN_MAX = 3;

/** Comings and goings in one quiet line. */
export function Notices({ notices }: { notices: Notice[] }) {
  const users = useParlor((state) => state.users);
  const me = useParlor((state) => state.me!.user.id);
  const lines = notices.map((notice) => noticeText(notice, users, me));
  const hidden = lines.length - SHOWN_MAX;
  const shown = hidden > 0 ? lines.slice(-SHOWN_MAX) : lines;
  return <p className="notices">{hidden > 0 && '… '}{shown.join(' · ')}</p>;
}

export function noticeText(notice: Notice, users: State['users'], me: string): string {
  const name = (id: string | null) => (id === me ? strings.nowYou : nameOf(id ? users[id] : undefined));
  const who = notice.who && !users[notice.who] && notice.kind === 'joined' ? notice.text : name(notice.who);
  const by = notice.by && notice.by !== notice.who ? name(notice.by) : null;
  switch (notice.kind) {
    case 'joined': return by ? strings.noticeAdded(who, by) : strings.noticeJoined(who);
    case 'left':
      if (!by) return strings.noticeLeft(who);
      return notice.text === 'banned' ? strings.noticeBanned(who, by) : strings.noticeRemoved(who, by);
    case 'renamed': return strings.noticeRenamed(by ?? strings.someone, notice.text);
    case 'decays': return strings.noticeDecays(by ?? strings.someone, notice.text ? spanOf(Number(notice.text)) : '');
    case 'room': return strings.noticeRoom(by ?? strings.someone, notice.text);
    case 'ends': return noticeEnds(by ?? strings.someone, notice.text);
    case 'ended': return by ? strings.noticeEnded(by) : strings.noticeOver;
  }
}

function noticeEnds(by: string, end: string): string {
  if (!end) return strings.noticeEndless(by);
  return /^\d+$/.test(end) ? strings.noticeEndsSilent(by, spanOf(Number(end))) : strings.noticeEnds(by, fullTime(end));
}
