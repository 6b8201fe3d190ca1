import type { Session } from '../wire';
import type { Log, State } from './state';

/** A session that has ended keeps its name: nothing that was said in it is held any more. */

/** When it ends by itself, if that is known here: what is said puts off an end by silence. */
export function endOf({ end, ended_at }: Session): number {
  return !ended_at && end?.at && !end.silence_s ? Date.parse(end.at) : Infinity;
}

/** From when on nothing more is said in it. */
export function closesAt(session: Session): number {
  return session.end?.read_only_s ? endOf(session) - session.end.read_only_s * 1_000 : Infinity;
}

/** A log without anything that was said. */
export function silent(log: Log): Log {
  return { ...log, messages: [], patches: {}, hasBefore: false, hasAfter: false };
}

/** The state after a session ended. */
export function ended(state: State, id: string, at: string): State {
  const session = state.sessions[id];
  const log = state.logs[id];
  const threads = Object.entries(state.threads).filter(([, { root }]) => root.session_id !== id);
  return {
    ...state,
    sessions: session ? { ...state.sessions, [id]: { ...session, ended_at: at, end: null, unread: 0, mentions: 0, thread_unread: 0 } } : state.sessions,
    logs: log ? { ...state.logs, [id]: silent(log) } : state.logs,
    threads: Object.fromEntries(threads),
    pinsVersion: { ...state.pinsVersion, [id]: (state.pinsVersion[id] ?? 0) + 1 },
  };
}

/** The state without sessions whose moment has come, and which these were. */
export function endedBy(state: State, now: number): { next: State; over: string[] } {
  const over = Object.values(state.sessions).filter((session) => endOf(session) <= now);
  return { next: over.reduce((next, { id, end }) => ended(next, id, end!.at!), state), over: over.map(({ id }) => id) };
}

/** The session after something was said at this moment. */
export function putOff(session: Session, saidAt: string): Session {
  const silence = session.end?.silence_s;
  if (!silence) return session;
  return { ...session, end: { ...session.end, at: new Date(Date.parse(saidAt) + silence * 1_000).toISOString() } };
}

/** Sessions that have ended between two states, or had when the first of it was heard. */
export function newlyEnded(state: State, before: State): string[] {
  if (state.sessions === before.sessions) return [];
  return Object.values(state.sessions).filter(({ id, ended_at }) => ended_at && !before.sessions[id]?.ended_at).map(({ id }) => id);
}
