// Lighthouse on a room with fifty messages, as somebody who is signed in and comes for the first
// time: a new browser, nothing cached. PARLOR_URL says where; the argument is desktop or mobile.
// Prints one line of JSON with what was measured.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import lighthouse, { desktopConfig } from 'lighthouse';
import { chromium } from 'playwright-core';

const MESSAGES = 50;
const URL_BASE = process.env.PARLOR_URL.replace(/\/$/, '');
const CONFIGS = { desktop: desktopConfig, mobile: undefined };
const form = process.argv[2];
if (!(form in CONFIGS)) throw new Error(`neither desktop nor mobile: ${form}`);

const profile = await mkdtemp(join(tmpdir(), 'parlor-lighthouse-'));
const browser = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--remote-debugging-port=0'],
});
try {
  const room = await prepare(browser.request);
  const port = Number((await readFile(join(profile, 'DevToolsActivePort'), 'utf8')).split('\n')[0]);
  const flags = {
    port, disableStorageReset: true, logLevel: 'error',
    // What robots are told is no quality of a page behind a login.
    onlyCategories: ['performance', 'accessibility', 'best-practices'],
  };
  const { lhr } = await lighthouse(`${URL_BASE}/app/r/${room}`, flags, CONFIGS[form]);
  if (lhr.runtimeError) throw new Error(lhr.runtimeError.message);
  const score = (category) => lhr.categories[category].score * 100;
  const value = (audit) => lhr.audits[audit].numericValue;
  const failed = Object.values(lhr.categories)
    .filter((category) => category.id !== 'performance' && category.score < 1)
    .flatMap((category) => category.auditRefs)
    .filter(({ id, weight }) => weight > 0 && (lhr.audits[id].score ?? 1) < 1)
    .map(({ id }) => id);
  console.log(JSON.stringify({
    'performance': score('performance'),
    'accessibility': score('accessibility'),
    'best practices': score('best-practices'),
    'largest paint': value('largest-contentful-paint'),
    'interactive': value('interactive'),
    'blocked': value('total-blocking-time'),
    'layout shift': value('cumulative-layout-shift'),
    failed,
  }));
} finally {
  await browser.close();
  await rm(profile, { recursive: true, force: true });
}

/** An account, a room and what is said in it; the room's id. */
async function prepare(request) {
  const call = async (path, data) => {
    const answer = await request.post(`${URL_BASE}/api/v1${path}`, { headers: { Origin: URL_BASE }, data });
    if (!answer.ok()) throw new Error(`${path}: ${answer.status()} ${await answer.text()}`);
    return answer.json();
  };
  const account = { username: `reader${Date.now() % 1e8}`, password: 'a long enough password' };
  await call('/auth/register', account);
  await call('/auth/login', { login: account.username, password: account.password });
  const made = await call('/rooms', { name: 'The press', kind: 'private' });
  const room = made.room ?? made;
  for (let n = 1; n <= MESSAGES; n++) {
    const content = `Line **${n}** of the proofs, with \`code\` and a list:\n\n- one\n- two`;
    await call(`/sessions/${room.main_session_id}/messages`, { client_id: crypto.randomUUID(), content });
  }
  return room.id;
}
