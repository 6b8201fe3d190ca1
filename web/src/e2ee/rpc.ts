import type { Engine } from './engine/engine';

/** What windows ask the worker that has the keys, and what it tells them. */

export type Methods = Pick<
  Engine,
  'status' | 'open' | 'seal' | 'discard' | 'see' | 'beginRoll' | 'letIn' | 'readers' | 'approve' | 'compare' | 'compareByCode' | 'takeCode' | 'answerCompare'
  | 'confirmCompare' | 'cancelCompare' | 'dismissCompare' | 'createRecovery' | 'useRecovery' | 'reset' | 'find' | 'drop' | 'dropSession' | 'forget'
>;
export type Method = keyof Methods;

export const METHODS: readonly Method[] = [
  'status', 'open', 'seal', 'discard', 'see', 'beginRoll', 'letIn', 'readers', 'approve', 'compare', 'compareByCode', 'takeCode', 'answerCompare',
  'confirmCompare', 'cancelCompare', 'dismissCompare', 'createRecovery', 'useRecovery', 'reset', 'find', 'drop', 'dropSession', 'forget',
];

export interface Ask {
  ask: string;
  method: Method;
  args: unknown[];
}

export interface Failure {
  code: string;
  message: string;
  status: number;
  retryAfterMs?: number;
  users?: string[];
}

export type Answer = { answer: string; value: unknown } | { answer: string; failure: Failure };

export type Word =
  /** Somebody looks for whoever has the keys. */
  | { word: 'who' }
  /** The worker can be asked. */
  | { word: 'ready' }
  | { word: 'changed' }
  | { word: 'keys'; sessions: string[] }
  /** It cannot go on as it is: a fresh one may. */
  | { word: 'broken'; why: string }
  /** The server no longer knows this device, or its keys were removed. */
  | { word: 'gone' };

export type Said = Ask | Answer | Word;

export function channelName(account: string): string {
  return `parlor.e2ee ${account}`;
}

const REMEMBERED = 1_000;

/** Answers asks, each once however often it is told: a window repeats itself when another worker takes over. */
export class Desk {
  private readonly known = new Set<string>();

  constructor(
    private readonly engine: () => Promise<Methods>,
    private readonly broken: (error: unknown) => boolean,
  ) {}

  async take(said: Said, reply: (answer: Answer) => void): Promise<void> {
    if (!('ask' in said) || this.known.has(said.ask) || !METHODS.includes(said.method)) return;
    this.known.add(said.ask);
    if (this.known.size > REMEMBERED) this.known.delete(this.known.values().next().value!);
    try {
      const engine = await this.engine();
      const value = await (engine[said.method] as (...args: unknown[]) => Promise<unknown>)(...said.args);
      reply({ answer: said.ask, value });
    } catch (error) {
      // Whoever asked asks the next worker.
      if (!this.broken(error)) reply({ answer: said.ask, failure: asFailure(error) });
    }
  }
}

function asFailure(error: unknown): Failure {
  const { code, message, status, retryAfterMs, users } = (error ?? {}) as Partial<Failure>;
  const failure: Failure = { code: typeof code === 'string' ? code : 'sealing', message: message ?? '', status: status ?? 0 };
  if (retryAfterMs !== undefined) failure.retryAfterMs = retryAfterMs;
  if (users) failure.users = users;
  return failure;
}
