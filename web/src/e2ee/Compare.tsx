import { useEffect, useState } from 'react';
import { nameOf } from '../store/select';
import { say, useParlor } from '../store/store';
import { sealing, useSealing } from '../store/sealed';
import { strings } from '../strings';
import { Button } from '../ui/controls';
import { closeDialog, Dialog, openDialog } from '../ui/dialog';
import { explain } from '../ui/explain';
import { Icon } from '../ui/Icon';
import { PassCode } from './Code';
import './e2ee.css';
import { keys } from './page';
import type { Comparing } from './types';
import { words } from './words';

/** Two people, or two devices of one, look whether they see the same seven emoji, or pass a code instead. */

/** Asks a device; without one, every other one of one's own. */
export async function beginCompare(user: string, device: string | null): Promise<void> {
  const flow = await keys().call('compare', user, device);
  openDialog(<Compare flow={flow} />);
}

function attempt(work: Promise<unknown>): void {
  work.catch((error) => say(explain(error), true));
}

const OVER = ['done', 'cancelled'];

/** Whoever closes the dialog before the end does not want to go on. */
function leave(flow: string): void {
  const one = sealing.getState().status?.comparing.find((each) => each.flow === flow);
  if (one && !OVER.includes(one.phase)) keys().call('cancelCompare', flow, false).catch(() => {});
  keys().call('dismissCompare', flow).catch(() => {});
}

export function Compare({ flow: begun }: { flow: string }) {
  const [flow, setFlow] = useState(begun);
  const known = useSealing((state) => state.status?.comparing.find((each) => each.flow === flow));
  const next = known?.next;
  const found = next ? undefined : known;
  const [held, hold] = useState(found);
  // Until what goes on in its place is known, what was there last stays.
  if (found && found !== held) hold(found);
  const one = found ?? held;
  const me = useParlor((state) => state.me!.user.id);
  const user = useParlor((state) => (one ? state.users[one.user_id] : undefined));
  useEffect(() => () => leave(flow), [flow]);
  useEffect(() => {
    if (next) setFlow(next);
  }, [next]);
  const own = one?.user_id === me;
  return (
    <Dialog title={one?.by_code ? words.codeTitle : words.compareTitle} className="compare">
      <div className="compare-body" aria-live="polite">
        {!one ? <p>{words.begun}</p> : one.phase !== 'code' && <Step one={one} own={own} name={nameOf(user)} onCode={setFlow} />}
      </div>
      {one?.phase === 'code' && <PassCode one={one} own={own} name={nameOf(user)} />}
    </Dialog>
  );
}

interface StepProps {
  one: Comparing;
  own: boolean;
  name: string;
  /** It goes on by a code, in this flow. */
  onCode: (flow: string) => void;
}

function Step({ one, own, name, onCode }: StepProps) {
  const { flow, phase, emoji, mine, by_code, may_code, cancelled } = one;
  const instead = may_code && !by_code && <Instead flow={flow} onCode={onCode} />;
  switch (phase) {
    case 'asked':
      return mine
        ? <Wait text={own ? words.waitingOwn : words.waitingFor(name)}>{instead}</Wait>
        : <><p>{asks(one, own, name)}</p><Foot><Button look="quiet" onClick={closeDialog}>{words.later}</Button><Button look="primary" onClick={() => attempt(keys().call('answerCompare', flow))}>{words.answer}</Button></Foot></>;
    case 'begun': return <Wait text={words.begun}>{instead}</Wait>;
    case 'waiting': return <Wait text={by_code ? words.waitingDone : words.waitingSame} />;
    case 'fits': return <Wait text={own ? words.codeFitsOwn : words.codeFits(name)} />;
    case 'compare':
      return (
        <>
          <p>{own ? words.compareLeadOwn : words.compareLead(name)}</p>
          <ol className="emoji-seven">
            {emoji.map(({ symbol, word }, at) => <li key={at}><span className="emoji-symbol" aria-hidden="true">{symbol}</span><span>{word}</span></li>)}
          </ol>
          {instead}
          <Decide flow={flow} no={words.differ} yes={words.same} />
        </>
      );
    case 'taken': return <><p>{own ? words.codeTakenOwn : words.codeTaken(name)}</p><Decide flow={flow} no={words.codeNo} yes={words.codeYes} /></>;
    case 'done':
      return <><p className="compare-end compare-good"><Icon name="shieldCheck" size={28} /> {own ? words.comparedOwn : words.compared(name)}</p><Foot><Button look="primary" onClick={closeDialog}>{words.done}</Button></Foot></>;
    case 'cancelled':
      return <><p className="compare-end compare-bad"><Icon name="shieldAlert" size={28} /> {whyOver(cancelled, by_code)}</p><Foot><Button look="primary" onClick={closeDialog}>{strings.close}</Button></Foot></>;
    case 'code': return null;
  }
}

function asks({ by_code }: Comparing, own: boolean, name: string): string {
  if (by_code) return own ? words.asksCodeOwn : words.asksCode(name);
  return own ? words.asksOwn : words.asks(name);
}

function whyOver(code: string | undefined, byCode: boolean): string {
  if (code === 'm.mismatched_sas' || code === 'm.key_mismatch') return byCode ? words.cancelledCode : words.cancelledDiffer;
  return code === 'm.timeout' ? words.cancelledTimeout : words.cancelled;
}

/** The quiet second way. */
function Instead({ flow, onCode }: { flow: string; onCode: (flow: string) => void }) {
  const [busy, setBusy] = useState(false);
  const go = () => {
    setBusy(true);
    attempt(keys().call('compareByCode', flow).then(onCode, (error) => {
      setBusy(false);
      throw error;
    }));
  };
  return <Button look="quiet" className="compare-instead" busy={busy} onClick={go}>{words.useCode}</Button>;
}

function Decide({ flow, no, yes }: { flow: string; no: string; yes: string }) {
  return (
    <Foot>
      <Button look="danger" onClick={() => attempt(keys().call('cancelCompare', flow, true))}>{no}</Button>
      <Button look="primary" onClick={() => attempt(keys().call('confirmCompare', flow))}>{yes}</Button>
    </Foot>
  );
}

function Wait({ text, children }: { text: string; children?: React.ReactNode }) {
  return (
    <>
      <p className="compare-wait"><span className="typing-dots" aria-hidden="true"><i /><i /><i /></span> {text}</p>
      {children}
      <Foot><Button look="quiet" onClick={closeDialog}>{strings.cancel}</Button></Foot>
    </>
  );
}

function Foot({ children }: { children: React.ReactNode }) {
  return <footer className="dialog-foot">{children}</footer>;
}

/** Says that somebody asks, wherever one is. */
export default function Asked() {
  const comparing = useSealing((state) => state.status?.comparing ?? NONE);
  const me = useParlor((state) => state.me?.user.id);
  const users = useParlor((state) => state.users);
  const one = comparing.find(({ mine, phase }) => !mine && phase === 'asked');
  if (!one) return null;
  const answer = () => {
    openDialog(<Compare flow={one.flow} />);
    attempt(keys().call('answerCompare', one.flow));
  };
  return (
    <section className="asked" aria-label={words.compareTitle} role="status">
      <Icon name="shield" size={20} />
      <p>{asks(one, one.user_id === me, nameOf(users[one.user_id]))}</p>
      <Button look="quiet" onClick={() => leave(one.flow)}>{words.later}</Button>
      <Button look="primary" onClick={answer}>{words.answer}</Button>
    </section>
  );
}

const NONE: Comparing[] = [];
