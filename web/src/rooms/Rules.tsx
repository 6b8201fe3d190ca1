import { useState, type FormEvent } from 'react';
import type { RoomChange } from '../net/api';
import { LIVES, Spans } from '../sessions/Spans';
import { spanOf } from '../shell/when';
import { Button, Field } from '../ui/controls';
import { confirm } from '../ui/dialog';
import type { Room } from '../wire';

/** Words that nobody needs before this is opened. */
const words = {
  title: 'Sessions',
  lives: 'In a new session, messages disappear after',
  livesHint: 'Sessions that are there already stay as they are.',
  never: 'Never',
  keeps: 'Everything that is said in this room is kept for',
  keepsHint: 'For all its sessions, and for what is there already. What is gone does not come back.',
  always: 'Always',
  most: 'Sessions that may be open at once',
  mostHint: 'The main one counts. Empty: as many as the server allows.',
  sure: (span: string) => `Keep everything for ${span} only?`,
  sureLead: 'What was said longer ago, in any session of this room, disappears for everybody now, with its files. There is no way back.',
  action: 'Let it disappear',
  // Not as the button above it on the page.
  set: 'Set for sessions',
};

const DAY = 86_400;
const KEPT = [0, DAY, 7 * DAY, 30 * DAY, 90 * DAY, 365 * DAY];
const MOST = 1_000;

interface RulesProps {
  room: Room;
  disabled: boolean;
  change: (fields: RoomChange) => Promise<boolean>;
}

/** What a room lays down for its sessions. */
export function Rules({ room, disabled, change }: RulesProps) {
  const [livesNow, keptNow, mostNow] = [room.message_ttl_s ?? 0, room.retention_s ?? 0, room.sessions_max ?? 0];
  const [lives, setLives] = useState(livesNow);
  const [kept, setKept] = useState(keptNow);
  const [most, setMost] = useState(String(mostNow || ''));
  const fields: RoomChange = {
    ...(lives === livesNow ? {} : { message_ttl_s: lives }),
    ...(kept === keptNow ? {} : { retention_s: kept }),
    ...(Number(most) === mostNow ? {} : { sessions_max: Number(most) }),
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    // Only what is kept for less time than it was takes away what is there.
    if (fields.retention_s && (keptNow === 0 || kept < keptNow)) {
      confirm({ title: words.sure(spanOf(kept)), lead: words.sureLead, action: words.action, danger: true, onSubmit: () => change(fields) });
    } else void change(fields);
  };
  return (
    <section className="block">
      <h2>{words.title}</h2>
      <form className="form" onSubmit={submit}>
        <Spans legend={words.lives} name="message-ttl" offered={LIVES} never={words.never} now={livesNow} chosen={lives} onChange={setLives} disabled={disabled} />
        <p className="quiet">{words.livesHint}</p>
        <Spans legend={words.keeps} name="retention" offered={KEPT} never={words.always} now={keptNow} chosen={kept} onChange={setKept} disabled={disabled} />
        <p className="quiet">{words.keepsHint}</p>
        <Field label={words.most} hint={words.mostHint} name="sessions-max" type="number" min={1} max={MOST} disabled={disabled} value={most}
          onChange={(event) => setMost(event.target.value)} />
        {!disabled && <div><Button look="primary" type="submit" disabled={Object.keys(fields).length === 0}>{words.set}</Button></div>}
      </form>
    </section>
  );
}
