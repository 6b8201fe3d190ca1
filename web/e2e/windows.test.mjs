// Several windows of one browser, and what it remembers.
import { test } from 'node:test';
import { assert, axeEverywhere, field, gone, message, person, room, say, until, write } from './harness.mjs';

test('two windows of one person stay in step, and send what was written once', async () => {
  const ana = await person('Ana');
  const bo = await person('Bo');
  const { id, main_session_id } = await room(ana, 'Twin', [bo]);
  const [one, two] = [await ana.window(`/app/r/${id}`), await ana.window(`/app/r/${id}`)];
  await field(two).waitFor();
  await one.bringToFront();
  await field(one).fill('half a thou');
  await until('the draft is in both', async () => (await field(two).inputValue()) === 'half a thou');
  await write(one, 'a whole thought');
  await message(two, 'a whole thought').waitFor();
  await until('the draft is gone from both', async () => (await field(two).inputValue()) === '');

  await ana.context.route('**/api/v1/sessions/*/messages', (route) => (route.request().method() === 'POST' ? route.abort() : route.continue()));
  await write(one, 'from one');
  await write(two, 'from two');
  for (const page of [one, two]) await page.locator('article[data-state=queued]').nth(1).waitFor();
  await ana.context.unroute('**/api/v1/sessions/*/messages');
  await until('both are stored', async () => {
    const { messages } = await ana.call('GET', `/sessions/${main_session_id}/messages`);
    return messages.length === 3;
  }, 40_000);
  for (const page of [one, two]) {
    await gone(page.locator('article[data-state=queued]'));
    assert.equal(await message(page, 'from one').count(), 1);
    assert.equal(await message(page, 'from two').count(), 1);
  }

  await two.goto('/app/settings/profile');
  await one.goto('/app/settings/profile');
  await say(bo, main_session_id, 'news');
  await two.getByRole('link', { name: /Twin.*1 unread/ }).waitFor();
  await one.getByRole('link', { name: /Twin.*1 unread/ }).click();
  await gone(two.getByRole('link', { name: /Twin.*unread/ }));

  await one.goto('/app/settings/profile');
  await one.getByRole('button', { name: 'Sign out' }).click();
  await two.getByRole('heading', { level: 1, name: 'Sign in' }).waitFor();
});

test('a draft survives a reload', async () => {
  const ana = await person('Ana');
  const { id } = await room(ana, 'Notes');
  const page = await ana.window(`/app/r/${id}`);
  await field(page).fill('not yet finished');
  await page.reload();
  await field(page).waitFor();
  assert.equal(await field(page).inputValue(), 'not yet finished');
});

test('theme and density are remembered and reach the other window', async () => {
  const ana = await person('Ana');
  const [page, other] = [await ana.window('/app/settings/appearance'), await ana.window()];
  await page.getByRole('radio', { name: 'Dark' }).check();
  await page.getByRole('radio', { name: 'Compact' }).check();
  const ground = (one) => one.evaluate(() => getComputedStyle(document.body).backgroundColor);
  assert.equal(await ground(page), 'rgb(23, 21, 18)');
  await until('the other window is dark', async () => (await ground(other)) === 'rgb(23, 21, 18)');
  await page.reload();
  await page.getByRole('radio', { name: 'Dark' }).waitFor();
  assert.equal(await ground(page), 'rgb(23, 21, 18)');
  assert.ok(await page.getByRole('radio', { name: 'Compact' }).isChecked());
  await page.getByRole('radio', { name: 'As the system' }).check();
  await axeEverywhere(page, 'the appearance');
});

test('the profile is seen by others', async () => {
  const ana = await person('Ana');
  const bo = await person('Bo');
  const { id } = await room(ana, 'Mirror', [bo]);
  const page = await ana.window('/app/settings/profile');
  await page.getByLabel('Name').fill('Ana the Second');
  await page.getByLabel('Status').fill('Gone fishing');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved.').waitFor();
  await axeEverywhere(page, 'the profile');
  const there = await bo.window(`/app/r/${id}`);
  await there.getByRole('button', { name: /^People/ }).click();
  await there.getByText('Ana the Second').waitFor();
  await there.getByText('Gone fishing').waitFor();
});
