import { useState } from 'react';
import { LIVES, Spans } from '../sessions/Spans';
import { spanOf } from '../shell/when';
import { strings } from '../strings';
import { FormDialog } from '../ui/dialog';
import { focusComposer, setLife, talk } from './talk';

/** Words that nobody needs before this is opened. */
const words = {
  lead: 'It disappears for everybody this long after it is sent, with its files. Those after it are as before.',
  after: 'It disappears after',
  never: 'Never',
  asThere: (span: string) => `${span}, as all do here`,
  action: 'Choose',
};

/** How long the next message lives: for less time than what is said there, which `lives` for so many seconds. */
export function Life({ place, lives }: { place: string; lives: number }) {
  const [chosen, setChosen] = useState(talk.getState().lives[place] ?? 0);
  const offered = LIVES.filter((seconds) => !lives || seconds < lives);
  const submit = async () => {
    setLife(place, chosen);
    setTimeout(() => focusComposer(place));
  };
  return (
    <FormDialog title={strings.life} lead={words.lead} action={words.action} onSubmit={submit}>
      <Spans legend={words.after} name="life" offered={offered} never={lives ? words.asThere(spanOf(lives)) : words.never} now={chosen} chosen={chosen} onChange={setChosen} />
    </FormDialog>
  );
}
