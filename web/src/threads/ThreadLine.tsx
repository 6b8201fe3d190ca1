import { useEffect } from 'react';
import { since } from '../shell/when';
import { loadUser } from '../store/actions';
import { useHasDraft } from '../store/drafts';
import { nameOf } from '../store/select';
import { store, useParlor } from '../store/store';
import { strings } from '../strings';
import type { Message } from '../wire';
import { openThread } from '../timeline/talk';
import { Avatar } from '../ui/Avatar';

const FACES = 3;

interface Props {
  message: Message;
  /** What it does instead of opening the thread beside its session. */
  onOpen?: () => void;
}

/** Under a message that began a thread: who answers there, how much, and what is new. */
export function ThreadLine({ message, onOpen = () => openThread(message.session_id, message.id) }: Props) {
  const users = useParlor((state) => state.users);
  const draft = useHasDraft(message.id);
  const { replies, last_reply_at, user_ids, following, unread } = message.thread!;
  useEffect(() => user_ids.slice(0, FACES).filter((id) => !store.getState().users[id]).forEach(loadUser), [user_ids]);
  return (
    <button type="button" className="thread-line" onClick={onOpen}>
      <span className="faces" aria-hidden="true">
        {user_ids.slice(0, FACES).map((id) => <Avatar key={id} id={id} name={nameOf(users[id])} size="tiny" />)}
      </span>
      <span className="thread-count">{strings.replies(replies)}</span>
      {following && unread > 0 && <span className="count count-mention">{strings.newReplies(unread)}</span>}
      {draft ? <span className="room-row-draft">{strings.draft}</span>
        : last_reply_at && <span className="quiet">{strings.lastReply(since(last_reply_at))}</span>}
    </button>
  );
}
