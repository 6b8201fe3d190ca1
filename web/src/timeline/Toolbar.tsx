import { deleteMessage } from '../store/actions';
import { strings } from '../strings';
import type { Message } from '../wire';
import { IconButton } from '../ui/controls';
import { confirm } from '../ui/dialog';
import { edit, replyTo } from './talk';

export function askDelete(message: Message): void {
  confirm({
    title: strings.deleteSure, lead: strings.deleteHint, action: strings.remove, danger: true,
    onSubmit: () => deleteMessage(message),
  });
}

/** What can be done with a message; shown on hover and on focus. */
export function Toolbar({ message, own, mayDelete }: { message: Message; own: boolean; mayDelete: boolean }) {
  return (
    <div className="toolbar" role="group" aria-label={strings.messageActions}>
      <IconButton icon="reply" size={18} label={strings.reply} onClick={() => replyTo(message)} />
      {own && <IconButton icon="edit" size={18} label={strings.edit} onClick={() => edit(message.id)} />}
      {(own || mayDelete) && <IconButton icon="trash" size={18} label={strings.remove} onClick={() => askDelete(message)} />}
    </div>
  );
}
