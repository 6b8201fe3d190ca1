// What every journey needs: a browser, people, and a guard against policy reports.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, afterEach } from 'node:test';
import { chromium } from 'playwright-core';

export const URL_BASE = (process.env.PARLOR_URL ?? 'http://127.0.0.1:8000').replace(/\/$/, '');
export const PASSWORD = 'a long enough password';
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const FLAGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];

let browser;
const contexts = [];
const complaints = [];

async function theBrowser() {
  browser ??= await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: FLAGS });
  return browser;
}

after(async () => browser?.close());

afterEach(async () => {
  for (const context of contexts.splice(0)) await context.close();
  assert.deepEqual(complaints.splice(0), [], 'the console holds reports of the policy, or errors');
});

const POLICY = /content security policy|trusted ?type|refused to|violat/i;

/** A browser of its own, with nobody signed in. */
export async function stranger({ width = 1280, height = 800, scheme = 'light', ...more } = {}) {
  const context = await (await theBrowser()).newContext({
    baseURL: URL_BASE, viewport: { width, height }, colorScheme: scheme, ...more,
  });
  contexts.push(context);
  context.setDefaultTimeout(15_000);
  return context;
}

/** A window that is watched. */
export async function windowOf(context) {
  const page = await context.newPage();
  page.on('console', (line) => {
    if (line.type() === 'error' && POLICY.test(line.text())) complaints.push(line.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  return page;
}

export function fresh(name) {
  return `${name}_${Math.random().toString(36).slice(2, 9)}`;
}

/** Calls the API as whoever is signed in in this browser. */
export async function call(context, method, path, data) {
  const answer = await context.request.fetch(`/api/v1${path}`, {
    method, headers: { Origin: URL_BASE }, ...(method === 'GET' ? {} : { data: data ?? {} }),
  });
  const text = await answer.text();
  assert.notEqual(answer.status(), 429, `${method} ${path}: the server limits; run it with PARLOR_LIMITS=off`);
  assert.ok(answer.ok(), `${method} ${path}: ${answer.status()} ${text}`);
  return text ? JSON.parse(text) : null;
}

/** Somebody with an account, signed in; with `plain`, under the bare name on a fresh server. */
export async function person(name, { plain = false, ...options } = {}) {
  const context = await stranger(options);
  const username = plain ? name.toLowerCase() : fresh(name.toLowerCase());
  await call(context, 'POST', '/auth/register', { username, password: PASSWORD, name });
  return signedIn(context, username, name);
}

/** The same person on another device. */
export async function device({ username, name }, options = {}) {
  return signedIn(await stranger(options), username, name);
}

async function signedIn(context, username, name) {
  const { user } = await call(context, 'POST', '/auth/login', { login: username, password: PASSWORD });
  return {
    context, username, name, id: user.id,
    call: (method, path, data) => call(context, method, path, data),
    window: async (path = '/app/') => {
      const page = await windowOf(context);
      await page.goto(path);
      return page;
    },
  };
}

/** A room with everybody in it. */
export async function room(owner, name, others = [], more = {}) {
  const members = others.map((other) => other.id);
  return owner.call('POST', '/rooms', { name, kind: 'private', members, ...more });
}

export async function say(who, session, content, more = {}) {
  return who.call('POST', `/sessions/${session}/messages`, { client_id: crypto.randomUUID(), content, ...more });
}

/** Sends a file as it is; its id. */
export async function upload(who, name, bytes) {
  const answer = await who.context.request.post(`/api/v1/files?name=${encodeURIComponent(name)}`, {
    headers: { Origin: URL_BASE, 'Content-Type': 'application/octet-stream' }, data: bytes,
  });
  assert.ok(answer.ok(), await answer.text());
  return (await answer.json()).id;
}

/** A second of a quiet tone. */
export function wave() {
  const rate = 8_000;
  const bytes = Buffer.alloc(44 + rate, 128);
  bytes.write('RIFF', 0);
  bytes.writeUInt32LE(36 + rate, 4);
  bytes.write('WAVEfmt ', 8);
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20);
  bytes.writeUInt16LE(1, 22);
  bytes.writeUInt32LE(rate, 24);
  bytes.writeUInt32LE(rate, 28);
  bytes.writeUInt16LE(1, 32);
  bytes.writeUInt16LE(8, 34);
  bytes.write('data', 36);
  bytes.writeUInt32LE(rate, 40);
  for (let at = 0; at < rate; at += 1) bytes[44 + at] = 128 + Math.round(20 * Math.sin(at / 3));
  return bytes;
}

export async function read(who, session, number) {
  return who.call('PUT', `/sessions/${session}/read`, { number });
}

/** Many messages, in order enough: the numbers say which came first. */
export async function sayMany(who, session, count, text = (n) => `line ${n}`) {
  const lanes = 32;
  let next = 1;
  await Promise.all(Array.from({ length: lanes }, async () => {
    while (next <= count) await say(who, session, text(next++));
  }));
}

export const field = (page) => page.locator('#composer');
export const message = (page, text) => page.locator('article').filter({ hasText: text });

export async function write(page, text) {
  await field(page).fill(text);
  await field(page).press('Enter');
}

/** Wants people of the server added to the room that is shown. In an encrypted one it is this browser that lets them in. */
export async function chooseToAdd(page, others) {
  await menu(page, 'Room and session', 'Add people');
  for (const { username } of others) {
    await page.getByRole('searchbox', { name: 'Find people by name' }).fill(username);
    await page.getByRole('checkbox', { name: new RegExp(username) }).check();
  }
  await page.getByRole('dialog').getByRole('button', { name: 'Add', exact: true }).click();
}

export async function addPeople(page, others) {
  await chooseToAdd(page, others);
  await gone(page.getByRole('dialog'));
}

/** Opens the tab of a session. */
export function tab(page, name) {
  return page.getByRole('navigation', { name: 'Sessions of this room' }).getByRole('link', { name });
}

export function roomRow(page, name) {
  return page.locator('.list').getByRole('link', { name });
}

export async function menu(page, button, item) {
  await page.getByRole('button', { name: button }).click();
  await page.getByRole('menuitem', { name: item }).click();
}

export async function signIn(page, login, password = PASSWORD) {
  await page.goto('/app/login');
  await page.getByLabel('Username or e-mail').fill(login);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/** No violation of the accessibility rules on this screen as it is. */
export async function axe(page, where) {
  // What fades in is measured when it is there; what is to disappear one day, before that.
  await page.evaluate(() => Promise.allSettled(document.getAnimations().filter((one) => one.animationName !== 'message-gone' && one.effect?.getTiming().iterations !== Infinity).map((one) => one.finished)));
  await page.evaluate(AXE);
  const found = await page.evaluate(async () => {
    const { violations } = await globalThis.axe.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    });
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.target} ${node.failureSummary}`).join(' | ')}`);
  });
  assert.deepEqual(found, [], `accessibility of ${where}`);
}

/** The same screen in light and dark, wide and narrow. */
export async function axeEverywhere(page, where) {
  const size = page.viewportSize();
  for (const scheme of ['light', 'dark']) {
    for (const width of [1280, 320]) {
      await page.emulateMedia({ colorScheme: scheme });
      await page.setViewportSize({ width, height: 800 });
      await page.waitForTimeout(200);
      await axe(page, `${where}, ${scheme}, ${width} px`);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.ok(wide <= 0, `${where} scrolls sideways at ${width} px`);
    }
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize(size);
}

export async function until(what, check, ms = 10_000) {
  const end = Date.now() + ms;
  for (;;) {
    if (await check()) return;
    if (Date.now() > end) throw new Error(`did not come true: ${what}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

export async function gone(locator) {
  await locator.waitFor({ state: 'detached' });
}

export { assert };
