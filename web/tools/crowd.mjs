// What a new key for very many devices costs in a browser: how much is sent, how long the thread of the worker that has
// the keys computes, and whether the page stands still meanwhile. It measures, and fails only where it cannot.
// It reads PARLOR_URL as the journeys do, PARLOR_CROWD (the example `crowd` of clients/sdk, built), and may be told by
// PARLOR_CROWD_DEVICES and PARLOR_CROWD_EACH how many devices there are, and how many of them are one person's.
import { test } from 'node:test';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { PASSWORD, URL_BASE, assert, field, fresh, message, person, until, write } from '../e2e/harness.mjs';

const DEVICES = Number(process.env.PARLOR_CROWD_DEVICES ?? 1_000);
const EACH = Number(process.env.PARLOR_CROWD_EACH ?? 1);
const RUNS = 5;
const SENDS = 10;
const ENCRYPTION = { algorithm: 'm.megolm.v1.aes-sha2' };

const ADDED_MAX = 100;
const LANES = 8;
const PATIENCE_MS = 600_000;

/** A thread that does less than this in so long has nothing more to do. */
const STILL_MS = 1_000;
const STILL_CPU_MS = 2;
const STILL_TRIES = 180;

const WANTED = { bytes: 2_000_000, cpu: 1_000, longTask: 50, send: 1 };

const later = (ms) => new Promise((done) => setTimeout(done, ms));
const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

/** Accounts with this many devices each, all with keys. */
async function crowd(counts) {
  const made = counts.map((count) => ({ username: fresh('crowd'), count }));
  let next = 0;
  await Promise.all(Array.from({ length: LANES }, async () => {
    while (next < made.length) await register(made[next++]);
  }));
  assert.ok(process.env.PARLOR_CROWD, 'PARLOR_CROWD names the built example `crowd` of clients/sdk');
  const program = spawn(process.env.PARLOR_CROWD, {
    stdio: ['pipe', 'inherit', 'inherit'], env: { PARLOR_URL: URL_BASE, PARLOR_PASSWORD: PASSWORD },
  });
  program.stdin.end(made.map(({ username, count }) => `${username} ${count}\n`).join(''));
  const [code] = await once(program, 'exit');
  assert.equal(code, 0, 'the crowd was made');
  return made;
}

async function register(one) {
  const answer = await fetch(`${URL_BASE}/api/v1/auth/register`, {
    method: 'POST', headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ username: one.username, password: PASSWORD, name: one.username }),
  });
  assert.ok(answer.ok, `the server limits? run it with PARLOR_LIMITS=off: ${answer.status}`);
  one.id = (await answer.json()).user.id;
}

/** The threads of the workers of our browser, which is a descendant of this process. */
function workers() {
  const parents = new Map();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const stat = contentOf(`/proc/${pid}/stat`);
    if (stat) parents.set(pid, stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  }
  const ours = (pid) => pid === String(process.pid) || (parents.has(pid) && ours(parents.get(pid)));
  return [...parents.keys()].filter(ours).flatMap((pid) => tasksOf(pid).map((tid) => `/proc/${pid}/task/${tid}`))
    .filter((task) => contentOf(`${task}/comm`).trim() === 'DedicatedWorker');
}

/** The threads of a process, and what is in a file; nothing when it is gone. */
function tasksOf(pid) {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

function contentOf(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** What the thread has computed so far, and how long it has waited for a processor, in milliseconds. */
function times(task) {
  const [ran, waited] = readFileSync(`${task}/schedstat`, 'utf8').split(' ');
  return { ran: Number(ran) / 1e6, waited: Number(waited) / 1e6 };
}

/** Waits until the thread has nothing more to do; what it has computed so far. */
async function still(task) {
  let before = times(task);
  for (let tries = 0; tries < STILL_TRIES; tries += 1) {
    await later(STILL_MS);
    const now = times(task);
    if (now.ran - before.ran + now.waited - before.waited < STILL_CPU_MS) return now.ran;
    before = now;
  }
  throw new Error('the worker computes without end');
}

/** Somebody in a browser whose requests are counted and whose page tells its long tasks. */
async function watched() {
  const who = await person('Ana');
  who.context.setDefaultTimeout(PATIENCE_MS);
  const sizes = [];
  who.context.on('request', (request) => {
    if (/\/e2ee\/send_to_device\//.test(request.url())) sizes.push(request.allHeaders().then((headers) => Number(headers['content-length'])));
  });
  await who.context.addInitScript(() => {
    globalThis.longTasks = [];
    new PerformanceObserver((list) => globalThis.longTasks.push(...list.getEntries().map(({ duration }) => duration))).observe({ type: 'longtask' });
  });
  const page = await who.window('/app/settings/encryption');
  await page.getByText('Confirmed with your keys.').waitFor();
  return { ...who, page, sizes };
}

/** An encrypted room with all of these, that the browser sees when it is complete: at first sight everybody is let in. */
async function together(who, others) {
  await who.page.goto('about:blank');
  const made = await who.call('POST', '/rooms', { name: 'Crowd', kind: 'private', members: [], encryption: ENCRYPTION });
  for (let at = 0; at < others.length; at += ADDED_MAX) {
    await who.call('POST', `/rooms/${made.id}/members`, { users: others.slice(at, at + ADDED_MAX).map(({ id }) => id) });
  }
  await who.page.goto(`/app/r/${made.id}`);
  await field(who.page).waitFor();
  await peopleAre(who.page, others.length + 1);
  return made.id;
}

async function peopleAre(page, count) {
  await page.locator('.sealed-line').getByText(new RegExp(`^${count} people, `)).waitFor();
}

/** Says something. Nothing is asked of the page meanwhile: that would be a task of its own. */
async function says(page, text) {
  const stored = page.waitForResponse((answer) => /\/sessions\/[^/]+\/messages$/.test(answer.url()) && answer.request().method() === 'POST' && answer.ok());
  await write(page, text);
  await stored;
}

/** What is done, in bytes for other devices and milliseconds: of the worker's thread, of the clock, of the page's longest task. */
async function cost({ page, sizes }, task, work) {
  await page.evaluate(() => globalThis.longTasks.splice(0));
  sizes.splice(0);
  const [ran, began] = [await still(task), performance.now()];
  await work();
  const took = performance.now() - began;
  const cpu = (await still(task)) - ran;
  const bytes = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
  return { bytes, cpu, took, longTask: Math.max(0, ...(await page.evaluate(() => globalThis.longTasks))) };
}

/** Somebody leaves, and what is said then is sealed by a new key; then more is said by the same one. */
async function run(who, task, { room, leaver, people, number }) {
  const leave = await cost(who, task, async () => {
    await who.call('DELETE', `/rooms/${room}/members/${leaver.id}`);
    await later(STILL_MS);
  });
  await peopleAre(who.page, people);
  const rekey = await cost(who, task, () => says(who.page, `without number ${number}`));
  const sends = await cost(who, task, async () => {
    for (let n = 0; n < SENDS; n += 1) await says(who.page, `to number ${number}, line ${n}.`);
  });
  await message(who.page, `to number ${number}, line ${SENDS - 1}.`).waitFor();
  assert.equal(sends.bytes, 0, 'nobody came or went');
  return { leave, rekey, send: sends.cpu / SENDS, longTask: Math.max(leave.longTask, rekey.longTask, sends.longTask) };
}

function table(runs) {
  const rows = [
    ['bytes of a new key', runs.map(({ rekey }) => rekey.bytes), WANTED.bytes],
    ['CPU of the worker for a new key, ms', runs.map(({ rekey }) => rekey.cpu), WANTED.cpu],
    ['longest task of the page, ms', runs.map(({ longTask }) => longTask), WANTED.longTask],
    ['CPU of the worker for a message, ms', runs.map(({ send }) => send), WANTED.send],
    ['CPU of the worker when somebody left, ms', runs.map(({ leave }) => leave.cpu)],
    ['time until what was said is stored, ms', runs.map(({ rekey }) => rekey.took)],
  ];
  const figure = (number) => (number >= 100 ? number.toFixed(0) : number.toFixed(2));
  return rows.map(([name, all, wanted]) => [
    name.padEnd(42), figure(median(all)).padStart(9),
    wanted === undefined ? ''.padEnd(20) : ` ${median(all) <= wanted ? 'met   ' : 'missed'} (≤ ${wanted})`.padEnd(20),
    ` of ${all.map(figure).join(', ')}`,
  ].join('')).join('\n');
}

test(`a new key for ${DEVICES} devices`, async () => {
  const who = await watched();
  const counts = Array.from({ length: Math.ceil((DEVICES - 1) / EACH) }, (_, n) => Math.min(EACH, DEVICES - 1 - n * EACH));
  const began = performance.now();
  const others = await crowd([...counts, ...Array.from({ length: RUNS }, () => 1)]);
  const leavers = others.slice(counts.length);
  console.log(`the crowd was made in ${Math.round((performance.now() - began) / 1_000)} s`);
  const room = await together(who, others);
  await until('there is a worker', async () => workers().length > 0);
  const [task, ...more] = workers();
  assert.deepEqual(more, [], 'there is one worker');
  const first = await cost(who, task, () => says(who.page, 'all of you'));
  console.log(`the first key for all: ${first.bytes} bytes, ${Math.round(first.cpu)} ms of CPU in the worker, longest task ${Math.round(first.longTask)} ms`);
  const runs = [];
  for (const [n, leaver] of leavers.entries()) runs.push(await run(who, task, { room, leaver, people: others.length - n, number: n + 1 }));
  assert.ok(runs.every(({ rekey }) => rekey.bytes > 0), 'whoever left had the key');
  console.log(`${DEVICES} devices of ${counts.length + 1} people in the end, medians of ${RUNS}:\n${table(runs)}`);
});
