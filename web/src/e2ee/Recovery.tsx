import { useState, type FormEvent } from 'react';
import { say } from '../store/store';
import { strings } from '../strings';
import { Button, Field, FormError } from '../ui/controls';
import { closeDialog, Dialog, FormDialog } from '../ui/dialog';
import { explain } from '../ui/explain';
import { Icon } from '../ui/Icon';
import './e2ee.css';
import { keys } from './page';
import { words } from './words';

const PASSPHRASE_MIN = 12;

/** Makes a recovery key and shows it, once. */
export function MakeRecovery({ anew }: { anew: boolean }) {
  const [key, setKey] = useState<string | null>(null);
  const [passphrase, setPassphrase] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const short = passphrase !== '' && passphrase.length < PASSPHRASE_MIN;
  const make = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      setKey(await keys().call('createRecovery', passphrase || undefined));
    } catch (reason) {
      setError(explain(reason));
    } finally {
      setBusy(false);
    }
  };
  if (key) return <Dialog title={words.keyShown} lead={words.keyKeep}><Shown text={key} /></Dialog>;
  return (
    <Dialog title={words.recoveryMake} lead={words.recoveryLead}>
      <form className="form" onSubmit={(event) => void make(event)}>
        {anew && <p className="form-note">{words.recoveryAnewHint}</p>}
        <Field label={words.passphrase} hint={words.passphraseHint} error={short ? words.passphraseShort : null} name="recovery-passphrase" type="password"
          autoComplete="new-password" value={passphrase} onChange={(event) => setPassphrase(event.target.value)} />
        <FormError text={error} />
        <footer className="dialog-foot">
          <Button look="quiet" onClick={closeDialog}>{strings.cancel}</Button>
          <Button look="primary" type="submit" busy={busy} disabled={short}>{words.recoveryMake}</Button>
        </footer>
      </form>
    </Dialog>
  );
}

function Shown({ text }: { text: string }) {
  const [copied, setCopied] = useState(false);
  const copy = () => navigator.clipboard.writeText(text).then(() => setCopied(true), () => say(strings.failed, true));
  const save = () => {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([`${text}\n`], { type: 'text/plain' }));
    link.download = words.keyFile;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  };
  return (
    <div className="form">
      <p className="recovery-key" tabIndex={0} aria-label={words.keyShown}>{text.split(' ').map((four, at) => <span key={at}>{four} </span>)}</p>
      <div className="row-actions">
        <Button onClick={() => void copy()}><Icon name="copy" size={18} /> {copied ? strings.copied : strings.copy}</Button>
        <Button onClick={save}><Icon name="download" size={18} /> {words.keySave}</Button>
      </div>
      <footer className="dialog-foot"><Button look="primary" onClick={closeDialog}>{words.keyKept}</Button></footer>
    </div>
  );
}

/** Brings the account's keys to this device. */
export function UseRecovery() {
  const [text, setText] = useState('');
  const submit = async () => {
    try {
      const count = await keys().call('useRecovery', text.trim());
      say(words.recoveryDone(count));
    } catch (error) {
      const { code } = error as { code?: string };
      if (code === 'wrong' || code === 'none') throw Object.assign(error as Error, { message: code === 'wrong' ? words.recoveryWrong : words.recoveryMissing });
      throw error;
    }
  };
  return (
    <FormDialog title={words.recoveryUse} lead={words.recoveryUseLead} action={words.confirmDevice} disabled={!text.trim()} onSubmit={submit}>
      <Field label={words.recoveryField} name="recovery-key" required autoFocus autoComplete="off" spellCheck={false} value={text}
        onChange={(event) => setText(event.target.value)} />
    </FormDialog>
  );
}

export function ResetKeys() {
  const [password, setPassword] = useState('');
  return (
    <FormDialog title={words.resetSure} lead={words.resetHint} action={words.reset} danger disabled={!password} onSubmit={() => keys().call('reset', password)}>
      <Field label={strings.password} name="password" type="password" required autoComplete="current-password" value={password}
        onChange={(event) => setPassword(event.target.value)} />
    </FormDialog>
  );
}
