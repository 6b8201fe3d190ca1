import { strings } from '../strings';

const clock = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' });
const day = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });
const dayOfYear = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'long', year: 'numeric' });
const dayShort = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const dayOfYearShort = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', year: 'numeric' });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'short' });
const ago = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });

const DAY_MS = 86_400_000;

const SPANS = [['week', 604_800], ['day', 86_400], ['hour', 3_600], ['minute', 60], ['second', 1]] as const;

/** A span of whole seconds in the largest unit that it fills, of which it may be a few: `2 weeks`, `90 minutes`. */
export function spanOf(seconds: number, unitDisplay: 'long' | 'narrow' = 'long'): string {
  const [unit, size] = SPANS.find(([, length]) => seconds >= length && (seconds % length === 0 || seconds >= 2 * length)) ?? SPANS[4];
  return new Intl.NumberFormat(undefined, { style: 'unit', unit, unitDisplay }).format(Math.floor(seconds / size));
}

export function timeOf(at: string): string {
  return clock.format(new Date(at));
}

export function fullTime(at: string): string {
  return full.format(new Date(at));
}

/** Days since 1970 in local time: equal for two moments of one day. */
export function dayNumber(at: string | number): number {
  const date = new Date(at);
  return Math.floor((date.getTime() - date.getTimezoneOffset() * 60_000) / DAY_MS);
}

export function dayName(at: string, today: string, yesterday: string): string {
  const gap = dayNumber(Date.now()) - dayNumber(at);
  if (gap === 0) return today;
  if (gap === 1) return yesterday;
  return gap < 300 ? day.format(new Date(at)) : dayOfYear.format(new Date(at));
}

/** The time of today, else the day. */
export function shortTime(at: string): string {
  const gap = dayNumber(Date.now()) - dayNumber(at);
  if (gap === 0) return timeOf(at);
  return (gap < 300 ? dayShort : dayOfYearShort).format(new Date(at));
}

export function since(at: string): string {
  if (Date.now() - Date.parse(at) < 60_000) return strings.justNow;
  const minutes = Math.round((new Date(at).getTime() - Date.now()) / 60_000);
  if (Math.abs(minutes) < 60) return ago.format(Math.min(0, minutes), 'minute');
  if (Math.abs(minutes) < 60 * 24) return ago.format(Math.round(minutes / 60), 'hour');
  return ago.format(Math.round(minutes / 60 / 24), 'day');
}
