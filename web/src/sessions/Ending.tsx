import { useState } from 'react';
import { sessions as sessionsApi } from '../net/api';
import { spanOf } from '../shell/when';
import { strings } from '../strings';
import { Choice, Field, Switch } from '../ui/controls';
import { FormDialog } from '../ui/dialog';
import type { Session, SessionEndRequest } from '../wire';

/** Words that nobody needs before this is opened. */
const words = {
  lead: 'When a session ends, everything that was said in it is gone for everybody, with its files. Its name stays.',
  when: 'It ends',
  kinds: { never: 'Not by itself', at: 'At a moment', silence: 'After a silence' },
  moment: 'Moment',
  silence: 'When nothing was said for',
  closes: 'Nobody writes in the last minute',
  closesHint: 'Everybody can still read what is there.',
};

type Kind = keyof typeof words.kinds;

const SILENCES = [600, 3_600, 86_400, 604_800];
const DAY_MS = 86_400_000;
const LAST_S = 60;

/** A moment as the field has it: local, to the minute. */
function local(at: number): string {
  const date = new Date(at);
  return new Date(at - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** When a session ends by itself. */
export function Ending({ session }: { session: Session }) {
  const { end } = session;
  const [kind, setKind] = useState<Kind>(end?.silence_s ? 'silence' : end?.at ? 'at' : 'never');
  const [at, setAt] = useState(() => local(end?.at && !end.silence_s ? Date.parse(end.at) : Date.now() + DAY_MS));
  const [silence, setSilence] = useState(String(end?.silence_s ?? 86_400));
  const [closes, setCloses] = useState(Boolean(end?.read_only_s));
  const spans = SILENCES.includes(Number(silence)) ? SILENCES : [...SILENCES, Number(silence)].sort((a, b) => a - b);
  const asked = (): SessionEndRequest => {
    if (kind === 'never') return {};
    if (kind === 'silence') return { silence_s: Number(silence) };
    return { at: new Date(at).toISOString(), ...(closes ? { read_only_s: end?.read_only_s ?? LAST_S } : {}) };
  };
  return (
    <FormDialog title={strings.ending} lead={words.lead} action={strings.save} disabled={kind === 'at' && !at} onSubmit={() => sessionsApi.setEnd(session.id, asked())}>
      <Choice legend={words.when} name="ending" value={kind} options={Object.entries(words.kinds)} onChange={(chosen) => setKind(chosen as Kind)} />
      {kind === 'at' && (
        <>
          <Field label={words.moment} name="ends-at" type="datetime-local" required min={local(Date.now())} value={at} onChange={(event) => setAt(event.target.value)} />
          <Switch label={words.closes} hint={words.closesHint} on={closes} onChange={setCloses} />
        </>
      )}
      {kind === 'silence' && <Choice legend={words.silence} name="silence" value={silence} options={spans.map((seconds) => [String(seconds), spanOf(seconds)])} onChange={setSilence} />}
    </FormDialog>
  );
}
