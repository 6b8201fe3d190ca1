import { initAsync } from '@matrix-org/matrix-sdk-crypto-wasm';
import { backoff } from '../net/backoff';
import { call, isPassing } from '../net/http';
import { Engine } from './engine/engine';
import { codeOf } from './engine/wire';
import { channelName, Desk, type Answer, type Said, type Word } from './rpc';

/** The worker that has the keys: one for all windows of this browser. Its page talks to it by messages, the others by a channel. */

const page = self as unknown as { postMessage(said: Said): void; onmessage: ((event: MessageEvent<Said | { account: string }>) => void) | null };
let channel: BroadcastChannel | null = null;
let engine: Promise<Engine> | null = null;
let ready = false;
let over = false;

function tell(word: Word): void {
  page.postMessage(word);
  channel?.postMessage(word);
}

/** A panic leaves the library in pieces: nothing more may be asked of it. */
function broken(error: unknown): boolean {
  const panicked = error instanceof WebAssembly.RuntimeError;
  if (panicked) fail(error);
  return over;
}

function fail(error: unknown): void {
  if (over) return;
  over = true;
  page.postMessage({ word: 'broken', why: String(error) });
}

/** A server that is away for a while comes back. */
async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (!isPassing(error)) throw error;
      await new Promise((done) => setTimeout(done, backoff(attempt)));
    }
  }
}

async function begin(): Promise<Engine> {
  await initAsync();
  const started = await patiently(() => Engine.start({ call }, { changed: () => tell({ word: 'changed' }), keys: (sessions) => tell({ word: 'keys', sessions }) }));
  ready = true;
  tell({ word: 'ready' });
  void started.run((error) => {
    if (codeOf(error) !== 'unauthorized') return !broken(error);
    tell({ word: 'gone' });
    return false;
  });
  return started;
}

const desk = new Desk(() => engine!, broken);

function hear(said: Said, reply: (answer: Answer) => void): void {
  if ('word' in said && said.word === 'who' && ready) tell({ word: 'ready' });
  if (over || !engine) return;
  const forgets = 'ask' in said && said.method === 'forget';
  void desk.take(said, reply).then(() => {
    if (!forgets) return;
    over = true;
    tell({ word: 'gone' });
  });
}

page.onmessage = ({ data }) => {
  if (!('account' in data)) return hear(data, (answer) => page.postMessage(answer));
  const others = new BroadcastChannel(channelName(data.account));
  channel = others;
  others.onmessage = (event: MessageEvent<Said>) => hear(event.data, (answer) => others.postMessage(answer));
  engine = begin();
  engine.catch((error) => fail(error));
};

self.addEventListener('unhandledrejection', (event) => {
  if (event.reason instanceof WebAssembly.RuntimeError) fail(event.reason);
});
