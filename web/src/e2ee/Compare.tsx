import { useEffect } from 'react';
import { nameOf } from '../store/select';
import { say, useParlor } from '../store/store';
import { sealing, useSealing } from '../store/sealed';
import { strings } from '../strings';
import { Button } from '../ui/controls';
import { closeDialog, Dialog, openDialog } from '../ui/dialog';
import { explain } from '../ui/explain';
import { Icon } from '../ui/Icon';
import './e2ee.css';
import { keys } from './page';
import type { Comparing } from './types';
import { words } from './words';

/** Two people, or two devices of one, look whether they see the same seven emoji. */

/** Asks a device; without one, every other one of one's own. */
export async function beginCompare(user: string, device: string | null): Promise<void> {
  const flow = await keys().call('compare', user, device);
  openDialog(<Compare flow={flow} />);
}

function attempt(work: Promise<unknown>): void {
  work.catch((error) => say(explain(error), true));
}

const OPEN = ['asked', 'begun', 'compare', 'waiting'];

/** Whoever closes the dialog before the end does not want to go on. */
function leave(flow: string): void {
  const one = sealing.getState().status?.comparing.find((each) => each.flow === flow);
  if (one && OPEN.includes(one.phase)) keys().call('cancelCompare', flow, false).catch(() => {});
  keys().call('dismissCompare', flow).catch(() => {});
}

export function Compare({ flow }: { flow: string }) {
  const one = useSealing((state) => state.status?.comparing.find((each) => each.flow === flow));
  const me = useParlor((state) => state.me!.user.id);
  const user = useParlor((state) => (one ? state.users[one.user_id] : undefined));
  useEffect(() => () => leave(flow), [flow]);
  return (
    <Dialog title={words.compareTitle} className="compare">
      <div className="compare-body" aria-live="polite">{one ? <Step one={one} own={one.user_id === me} name={nameOf(user)} /> : <p>{words.begun}</p>}</div>
    </Dialog>
  );
}

function Step({ one, own, name }: { one: Comparing; own: boolean; name: string }) {
  const { flow, phase, emoji, mine, cancelled } = one;
  switch (phase) {
    case 'asked':
      return mine
        ? <Wait text={own ? words.waitingOwn : words.waitingFor(name)} />
        : <><p>{own ? words.asksOwn : words.asks(name)}</p><Foot><Button look="quiet" onClick={closeDialog}>{words.later}</Button><Button look="primary" onClick={() => attempt(keys().call('answerCompare', flow))}>{words.answer}</Button></Foot></>;
    case 'begun': return <Wait text={words.begun} />;
    case 'waiting': return <Wait text={words.waitingSame} />;
    case 'compare':
      return (
        <>
          <p>{own ? words.compareLeadOwn : words.compareLead(name)}</p>
          <ol className="emoji-seven">
            {emoji.map(({ symbol, word }, at) => <li key={at}><span className="emoji-symbol" aria-hidden="true">{symbol}</span><span>{word}</span></li>)}
          </ol>
          <Foot>
            <Button look="danger" onClick={() => attempt(keys().call('cancelCompare', flow, true))}>{words.differ}</Button>
            <Button look="primary" onClick={() => attempt(keys().call('confirmCompare', flow))}>{words.same}</Button>
          </Foot>
        </>
      );
    case 'done':
      return <><p className="compare-end compare-good"><Icon name="shieldCheck" size={28} /> {own ? words.comparedOwn : words.compared(name)}</p><Foot><Button look="primary" onClick={closeDialog}>{words.done}</Button></Foot></>;
    case 'cancelled': {
      const why = cancelled === 'm.mismatched_sas' || cancelled === 'm.key_mismatch' ? words.cancelledDiffer : cancelled === 'm.timeout' ? words.cancelledTimeout : words.cancelled;
      return <><p className="compare-end compare-bad"><Icon name="shieldAlert" size={28} /> {why}</p><Foot><Button look="primary" onClick={closeDialog}>{strings.close}</Button></Foot></>;
    }
  }
}

function Wait({ text }: { text: string }) {
  return <><p className="compare-wait"><span className="typing-dots" aria-hidden="true"><i /><i /><i /></span> {text}</p><Foot><Button look="quiet" onClick={closeDialog}>{strings.cancel}</Button></Foot></>;
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
      <p>{one.user_id === me ? words.asksOwn : words.asks(nameOf(users[one.user_id]))}</p>
      <Button look="quiet" onClick={() => leave(one.flow)}>{words.later}</Button>
      <Button look="primary" onClick={answer}>{words.answer}</Button>
    </section>
  );
}

const NONE: Comparing[] = [];
