import { Fragment, useEffect, useRef, useState, type FormEvent } from 'react';
import { say } from '../store/store';
import { strings } from '../strings';
import { Button, Field } from '../ui/controls';
import { closeDialog } from '../ui/dialog';
import { explain } from '../ui/explain';
import { Icon } from '../ui/Icon';
import './e2ee.css';
import { keys } from './page';
import type { Comparing } from './types';
import { words } from './words';

/** A code goes from one device to the other, whichever way it is easier. */
export function PassCode({ one: { flow, code }, own, name }: { one: Comparing; own: boolean; name: string }) {
  const [text, setText] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const lead = useRef<HTMLParagraphElement>(null);
  // What had the focus went with the emoji. It is not the field, where a phone would open its keyboard.
  useEffect(() => lead.current?.focus(), []);
  const take = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const field = event.currentTarget.querySelector('input');
    setBusy(true);
    try {
      await keys().call('takeCode', flow, text);
    } catch (reason) {
      setError(words.codeRefused[(reason as { code?: string }).code ?? ''] ?? explain(reason));
      field?.focus();
    } finally {
      setBusy(false);
    }
  };
  const enter = (entered: string) => {
    setText(entered);
    setError(null);
  };
  return (
    <form className="form" onSubmit={(event) => void take(event)}>
      <p ref={lead} tabIndex={-1}>{own ? words.codeLeadOwn : words.codeLead(name)}</p>
      {code ? <Shown code={code} /> : <p className="form-note">{words.codeNone}</p>}
      <div className="code-entry" aria-live="polite">
        <Field label={own ? words.codeFieldOwn : words.codeField(name)} hint={words.codeHint} error={error} name="compare-code" required
          autoComplete="off" autoCapitalize="none" spellCheck={false} value={text} onChange={(event) => enter(event.target.value)} />
      </div>
      <footer className="dialog-foot">
        <Button look="quiet" onClick={closeDialog}>{strings.cancel}</Button>
        <Button look="primary" type="submit" busy={busy} disabled={!text.trim()}>{words.codeTake}</Button>
      </footer>
    </form>
  );
}

function Shown({ code }: { code: string }) {
  const [copied, setCopied] = useState(false);
  const copy = () => navigator.clipboard.writeText(code).then(() => setCopied(true), () => say(strings.failed, true));
  return (
    <div className="code-shown" role="group" aria-label={words.codeShown}>
      <div className="code-head">
        <p aria-hidden="true">{words.codeShown}</p>
        <Button onClick={() => void copy()}><Icon name="copy" size={18} /> {copied ? strings.copied : strings.copy}</Button>
      </div>
      <p className="code-text">{code.split(' ').map((four, at) => <Fragment key={at}>{at > 0 && ' '}<span>{four}</span></Fragment>)}</p>
    </div>
  );
}
