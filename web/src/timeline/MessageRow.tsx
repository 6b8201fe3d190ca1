import { memo, useState, type FocusEvent, type ReactNode } from 'react';
import { Files } from '../files/Files';
import { Markdown } from '../markdown/Markdown';
import { plainText } from '../markdown/parse';
import { fullTime, shortTime, spanOf, timeOf } from '../shell/when';
import { nameOf } from '../store/select';
import { sealedOf } from '../store/sealed';
import { useParlor } from '../store/store';
import { useUser } from '../store/useUser';
import { strings } from '../strings';
import type { Message } from '../wire';
import { Avatar } from '../ui/Avatar';
import { openDialog } from '../ui/dialog';
import { Icon } from '../ui/Icon';
import { ThreadLine } from '../threads/ThreadLine';
import { Countdown, useFading } from './Countdown';
import { EditBox } from './EditBox';
import { Faces } from './Faces';
import { Previews } from './Previews';
import { Quote } from './Quote';
import { Reactions } from './Reactions';
import { Shut } from './Shut';
import { Toolbar } from './Toolbar';
import { useTalk } from './talk';

interface Props {
  message: Message;
  head: boolean;
  total: number;
  mayDelete: boolean;
  mayPin: boolean;
  /** Whether it is drawn in a thread; the line that leads there is then not. */
  inThread?: boolean;
  lit: boolean;
  /** Ids of the people who have read up to here, joined: a string keeps the row from redrawing. */
  faces: string;
  /** Whether to show that it is stored: one's own newest, until somebody reads it. */
  storedMark: boolean;
  /** When its session ends, in milliseconds since 1970; never: infinity. */
  ends: number;
}

export const MessageRow = memo(function MessageRow(props: Props) {
  const { message, head, total, lit, faces, storedMark, ends, mayDelete, mayPin, inThread = false } = props;
  const sender = useUser(message.sender_id, message.session_id);
  const me = useParlor((state) => state.me!.user);
  const editing = useTalk((state) => state.editing === message.id) && inThread === Boolean(message.thread_id);
  const name = nameOf(sender);
  const deleted = Boolean(message.deleted_at);
  const closed = message.clear?.state === 'shut' || (sealedOf(message) !== null && message.clear?.state !== 'open');
  const [pointed, setPointed] = useState(false);
  const [within, setWithin] = useState(false);
  const blur = (event: FocusEvent) => {
    if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setWithin(false);
  };
  const fading = useFading(deleted ? Infinity : Math.min(ends, message.expires_at ? Date.parse(message.expires_at) : Infinity));
  const previews = deleted ? [] : (message.previews ?? []);
  return (
    <article className={`message${head ? ' message-head' : ''}${lit ? ' message-lit' : ''}${editing ? ' message-editing' : ''}${fading ? ' message-fading' : ''}`} style={fading}
      tabIndex={0} aria-posinset={message.number} aria-setsize={total} aria-label={labelOf(message, name)} data-number={message.number} data-id={message.id}
      onMouseEnter={() => setPointed(true)} onMouseLeave={() => setPointed(false)} onFocus={() => setWithin(true)} onBlur={blur}>
      <Gutter head={head} at={message.sent_at}><Avatar id={message.sender_id} name={name} /></Gutter>
      <div className="message-body">
        {head && <MessageHead name={name} username={sender?.username} at={message.sent_at} />}
        {message.pinned_at && !deleted && <p className="message-mark"><Icon name="pin" size={14} /> {strings.pinned}</p>}
        {message.reply_to && <Quote sessionId={message.session_id} id={message.reply_to} />}
        {deleted ? <p className="tombstone">{strings.deletedMessage}</p>
          : closed ? <Shut why={message.clear?.why} />
          : editing ? <EditBox message={message} />
          : (message.content || message.forwarded) && <Words message={message} username={me.username} />}
        {message.files.length > 0 && !deleted && !closed && <Files files={message.files} />}
        {previews.length > 0 && !editing && <Previews previews={previews} />}
        {message.file && <p className="quiet"><bdi>{strings.fileAt(message.file)}</bdi></p>}
        {message.clear?.shield === 'restored' && !deleted && <p className="shield-note"><Icon name="shieldOff" size={14} /> {strings.restored}</p>}
        {message.edited_at && !deleted && !editing && (
          <button type="button" className="edited" title={fullTime(message.edited_at)} aria-label={`${strings.edited}. ${strings.showEdits}`}
            onClick={() => void import('./Revisions').then(({ Revisions }) => openDialog(<Revisions message={message} />))}>{strings.edited}</button>
        )}
        {message.reactions.length > 0 && !deleted && <Reactions message={message} />}
        {!inThread && message.thread && message.thread.replies > 0 && <ThreadLine message={message} />}
      </div>
      <div className="message-side">
        {message.expires_at && !deleted && <Countdown until={message.expires_at} />}
        {faces ? <Faces ids={faces} /> : storedMark && <span className="mark-stored" role="img" aria-label={strings.storedMark} title={strings.storedMark} />}
      </div>
      {!deleted && !editing && (!closed || message.sender_id === me.id) && (pointed || within) && <Toolbar message={message} own={message.sender_id === me.id} mayDelete={mayDelete} mayPin={mayPin} inThread={inThread} />}
    </article>
  );
});

const LABEL_MAX = 300;

/** What a screen reader says of a message: who, when, what, and what became of it. */
function labelOf(message: Message, name: string): string {
  const { content, files, edited_at, pinned_at, forwarded, thread } = message;
  const said = message.deleted_at ? [strings.deletedMessage]
    : message.clear?.state === 'shut' ? [strings.shut[message.clear.why ?? 'opening']]
    : [forwarded && strings.forwarded, plainText(content).slice(0, LABEL_MAX), ...files.map((file) => file.name), edited_at && strings.edited, pinned_at && strings.pinned];
  const ends = message.expires_at && !message.deleted_at && strings.decaysIn(spanOf(Math.max(1, Math.ceil((Date.parse(message.expires_at) - Date.now()) / 1_000))));
  const about = [...said, ends, thread && thread.replies > 0 && strings.replies(thread.replies)];
  return `${name}, ${timeOf(message.sent_at)}: ${about.filter(Boolean).join(', ')}`;
}

/** What a message says; when it was forwarded, whose words they are. */
function Words({ message, username }: { message: Message; username: string }) {
  const sender = useUser(message.forwarded?.sender_id, message.session_id);
  if (!message.forwarded) return <Markdown source={message.content} username={username} />;
  return (
    <figure className="forwarded">
      <figcaption><Icon name="forward" size={14} /> {strings.forwardedFrom} <strong><bdi>{nameOf(sender)}</bdi></strong>
        <time dateTime={message.forwarded.sent_at} title={fullTime(message.forwarded.sent_at)}>{shortTime(message.forwarded.sent_at)}</time>
      </figcaption>
      {message.content && <Markdown source={message.content} username="" />}
    </figure>
  );
}

export function Gutter({ head, at, children }: { head: boolean; at: string; children: ReactNode }) {
  return (
    <div className="message-gutter" aria-hidden="true">
      {head ? children : <time className="message-hour" dateTime={at}>{timeOf(at)}</time>}
    </div>
  );
}

export function MessageHead({ name, username, at }: { name: string; username: string | undefined; at: string }) {
  return (
    <p className="message-who">
      <span className="message-name" title={username && `@${username}`}><bdi>{name}</bdi></span>
      <time dateTime={at} title={fullTime(at)}>{timeOf(at)}</time>
    </p>
  );
}
