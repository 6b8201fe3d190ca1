import { useState } from 'react';
import { sessions as sessionsApi } from '../net/api';
import { spanOf } from '../shell/when';
import { strings } from '../strings';
import { Choice } from '../ui/controls';
import { FormDialog } from '../ui/dialog';
import type { Session } from '../wire';

/** Words that nobody needs before this is opened. */
const words = {
  lead: 'What is sent from now on disappears for everybody this long after it was sent, with its files. What was sent before stays as it is.',
  after: 'Messages disappear after',
  never: 'Never',
};

const OFFERED = [0, 30, 300, 3_600, 28_800, 86_400, 604_800, 2_419_200];

/** How long messages live in a session. */
export function Decay({ session }: { session: Session }) {
  const now = session.message_ttl_s ?? 0;
  const [chosen, setChosen] = useState(String(now));
  const offered = OFFERED.includes(now) ? OFFERED : [...OFFERED, now].sort((a, b) => a - b);
  const label = (seconds: number) => (seconds === 0 ? words.never : spanOf(seconds));
  return (
    <FormDialog title={strings.decay} lead={words.lead} action={strings.save} onSubmit={() => sessionsApi.setTtl(session.id, Number(chosen))}>
      <Choice legend={words.after} name="decay" value={chosen} options={offered.map((seconds) => [String(seconds), label(seconds)])} onChange={setChosen} />
    </FormDialog>
  );
}
