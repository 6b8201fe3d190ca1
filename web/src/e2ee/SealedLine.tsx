import type { ReactNode } from 'react';
import { navigate, paths } from '../shell/router';
import { encryptionOf, useSealing } from '../store/sealed';
import { openReaders } from '../timeline/talk';
import type { Session } from '../wire';
import { Icon } from '../ui/Icon';
import { countsOf } from './counts';
import './e2ee.css';
import { useReaders } from './useReaders';
import { words } from './words';

/** The line above the field of an encrypted session: who can read what is written there, before it is sent. */
export default function SealedLine({ session, typing }: { session: Session; typing: ReactNode }) {
  const at = useSealing((state) => state.at);
  const signed = useSealing((state) => state.status?.signed);
  const readers = useReaders(session);
  if (at === 'insecure') return <Bad text={words.stripInsecure} />;
  if (at === 'failed') return <Bad text={words.stripFailed} />;
  if (at !== 'ready' || signed === undefined) return <p className="sealed-line" role="status"><Icon name="sealed" size={16} /> {words.stripStarting}</p>;
  if (!signed) return <Bad text={words.stripUnsigned} action={words.confirmDevice} onAction={() => navigate(paths.settings('encryption'))} />;
  const verifiedOnly = encryptionOf(session)?.verified_only ?? false;
  const counts = readers && countsOf(readers, verifiedOnly);
  if (counts?.changed.length) return <Bad text={words.stripChanged(counts.changed)} action={words.look} onAction={() => openReaders(session.id)} />;
  return (
    <div className="sealed-line">
      <button type="button" className="sealed-open" onClick={() => openReaders(session.id)} title={words.readers}>
        <Icon name="sealed" size={16} />
        <span>{verifiedOnly ? words.onlyCompared : words.onlyThese}</span>
        <span className={counts?.unvouched ? 'sealed-count sealed-unvouched' : 'sealed-count'}>{!counts ? words.looking : counts.people === 1 ? words.summaryAlone(counts.devices) : words.summary(counts)}</span>
      </button>
      {typing}
    </div>
  );
}

function Bad({ text, action, onAction }: { text: string; action?: string; onAction?: () => void }) {
  return (
    <p className="sealed-line sealed-bad" role="status">
      <Icon name="alert" size={16} /> <span>{text}</span>
      {action && <button type="button" className="sealed-act" onClick={onAction}>{action}</button>}
    </p>
  );
}
