import { useId, useLayoutEffect, useRef, useState, type FormEvent, type ReactNode } from 'react';
import { useStore } from 'zustand';
import { createStore } from 'zustand/vanilla';
import { strings } from '../strings';
import { Button, FormError, IconButton } from './controls';
import { explain } from './explain';

/** At most one dialog is open; it is drawn here, whoever opened it. */
const open = createStore<{ node: ReactNode; key: number }>(() => ({ node: null, key: 0 }));

export function openDialog(node: ReactNode): void {
  open.setState(({ key }) => ({ node, key: key + 1 }));
}

export function closeDialog(): void {
  open.setState({ node: null });
}

export function dialogIsOpen(): boolean {
  return open.getState().node !== null;
}

/** Does it now, or after the dialog has closed and given the focus back. */
export function whenNoDialog(work: () => void): () => void {
  if (!dialogIsOpen()) {
    work();
    return () => {};
  }
  const stop = open.subscribe(({ node }) => {
    if (node) return;
    stop();
    setTimeout(work);
  });
  return stop;
}

export function DialogHost() {
  const { node, key } = useStore(open);
  return node ? <div key={key} className="dialog-host">{node}</div> : null;
}

interface Props {
  title: string;
  lead?: string;
  children: ReactNode;
  className?: string;
  /** The title is read out but not shown. */
  bare?: boolean;
}

/** Where the focus begins: the first field; in a bare question, the way out. */
const FIRST = 'input:not([type=radio]), textarea, .dialog-foot button';

export function Dialog({ title, lead, children, className = '', bare = false }: Props) {
  const box = useRef<HTMLDialogElement>(null);
  const id = useId();
  useLayoutEffect(() => {
    const dialog = box.current!;
    dialog.showModal();
    dialog.querySelector<HTMLElement>(FIRST)?.focus();
    return () => dialog.close();
  }, []);
  return (
    <dialog ref={box} className={`dialog ${className}`} aria-labelledby={id}
      onCancel={(event) => { event.preventDefault(); closeDialog(); }}
      onMouseDown={(event) => event.target === event.currentTarget && closeDialog()}>
      <div className="dialog-inside">
        {bare ? <h2 id={id} className="hidden">{title}</h2> : (
          <header className="dialog-head">
            <h2 id={id}>{title}</h2>
            <IconButton icon="close" label={strings.close} onClick={closeDialog} />
          </header>
        )}
        {lead && <p className="dialog-lead">{lead}</p>}
        {children}
      </div>
    </dialog>
  );
}

interface FormProps {
  title: string;
  lead?: string;
  action: string;
  danger?: boolean;
  disabled?: boolean;
  children?: ReactNode;
  /** Closes the dialog when it succeeds; its failure is shown in the dialog. */
  onSubmit: () => Promise<unknown>;
}

/** A dialog that does one thing. */
export function FormDialog({ title, lead, action, danger, disabled, children, onSubmit }: FormProps) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await onSubmit();
      closeDialog();
    } catch (reason) {
      setError(explain(reason));
      setBusy(false);
    }
  };
  return (
    <Dialog title={title} lead={lead}>
      <form onSubmit={submit} className="form">
        {children}
        <FormError text={error} />
        <footer className="dialog-foot">
          <Button look="quiet" onClick={closeDialog}>{strings.cancel}</Button>
          <Button look={danger ? 'danger' : 'primary'} type="submit" busy={busy} disabled={disabled}>{action}</Button>
        </footer>
      </form>
    </Dialog>
  );
}

export function confirm(question: Omit<FormProps, 'children'>): void {
  openDialog(<FormDialog {...question} />);
}
