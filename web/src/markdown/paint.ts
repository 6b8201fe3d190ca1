import { startWorker } from '../net/worker';
import type { Kind } from './paint.worker';
import workerUrl from './paint.worker?worker&url';

/** Hands programs to a worker that tells which word is of what kind. It loads with the first program. */

/** A piece of a program, and what kind of word it is. */
export type Painted = [Kind | null, string];

const LANGUAGES: Record<string, string> = {
  bash: 'Shell', sh: 'Shell', shell: 'Shell', zsh: 'Shell', c: 'C', h: 'C', cpp: 'C++', 'c++': 'C++', cc: 'C++', hpp: 'C++',
  cs: 'C#', 'c#': 'C#', csharp: 'C#', css: 'CSS', diff: 'Diff', patch: 'Diff', go: 'Go', golang: 'Go', html: 'HTML', xml: 'XML', svg: 'XML',
  java: 'Java', js: 'JavaScript', javascript: 'JavaScript', jsx: 'JavaScript', mjs: 'JavaScript', json: 'JSON', kotlin: 'Kotlin',
  kt: 'Kotlin', md: 'Markdown', markdown: 'Markdown', php: 'PHP', py: 'Python', python: 'Python', rb: 'Ruby', ruby: 'Ruby', rs: 'Rust',
  rust: 'Rust', sql: 'SQL', swift: 'Swift', toml: 'TOML', ini: 'INI', ts: 'TypeScript', typescript: 'TypeScript', tsx: 'TypeScript',
  yaml: 'YAML', yml: 'YAML',
};

/** What a language is called; undefined when its colours are not known. */
export function coloured(language: string): string | undefined {
  return Object.hasOwn(LANGUAGES, language) ? LANGUAGES[language] : undefined;
}

const TEXT_MAX = 20_000;
const KEPT_MAX = 60;
const PATIENCE_MS = 3_000;

interface Asked {
  id: number;
  language: string;
  text: string;
}

const kept = new Map<string, Promise<Painted[] | null>>();
const waiting = new Map<number, (pieces: Painted[] | null) => void>();
let worker: Worker | null = null;
let ids = 0;

/** The pieces of a program, joined the very same text; null when it stays plain. */
export function paint(language: string, text: string): Promise<Painted[] | null> {
  const key = `${language}\n${text}`;
  const known = kept.get(key);
  if (known) return known;
  if (!coloured(language) || text.length > TEXT_MAX || !('Worker' in globalThis)) return Promise.resolve(null);
  if (kept.size >= KEPT_MAX) kept.clear();
  const asked = ask({ id: ++ids, language, text });
  kept.set(key, asked);
  return asked;
}

function ask(what: Asked): Promise<Painted[] | null> {
  return new Promise((done) => {
    const timer = setTimeout(giveUp, PATIENCE_MS);
    waiting.set(what.id, (pieces) => {
      clearTimeout(timer);
      waiting.delete(what.id);
      done(pieces && pieces.map(([, piece]) => piece).join('') === what.text ? pieces : null);
    });
    try {
      worker ??= start();
      worker.postMessage(what);
    } catch {
      giveUp();
    }
  });
}

/** A program on which the worker hangs costs that worker; the next one gets another. */
function giveUp(): void {
  worker?.terminate();
  worker = null;
  for (const answer of [...waiting.values()]) answer(null);
}

function start(): Worker {
  const fresh = startWorker(workerUrl);
  fresh.onmessage = ({ data }: MessageEvent<{ id: number; pieces: Painted[] | null }>) => waiting.get(data.id)?.(data.pieces);
  fresh.onerror = giveUp;
  return fresh;
}
