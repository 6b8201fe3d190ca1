import { expect, test } from 'vitest';
import { Openings } from '../../src/e2ee/openings';
import type { Opened, ToOpen } from '../../src/e2ee/types';

const message = (id: string): ToOpen => ({
  id, number: 1, session_id: 's', sender_id: 'u', sent_at: '2026-01-01T00:00:00.000Z', edited_at: null,
  sealed: { algorithm: 'm.megolm.v1.aes-sha2', ciphertext: `of ${id}`, session_id: 'k', sender_key: '', device_id: '' } as ToOpen['sealed'],
});
const open: Opened = { state: 'open', payload: { v: 1, body: 'here', sent_at: '' }, shield: 'signed', reactions: [] };
const shut: Opened = { state: 'shut', why: 'withheld' };

/** A worker that answers when it is told to. */
function worker() {
  const asked: { ids: string[]; answer: (with_: Opened) => void }[] = [];
  const openings = new Openings((messages) => new Promise((done) => {
    asked.push({ ids: messages.map(({ id }) => id), answer: (opened) => done(messages.map(() => opened)) });
  }));
  const turn = () => new Promise((done) => setTimeout(done));
  return { asked, openings, turn };
}

test('a key that comes while a message is looked at opens it', async () => {
  const { asked, openings, turn } = worker();
  const found = openings.open(message('a'));
  await turn();
  // The worker has looked for the key and found none, then it comes, then the answer arrives.
  openings.arrived();
  asked[0]!.answer(shut);
  await turn();
  asked[1]!.answer(open);
  expect(await found).toEqual(open);
});

test('whoever asks because of the key does not get the answer from before it', async () => {
  const { asked, openings, turn } = worker();
  const first = openings.open(message('a'));
  await turn();
  openings.arrived();
  const second = openings.open(message('a'));
  asked[0]!.answer(shut);
  await turn();
  asked[1]!.answer(open);
  expect(await Promise.all([first, second])).toEqual([open, open]);
});

test('what stays shut is asked for again the next time, and what is open is not', async () => {
  const { asked, openings, turn } = worker();
  for (const answer of [shut, open]) {
    const found = openings.open(message('a'));
    await turn();
    asked.at(-1)!.answer(answer);
    expect(await found).toEqual(answer);
  }
  expect(await openings.open(message('a'))).toEqual(open);
  expect(asked).toHaveLength(2);
});

test('those asked for at the same time go together', async () => {
  const { asked, openings, turn } = worker();
  const found = [openings.open(message('a')), openings.open(message('b'))];
  await turn();
  expect(asked.map(({ ids }) => ids)).toEqual([['a', 'b']]);
  asked[0]!.answer(open);
  expect(await Promise.all(found)).toEqual([open, open]);
});

test('a worker that fails leaves a message shut, to be asked for again', async () => {
  let asks = 0;
  const openings = new Openings(async () => {
    asks += 1;
    throw new Error('gone');
  });
  expect(await openings.open(message('a'))).toEqual({ state: 'shut', why: 'opening' });
  expect(await openings.open(message('a'))).toEqual({ state: 'shut', why: 'opening' });
  expect(asks).toBe(2);
});
