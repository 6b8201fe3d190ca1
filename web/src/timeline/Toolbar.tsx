import type { MouseEvent } from 'react';
import { quick, useTaste } from '../emoji/recent';
import { usePhone } from '../shell/usePhone';
import { deleteMessage } from '../store/actions';
import { say } from '../store/store';
import { strings } from '../strings';
import type { Message } from '../wire';
import { IconButton } from '../ui/controls';
import { confirm } from '../ui/dialog';
import { Menu, type MenuItem } from '../ui/Menu';
import { pickReaction, react } from './Reactions';
import { edit, quote, replyTo } from './talk';

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
}

/** What can be done with a message; it is there while the message has the pointer or the focus. */
export function Toolbar({ message, own, mayDelete }: Props) {
  const recent = useTaste((state) => state.recent);
  const phone = usePhone();
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
      <IconButton icon="reply" size={18} label={strings.reply} onClick={() => replyTo(message)} />
      {own && <IconButton icon="edit" size={18} label={strings.edit} onClick={() => edit(message.id)} />}
      {(own || mayDelete) && <IconButton icon="trash" size={18} label={strings.remove} onClick={first(() => askDelete(message))} />}
      <Menu label={strings.moreActions} groups={[more(message)]} />
    </div>
  );
}

function more(message: Message): MenuItem[] {
  return [
    { label: strings.quoteIt, icon: 'quote', act: () => quote(message) },
    { label: strings.copyText, icon: 'copy', act: () => void copy(message.content) },
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
