import { useEffect } from 'react';
import { useStore } from 'zustand';
import { unsay, useAround } from '../store/store';
import { strings } from '../strings';
import { IconButton } from '../ui/controls';
import { live } from '../ui/live';

const TOAST_MS = 5_000;

/** A passing word at the foot of the page. */
export function Toast() {
  const toast = useAround((state) => state.toast);
  useEffect(() => {
    if (!toast) return;
    const timer = setTimeout(unsay, TOAST_MS);
    return () => clearTimeout(timer);
  }, [toast]);
  return (
    <div className="toasts" role="status">
      {toast && (
        <div key={toast.id} className={toast.bad ? 'toast toast-bad' : 'toast'}>
          <span>{toast.text}</span>
          {toast.action && <button type="button" className="toast-action" onClick={() => { unsay(); toast.action!.act(); }}>{toast.action.label}</button>}
          <IconButton icon="close" label={strings.close} size={16} onClick={unsay} />
        </div>
      )}
    </div>
  );
}

export function LiveRegion() {
  const { polite, urgent } = useStore(live);
  return (
    <>
      <div className="hidden" role="status" aria-live="polite">{polite}</div>
      <div className="hidden" role="alert">{urgent}</div>
    </>
  );
}
