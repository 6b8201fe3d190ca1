import { useEffect, useState } from 'react';
import { plainText } from '../markdown/parse';
import { messages as messagesApi } from '../net/api';
import { nameOf } from '../store/select';
import { openedOne } from '../store/sealed';
import { useParlor } from '../store/store';
import { useUser } from '../store/useUser';
import { strings } from '../strings';
import type { Message } from '../wire';
import { Icon } from '../ui/Icon';
import { jumpTo } from './talk';

/** Originals that are not in the window; the window's own copy is always newer. */
const fetched = new Map<string, Promise<Message | null>>();
const KEPT_MAX = 200;

function original(id: string): Promise<Message | null> {
  const known = fetched.get(id);
  if (known) return known;
  if (fetched.size > KEPT_MAX) fetched.clear();
  const asked = messagesApi.get(id).then(openedOne).catch(() => {
    fetched.delete(id);
    return null;
  });
  fetched.set(id, asked);
  return asked;
}

/** The line that says what a message answers; follows to the original. */
export function Quote({ sessionId, id }: { sessionId: string; id: string }) {
  const held = useParlor((state) => state.logs[sessionId]?.messages.find((message) => message.id === id));
  const [far, setFar] = useState<Message | null>(null);
  const message = held ?? far;
  const sender = useUser(message?.sender_id, sessionId);
  const missing = !held;
  useEffect(() => {
    if (!missing) return;
    let stale = false;
    void original(id).then((found) => !stale && setFar(found));
    return () => {
      stale = true;
    };
  }, [id, missing]);
  if (!message) return <p className="quote"><Icon name="reply" size={14} /> <span>{strings.gone}</span></p>;
  const name = nameOf(sender);
  return (
    <button type="button" className="quote" onClick={() => jumpTo(sessionId, message.number)}>
      <Icon name="reply" size={14} /> <span className="hidden">{strings.jumpTo} </span><strong><bdi>{name}</bdi></strong>
      <span className="quote-text">{message.deleted_at ? strings.deletedMessage : message.clear?.state === 'shut' ? strings.encrypted : plainText(message.content) || message.files.map((file) => file.name).join(', ')}</span>
    </button>
  );
}
