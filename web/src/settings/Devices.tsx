import { useEffect, useState } from 'react';
import { me as meApi } from '../net/api';
import { fullTime, since } from '../shell/when';
import { signOut } from '../store/app';
import { words } from '../e2ee/words';
import { sealing } from '../store/sealed';
import { useParlor } from '../store/store';
import { strings } from '../strings';
import type { Device } from '../wire';
import { Button, FormError } from '../ui/controls';
import { confirm } from '../ui/dialog';
import { explain } from '../ui/explain';

export function Devices() {
  const version = useParlor((state) => state.devicesVersion);
  const [devices, setDevices] = useState<Device[]>([]);
  const [error, setError] = useState<string | null>(null);
  useEffect(() => {
    let stale = false;
    meApi.devices().then((list) => !stale && setDevices(list.devices), (reason) => !stale && setError(explain(reason)));
    return () => {
      stale = true;
    };
  }, [version]);
  const revoke = (device: Device) => confirm({
    title: strings.revokeSure(device.name), lead: strings.revokeHint, action: strings.revoke, danger: true,
    onSubmit: async () => {
      await meApi.revoke(device.id);
      setDevices((held) => held.filter((other) => other.id !== device.id));
    },
  });
  const everywhere = () => confirm({
    title: strings.signOutAllSure, lead: sealing.getState().status?.recovery === 'none' ? `${strings.signOutAllHint} ${words.signOutLead}` : strings.signOutAllHint, action: strings.signOutAll, danger: true,
    onSubmit: () => signOut(true),
  });
  return (
    <>
      <p className="quiet">{strings.devicesLead}</p>
      <FormError text={error} />
      <ul className="lines">
        {devices.map((device) => (
          <li key={device.id} className="line">
            <div className="line-text">
              <p>{device.name}{device.current && <span className="role">{strings.thisDevice}</span>}</p>
              <p className="quiet" title={fullTime(device.created_at)}>
                {strings.lastUsed(since(device.last_used_at))}, {strings.signedInOn(since(device.created_at))}
              </p>
            </div>
            {!device.current && (
              <Button aria-label={`${strings.revoke}: ${device.name}`} onClick={() => revoke(device)}>{strings.revoke}</Button>
            )}
          </li>
        ))}
      </ul>
      <div className="row-actions"><Button look="danger" onClick={everywhere}>{strings.signOutAll}</Button></div>
    </>
  );
}
