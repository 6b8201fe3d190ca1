import type { MouseEvent } from 'react';
import { quick, useTaste } from '../emoji/recent';
import { ask } from '../shell/ask';
import { usePhone } from '../shell/usePhone';
import { deleteMessage, pinMessage } from '../store/actions';
import { sealedOf } from '../store/sealed';
import { say } from '../store/store';
import { strings } from '../strings';
import type { Message } from '../wire';
import { IconButton } from '../ui/controls';
import { confirm } from '../ui/dialog';
import { explain } from '../ui/explain';
import { Menu, type MenuItem } from '../ui/Menu';
import { pickReaction, react } from './Reactions';
import { edit, mayEdit, openThread, quote, replyTo } from './talk';

const QUICK = 3;

export function askDelete(message: Message): void {
  confirm({
    title: strings.deleteSure, lead: strings.deleteHint, action: strings.remove, danger: true,
    onSubmit: () => deleteMessage(message),
  });
}

interface Props {
  message: Message;
  own: boolean;
  mayDelete: boolean;
  mayPin: boolean;
  /** Whether it stands in the thread already. */
  inThread: boolean;
}

/** What can be done with a message; it is there while the message has the pointer or the focus. */
export function Toolbar({ message, own, mayDelete, mayPin, inThread }: Props) {
  const recent = useTaste((state) => state.recent);
  const phone = usePhone();
  const sealed = sealedOf(message) !== null;
  const shut = sealed && message.clear?.state !== 'open';
  // A dialog gives the focus back to what had it: to the message, since these buttons go with it.
  const first = (act: () => void) => (event: MouseEvent<HTMLElement>) => {
    event.currentTarget.closest<HTMLElement>('article')?.focus();
    act();
  };
  return (
    <div className="toolbar" role="group" aria-label={strings.messageActions}>
      {!phone && quick(recent, QUICK).map((emoji) => (
        <button key={emoji} type="button" className="icon-button toolbar-emoji" aria-label={strings.reactWith(emoji)} title={strings.reactWith(emoji)}
          onClick={() => react(message, emoji)}><span aria-hidden="true">{emoji}</span></button>
      ))}
      <IconButton icon="smile" size={18} label={strings.react} aria-haspopup="dialog" onClick={(event) => pickReaction(message, event.currentTarget)} />
      {!(inThread && !message.thread_id) && <IconButton icon="reply" size={18} label={strings.reply} onClick={() => replyTo(message)} />}
      {!inThread && !message.thread_id && !sealed && (
        <IconButton icon="thread" size={18} label={strings.inThread} onClick={() => openThread(message.session_id, message.id)} />
      )}
      {mayEdit(message) && !shut && <IconButton icon="edit" size={18} label={strings.edit} onClick={() => edit(message)} />}
      {(own || mayDelete) && <IconButton icon="trash" size={18} label={strings.remove} onClick={first(() => askDelete(message))} />}
      <Menu label={strings.moreActions} groups={[more(message, mayPin)]} />
    </div>
  );
}

function more(message: Message, mayPin: boolean): MenuItem[] {
  const pinned = Boolean(message.pinned_at);
  const pin: MenuItem = { label: pinned ? strings.unpin : strings.pin, icon: 'pin', act: () => void pinMessage(message, !pinned).catch((error) => say(explain(error), true)) };
  return [
    // What was sealed for some is not passed on to others by the server: it cannot.
    ...(sealedOf(message) ? [] : [{ label: strings.forward, icon: 'forward', act: () => ask('Forward', { message }) } as MenuItem]),
    ...(mayPin ? [pin] : []),
    ...(message.content ? [{ label: strings.quoteIt, icon: 'quote', act: () => quote(message) } as MenuItem] : []),
    ...(message.content ? [{ label: strings.copyText, icon: 'copy', act: () => void copy(message.content) } as MenuItem] : []),
  ];
}

async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    say(strings.textCopied);
  } catch {
    say(strings.failed, true);
  }
}
