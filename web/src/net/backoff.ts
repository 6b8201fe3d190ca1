const BASE_MS = 500;
const CAP_MS = 30_000;
const FLOOR_MS = 200;

/** How long to wait before try number `attempt` (from 0): full jitter under a doubling cap. */
export function backoff(attempt: number, random: () => number = Math.random): number {
  const ceiling = Math.min(CAP_MS, BASE_MS * 2 ** Math.min(attempt, 16));
  return Math.max(FLOOR_MS, Math.round(random() * ceiling));
}
