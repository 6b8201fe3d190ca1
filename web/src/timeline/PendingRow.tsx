import { memo } from 'react';
import { Markdown } from '../markdown/Markdown';
import type { Item } from '../outbox/outbox';
import { discardItem, retryItem } from '../store/app';
import { nameOf } from '../store/select';
import { useAround, useParlor } from '../store/store';
import { strings } from '../strings';
import { Avatar } from '../ui/Avatar';
import { Button } from '../ui/controls';
import { Icon } from '../ui/Icon';
import { Gutter, MessageHead } from './MessageRow';
import { Quote } from './Quote';

/** A message that is on its way, or was refused. */
export const PendingRow = memo(function PendingRow({ item, head }: { item: Item; head: boolean }) {
  const me = useParlor((state) => state.me!.user);
  const offline = useAround((state) => state.link.at !== 'open');
  const at = new Date(item.made_at).toISOString();
  const failed = item.state === 'failed';
  const state = failed ? strings.notSent : item.state === 'sent' ? strings.storedMark : offline ? strings.waiting : strings.sending;
  return (
    <article className={`message message-pending${head ? ' message-head' : ''}${failed ? ' message-failed' : ''}`}
      tabIndex={0} aria-label={`${nameOf(me)}: ${(item.shows ?? item.content).slice(0, 300)}, ${state}`} data-state={item.state}>
      <Gutter head={head} at={at}><Avatar id={me.id} name={nameOf(me)} /></Gutter>
      <div className="message-body">
        {head && <MessageHead name={nameOf(me)} username={me.username} at={at} />}
        {item.reply_to && <Quote sessionId={item.session_id} id={item.reply_to} />}
        {item.forward ? <p className="quiet"><Icon name="forward" size={14} /> {item.shows ? <bdi>{item.shows}</bdi> : strings.forwardedSoon}</p>
          : <Markdown source={item.content} username={me.username} />}
        {item.files && <p className="quiet"><bdi>{strings.files}: {item.files.map(({ name }) => name).join(', ')}</bdi></p>}
        {failed && (
          <div className="failed" role="alert">
            <Icon name="alert" size={16} /> <span>{strings.notSent}{item.reason ? `: ${item.reason}` : ''}</span>
            <Button onClick={() => retryItem(item)}>{strings.retry}</Button>
            <Button look="quiet" onClick={() => discardItem(item)}>{strings.discard}</Button>
          </div>
        )}
      </div>
      <div className="message-side">
        {!failed && <span className={item.state === 'sent' ? 'mark-stored' : 'mark-sending'} role="img" aria-label={state} title={state} />}
      </div>
    </article>
  );
});
