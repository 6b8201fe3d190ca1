import { spanOf } from '../shell/when';
import { Choice } from '../ui/controls';

/** What messages may live for; 0 is for ever. */
export const LIVES = [0, 30, 300, 3_600, 28_800, 86_400, 604_800, 2_419_200];

interface SpansProps {
  legend: string;
  name: string;
  offered: number[];
  /** What 0 is called. */
  never: string;
  /** What holds now, which is offered in any case. */
  now: number;
  chosen: number;
  onChange: (seconds: number) => void;
  disabled?: boolean;
}

/** One of several spans of time, or none. */
export function Spans({ legend, name, offered, never, now, chosen, onChange, disabled }: SpansProps) {
  const spans = offered.includes(now) ? offered : [...offered, now].sort((a, b) => a - b);
  const options = spans.map((seconds): [string, string] => [String(seconds), seconds === 0 ? never : spanOf(seconds)]);
  return <Choice legend={legend} name={name} value={String(chosen)} options={options} disabled={disabled} onChange={(key) => onChange(Number(key))} />;
}
