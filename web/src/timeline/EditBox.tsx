import { useLayoutEffect, useRef, useState, type KeyboardEvent } from 'react';
import { editMessage } from '../store/actions';
import { say } from '../store/store';
import { strings } from '../strings';
import type { Message } from '../wire';
import { Button } from '../ui/controls';
import { explain } from '../ui/explain';
import { format } from './formatting';
import { grow } from './grow';
import { stopEdit } from './talk';
import { askDelete } from './Toolbar';

export function EditBox({ message }: { message: Message }) {
  const field = useRef<HTMLTextAreaElement>(null);
  const [text, setText] = useState(message.content);
  useLayoutEffect(() => {
    const box = field.current!;
    box.focus();
    box.setSelectionRange(box.value.length, box.value.length);
  }, []);
  useLayoutEffect(() => grow(field.current!), [text]);

  const save = async () => {
    const next = text.trim();
    if (!next) return askDelete(message);
    if (next === message.content) return stopEdit(message);
    try {
      await editMessage(message, next);
      stopEdit(message);
    } catch (error) {
      say(explain(error), true);
    }
  };
  const keys = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    event.stopPropagation();
    if (event.nativeEvent.isComposing || format(event)) return;
    if (event.key === 'Escape') stopEdit(message);
    if (event.key !== 'Enter' || event.shiftKey) return;
    event.preventDefault();
    void save();
  };
  return (
    <div className="edit-box">
      <textarea ref={field} rows={1} dir="auto" value={text} aria-label={strings.edit}
        onChange={(event) => setText(event.target.value)} onKeyDown={keys} />
      <div className="edit-foot">
        <span className="quiet">{strings.editHint}</span>
        <Button look="quiet" onClick={() => stopEdit(message)}>{strings.cancel}</Button>
        <Button look="primary" onClick={() => void save()}>{strings.save}</Button>
      </div>
    </div>
  );
}
