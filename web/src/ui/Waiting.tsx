import { strings } from '../strings';
import { Button } from './controls';
import { Icon } from './Icon';

/** Where something is about to be: lines that stand for it. */
export function Waiting({ rows = 3 }: { rows?: number }) {
  return (
    <div className="waiting" role="status">
      <span className="hidden">{strings.loading}</span>
      {Array.from({ length: rows }, (_, at) => (
        <div key={at} className="waiting-row" aria-hidden="true"><i /><span><i /><i /></span></div>
      ))}
    </div>
  );
}

/** Where something could not be had: why, and a way to ask again. */
export function Missing({ why, onRetry }: { why: string; onRetry: () => void }) {
  return (
    <div className="missing" role="alert">
      <p><Icon name="alert" size={24} /> {why}</p>
      <Button onClick={onRetry}>{strings.tryAgain}</Button>
    </div>
  );
}

/** Where there is nothing, and how there may be. */
export function Nothing({ title, hint }: { title: string; hint: string }) {
  return <div className="nothing"><p>{title}</p><p className="quiet">{hint}</p></div>;
}
