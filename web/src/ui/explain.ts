import { ApiError } from '../net/http';
import { strings } from '../strings';

/** What went wrong, as a sentence for people. */
export function explain(error: unknown): string {
  if (!(error instanceof ApiError)) return strings.failed;
  if (error.code === 'offline' || error.code === 'unavailable') return strings.offline;
  if (error.code === 'rate_limited') return strings.tooMany(Math.ceil((error.retryAfterMs ?? 1_000) / 1_000));
  const text = error.message.trim();
  if (!text) return strings.failed;
  const sentence = text[0]!.toUpperCase() + text.slice(1);
  return /[.!?]$/.test(sentence) ? sentence : `${sentence}.`;
}
