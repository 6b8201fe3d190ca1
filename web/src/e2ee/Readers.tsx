import { useState } from 'react';
import { usePhone } from '../shell/usePhone';
import { nameOf } from '../store/select';
import { say, useParlor } from '../store/store';
import { encryptionOf, useSealing } from '../store/sealed';
import { SidePanel } from '../threads/SidePanel';
import '../threads/threads.css';
import type { Session } from '../wire';
import { Avatar } from '../ui/Avatar';
import { Button } from '../ui/controls';
import { confirm } from '../ui/dialog';
import { explain } from '../ui/explain';
import { Icon, type IconName } from '../ui/Icon';
import { Waiting } from '../ui/Waiting';
import { beginCompare } from './Compare';
import './e2ee.css';
import { keys, letIn } from './page';
import type { Reader, ReaderDevice, ReaderState } from './types';
import { useReaders } from './useReaders';
import { words } from './words';

/** Who can read a session: its people, their devices, and what is known of each. */
export default function Readers({ session }: { session: Session }) {
  const readers = useReaders(session);
  const signed = useSealing((state) => state.status?.signed ?? false);
  const verifiedOnly = encryptionOf(session)?.verified_only ?? false;
  return (
    <SidePanel title={words.readers}>
      <div className="panel-scroll readers" aria-busy={!readers}>
        <p className="quiet readers-lead">{verifiedOnly ? words.readersLeadCompared : words.readersLead}</p>
        {!readers ? <Waiting /> : <ul>{readers.map((reader) => <Person key={reader.user_id} session={session.id} reader={reader} mayCompare={signed} verifiedOnly={verifiedOnly} />)}</ul>}
        <p className="quiet readers-foot">{words.readersTrust}</p>
        <p className="quiet readers-foot">{words.signal}</p>
      </div>
    </SidePanel>
  );
}

const ICONS: Record<ReaderState, IconName> = { verified: 'shieldCheck', first: 'shield', changed: 'shieldAlert', none: 'shieldOff', unvouched: 'shieldAlert', me: 'shieldCheck' };

interface PersonProps {
  session: string;
  reader: Reader;
  mayCompare: boolean;
  verifiedOnly: boolean;
}

function Person({ session, reader: { user_id, state, devices }, mayCompare, verifiedOnly }: PersonProps) {
  const user = useParlor((known) => known.users[user_id]);
  const [label, about] = verifiedOnly && state === 'first' ? words.notComparedYet : words.states[state]!;
  const Name = usePhone() ? 'h2' : 'h3';
  const name = nameOf(user);
  return (
    <li className={`reader reader-${state}`}>
      <div className="reader-head">
        <Avatar id={user_id} name={name} size="small" />
        <Name className="reader-name"><bdi>{name}</bdi></Name>
        <span className="reader-state"><Icon name={ICONS[state]} size={18} /> {label}</span>
      </div>
      {about && <p className="quiet reader-about">{about}</p>}
      {state === 'changed' && <Approve user={user_id} name={name} />}
      {state === 'unvouched' ? <LetIn session={session} user={user_id} name={name} /> : (
        <ul className="reader-devices">
          {devices.map((device) => <Device key={device.id} user={user_id} device={device} mayCompare={mayCompare && state !== 'verified'} />)}
        </ul>
      )}
    </li>
  );
}

function LetIn({ session, user, name }: { session: string; user: string; name: string }) {
  const [busy, setBusy] = useState(false);
  const act = () => {
    setBusy(true);
    letIn(session, [user]).then(() => say(words.letInDone(name)), (error) => say(explain(error), true)).finally(() => setBusy(false));
  };
  return <Button className="reader-approve" busy={busy} aria-label={words.letInNamed(name)} onClick={act}>{words.letIn}</Button>;
}

function Approve({ user, name }: { user: string; name: string }) {
  const ask = () => confirm({
    title: words.approve, lead: words.approveHint(name), action: words.approve, danger: true, onSubmit: () => keys().call('approve', user),
  });
  return <Button className="reader-approve" onClick={ask}>{words.approve}</Button>;
}

export function Device({ user, device, mayCompare }: { user: string; device: ReaderDevice; mayCompare: boolean }) {
  const [busy, setBusy] = useState(false);
  const name = device.name || `${words.nameless} ${device.id.slice(-6)}`;
  const begin = () => {
    setBusy(true);
    beginCompare(user, device.id).catch((error) => say(explain(error), true)).finally(() => setBusy(false));
  };
  return (
    <li className={device.signed ? 'reader-device' : 'reader-device reader-device-bad'}>
      <Icon name={device.signed ? 'check' : 'alert'} size={16} />
      <span className="reader-device-text">
        <span><bdi>{name}</bdi>{device.here && <span className="quiet">, {words.thisDevice}</span>}</span>
        <span className="reader-device-about">{device.signed ? words.signed : words.unsigned}</span>
      </span>
      {mayCompare && !device.here && (device.mine ? !device.signed : device.signed) && (
        <Button look="quiet" busy={busy} aria-label={words.compareWith(name)} onClick={begin}>{words.compare}</Button>
      )}
    </li>
  );
}
