import type { Why } from '../e2ee/types';
import { strings } from '../strings';
import { Icon } from '../ui/Icon';

/** A message that cannot be read here, and plainly why. */
export function Shut({ why }: { why: Why | undefined }) {
  if (!why || why === 'opening') return <p className="shut" role="status"><span className="shut-bar" aria-hidden="true" /><span className="hidden">{strings.shut.opening}</span></p>;
  return <p className="shut"><Icon name={BAD.includes(why) ? 'alert' : 'sealed'} size={16} /> <span>{strings.shut[why]}</span></p>;
}

const BAD: Why[] = ['changed', 'replayed', 'damaged', 'unsigned', 'bare'];
