import { useEffect, useState } from 'react';
import { Files } from '../files/Files';
import { Markdown } from '../markdown/Markdown';
import { sessions as sessionsApi } from '../net/api';
import { isPhone } from '../shell/usePhone';
import { fullTime, shortTime } from '../shell/when';
import { loadUser, pinMessage } from '../store/actions';
import { mayPin, nameOf } from '../store/select';
import { openedOne } from '../store/sealed';
import { say, useAround, useParlor } from '../store/store';
import { strings } from '../strings';
import { dropSide, jumpTo } from '../timeline/talk';
import type { Message, Room, Session } from '../wire';
import { Avatar } from '../ui/Avatar';
import { Button } from '../ui/controls';
import { explain } from '../ui/explain';
import { Missing, Nothing, Waiting } from '../ui/Waiting';
import { SidePanel } from './SidePanel';
import './threads.css';

/** What is pinned in a session, beside it. */
export function Pins({ room, session }: { room: Room; session: Session }) {
  const { pins, error, retry } = usePins(session.id);
  const may = mayPin(room, session);
  return (
    <SidePanel title={strings.pins}>
      <div className="panel-scroll" aria-busy={!pins && !error}>
        {error ? <Missing why={error} onRetry={retry} />
          : !pins ? <Waiting />
          : !pins.length ? <Nothing title={strings.noPins} hint={may ? strings.noPinsHint : strings.noPinsOrder} />
          : <ul className="pins">{pins.map((message) => <Pin key={message.id} message={message} may={may} />)}</ul>}
      </div>
    </SidePanel>
  );
}

/** The pins, asked for again when one comes or goes, and when the connection is back. */
function usePins(id: string) {
  const [pins, setPins] = useState<Message[] | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [tries, setTries] = useState(0);
  const version = useParlor((state) => state.pinsVersion[id]);
  const online = useAround((state) => state.link.at === 'open');
  useEffect(() => {
    let stale = false;
    sessionsApi.pins(id).then(async ({ messages: found }) => {
      const messages = await Promise.all(found.map(openedOne));
      if (stale) return;
      messages.forEach((message) => loadUser(message.sender_id));
      setPins(messages);
      setError(null);
    }, (reason) => !stale && setError(explain(reason)));
    return () => {
      stale = true;
    };
  }, [id, version, tries, online]);
  const retry = () => {
    setError(null);
    setTries(tries + 1);
  };
  // What is known is shown, although it cannot be asked for again just now.
  return { pins, error: pins ? null : error, retry };
}

function Pin({ message, may }: { message: Message; may: boolean }) {
  const author = message.forwarded?.sender_id ?? message.sender_id;
  const sender = useParlor((state) => state.users[author]);
  const me = useParlor((state) => state.me!.user);
  useEffect(() => loadUser(author), [author]);
  const go = () => {
    if (isPhone()) dropSide();
    jumpTo(message.session_id, message.number);
  };
  return (
    <li className="pin">
      <p className="hit-head">
        <Avatar id={author} name={nameOf(sender)} size="small" />
        <bdi className="message-name">{nameOf(sender)}</bdi>
        <time className="quiet" dateTime={message.sent_at} title={fullTime(message.sent_at)}>{shortTime(message.sent_at)}</time>
      </p>
      {message.content && <div className="thread-words"><Markdown source={message.content} username={me.username} /></div>}
      {message.files.length > 0 && <Files files={message.files} />}
      <div className="row-actions">
        <Button onClick={go}>{strings.goThere}</Button>
        {may && <Button look="quiet" onClick={() => void pinMessage(message, false).catch((reason) => say(explain(reason), true))}>{strings.unpin}</Button>}
      </div>
    </li>
  );
}
