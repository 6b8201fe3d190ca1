import { useSealing, WANTED } from '../store/sealed';
import { strings } from '../strings';
import type { Encryption } from '../wire';
import { Switch } from '../ui/controls';

/** Whether only the devices of its people can read a new session, and of which people; it cannot be changed afterwards. */
export function EncryptChoice({ how, onChange }: { how: Encryption | null; onChange: (how: Encryption | null) => void }) {
  const may = useSealing(({ at }) => at === 'starting' || at === 'ready');
  if (!may) return null;
  return (
    <>
      <Switch label={strings.encrypt} hint={strings.encryptHint} on={how !== null} onChange={(on) => onChange(on ? WANTED : null)} />
      {how && (
        <Switch label={strings.encryptCompared} hint={strings.encryptComparedHint} on={how.verified_only ?? false}
          onChange={(on) => onChange(on ? { ...WANTED, verified_only: true } : WANTED)} />
      )}
    </>
  );
}
