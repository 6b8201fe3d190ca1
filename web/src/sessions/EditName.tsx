import { useState } from 'react';
import { strings } from '../strings';
import { Field } from '../ui/controls';
import { FormDialog } from '../ui/dialog';

interface Props {
  title: string;
  label: string;
  name: string;
  onSave: (name: string) => Promise<unknown>;
}

export function EditName({ title, label, name, onSave }: Props) {
  const [text, setText] = useState(name);
  return (
    <FormDialog title={title} action={strings.save} disabled={!text.trim()} onSubmit={() => onSave(text.trim())}>
      <Field label={label} name="name" required autoFocus maxLength={80} autoComplete="off" value={text}
        onChange={(event) => setText(event.target.value)} />
    </FormDialog>
  );
}
