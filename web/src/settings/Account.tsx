import { useState, type FormEvent } from 'react';
import { me as meApi } from '../net/api';
import { say } from '../store/store';
import { strings } from '../strings';
import { Button, Field, FormError } from '../ui/controls';
import { explain } from '../ui/explain';

export function Account() {
  const [old, setOld] = useState('');
  const [next, setNext] = useState('');
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await meApi.password(old, next);
      setOld('');
      setNext('');
      say(strings.passwordChanged);
    } catch (reason) {
      setError(explain(reason));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form className="form" onSubmit={submit}>
      <Field label={strings.oldPassword} name="old" type="password" autoComplete="current-password" required value={old}
        onChange={(event) => setOld(event.target.value)} />
      <Field label={strings.newPassword} hint={strings.passwordHint} name="new" type="password" minLength={8}
        autoComplete="new-password" required value={next} onChange={(event) => setNext(event.target.value)} />
      <FormError text={error} />
      <div><Button look="primary" type="submit" busy={busy}>{strings.changePassword}</Button></div>
    </form>
  );
}
