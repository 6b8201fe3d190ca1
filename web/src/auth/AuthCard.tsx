import { useState, type FormEvent, type ReactNode } from 'react';
import { strings } from '../strings';
import { Button, FormError } from '../ui/controls';
import { explain } from '../ui/explain';
import { Mark } from '../ui/Icon';

interface Props {
  title: string;
  lead?: string;
  action: string;
  note?: string | null;
  children: ReactNode;
  foot?: ReactNode;
  onSubmit: () => Promise<unknown>;
}

/** The one card that everything before sign-in is drawn on. */
export function AuthCard({ title, lead, action, note, children, foot, onSubmit }: Props) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await onSubmit();
    } catch (reason) {
      setError(explain(reason));
    } finally {
      setBusy(false);
    }
  };
  return (
    <main className="auth">
      <div className="auth-card">
        <div className="auth-brand"><Mark size={40} /><span>{strings.product}</span></div>
        <h1>{title}</h1>
        {lead && <p className="auth-lead">{lead}</p>}
        {note && <p className="form-note" role="status">{note}</p>}
        <form className="form" onSubmit={submit}>
          {children}
          <FormError text={error} />
          <Button look="primary" type="submit" busy={busy} className="auth-action">{action}</Button>
        </form>
        {foot && <div className="auth-foot">{foot}</div>}
      </div>
    </main>
  );
}
