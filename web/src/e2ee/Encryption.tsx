import { useEffect, useState, type ReactNode } from 'react';
import { me as meApi } from '../net/api';
import { say, useParlor } from '../store/store';
import { useSealing } from '../store/sealed';
import { Button } from '../ui/controls';
import { openDialog } from '../ui/dialog';
import { explain } from '../ui/explain';
import { Icon, type IconName } from '../ui/Icon';
import { Waiting } from '../ui/Waiting';
import { beginCompare } from './Compare';
import './e2ee.css';
import { Device } from './Readers';
import { MakeRecovery, ResetKeys, UseRecovery } from './Recovery';
import type { Status } from './types';
import { words } from './words';

/** The settings of encryption: this device, the recovery key, and beginning anew. */
export default function Encryption() {
  const at = useSealing((state) => state.at);
  const status = useSealing((state) => state.status);
  return (
    <>
      <p className="quiet">{words.lead}</p>
      {at === 'insecure' ? <Off text={words.stripInsecure} /> : at === 'failed' ? <Off text={words.stripFailed} />
        : status ? <Shown status={status} /> : <Waiting rows={2} />}
      <p className="quiet">{words.signal}</p>
    </>
  );
}

function Off({ text }: { text: string }) {
  return <p className="form-note"><Icon name="alert" size={18} /> {text}</p>;
}

function Shown({ status }: { status: Status }) {
  return (
    <>
      <ThisDevice status={status} />
      <Recovering status={status} />
      <OwnDevices status={status} />
      {status.account === 'elsewhere' && (
        <Block title={words.reset} icon="alert" text={words.resetHint}>
          <Button look="danger" onClick={() => openDialog(<ResetKeys />)}>{words.reset}</Button>
        </Block>
      )}
    </>
  );
}

function Block({ title, icon, text, bad = false, children }: { title: string; icon: IconName; text: string; bad?: boolean; children?: ReactNode }) {
  return (
    <section className={bad ? 'keys-block keys-bad' : 'keys-block'}>
      <h3><Icon name={icon} size={20} /> {title}</h3>
      <p>{text}</p>
      {children && <div className="row-actions">{children}</div>}
    </section>
  );
}

function ThisDevice({ status: { signed, account, recovery } }: { status: Status }) {
  const me = useParlor((state) => state.me!.user.id);
  const [busy, setBusy] = useState(false);
  const compare = () => {
    setBusy(true);
    beginCompare(me, null).catch((error) => say(explain(error), true)).finally(() => setBusy(false));
  };
  if (signed) return <Block title={words.thisDeviceTitle} icon="shieldCheck" text={words.deviceSigned} />;
  if (account === 'none') return <Block title={words.thisDeviceTitle} icon="shield" text={words.accountNone} />;
  return (
    <Block title={words.thisDeviceTitle} icon="shieldAlert" text={words.deviceUnsigned} bad>
      <Button look="primary" busy={busy} onClick={compare}>{words.confirmOther}</Button>
      {recovery !== 'none' && <Button onClick={() => openDialog(<UseRecovery />)}>{words.recoveryUse}</Button>}
    </Block>
  );
}

/** One's own devices, by the names that the list of sign-ins has for them. */
function OwnDevices({ status: { user_id, devices, signed } }: { status: Status }) {
  const version = useParlor((state) => state.devicesVersion);
  const [names, setNames] = useState<Record<string, string>>({});
  useEffect(() => {
    let stale = false;
    meApi.devices().then((list) => !stale && setNames(Object.fromEntries(list.devices.map(({ id, name }) => [id, name]))), () => {});
    return () => {
      stale = true;
    };
  }, [version, devices.length]);
  return (
    <section className="keys-block">
      <h3><Icon name="shield" size={20} /> {words.yourDevices}</h3>
      <ul className="reader-devices">
        {devices.map((device) => <Device key={device.id} user={user_id} device={{ ...device, name: names[device.id] ?? device.name }} mayCompare={signed} />)}
      </ul>
    </section>
  );
}

function Recovering({ status: { recovery, account, saved, signed } }: { status: Status }) {
  const anew = recovery !== 'none';
  const text = recovery === 'none' ? words.recoveryNone : recovery === 'on' ? words.recoveryOn(saved.done, saved.all) : words.recoveryOffHere;
  return (
    <Block title={words.recoveryTitle} icon="key" text={text} bad={recovery === 'none' && signed}>
      {account === 'mine' && (
        <Button look={anew ? 'plain' : 'primary'} onClick={() => openDialog(<MakeRecovery anew={anew} />)}>{anew ? words.recoveryAnew : words.recoveryMake}</Button>
      )}
      {recovery === 'off-here' && signed && <Button onClick={() => openDialog(<UseRecovery />)}>{words.recoveryUse}</Button>}
    </Block>
  );
}

