import { useSealing } from '../store/sealed';
import { strings } from '../strings';
import { Switch } from '../ui/controls';

/** Whether only the devices of its people can read a new session; it cannot be changed afterwards. */
export function EncryptSwitch({ on, onChange }: { on: boolean; onChange: (on: boolean) => void }) {
  const may = useSealing(({ at }) => at === 'starting' || at === 'ready');
  return may ? <Switch label={strings.encrypt} hint={strings.encryptHint} on={on} onChange={onChange} /> : null;
}
