import { useState } from 'react';
import { sessions as sessionsApi } from '../net/api';
import { strings } from '../strings';
import { FormDialog } from '../ui/dialog';
import type { Session } from '../wire';
import { LIVES, Spans } from './Spans';

/** Words that nobody needs before this is opened. */
const words = {
  lead: 'What is sent from now on disappears for everybody this long after it was sent, with its files. What was sent before stays as it is.',
  after: 'Messages disappear after',
  never: 'Never',
};

/** How long messages live in a session. */
export function Decay({ session }: { session: Session }) {
  const now = session.message_ttl_s ?? 0;
  const [chosen, setChosen] = useState(now);
  return (
    <FormDialog title={strings.decay} lead={words.lead} action={strings.save} onSubmit={() => sessionsApi.setTtl(session.id, chosen)}>
      <Spans legend={words.after} name="decay" offered={LIVES} never={words.never} now={now} chosen={chosen} onChange={setChosen} />
    </FormDialog>
  );
}
