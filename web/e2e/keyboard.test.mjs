// Everything without a mouse.
import { test } from 'node:test';
import { assert, axeEverywhere, field, fresh, message, PASSWORD, person, room, say, stranger, tab, until, windowOf } from './harness.mjs';

const focused = (page) => page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent ?? '');

test('from the door to a session and a message, by keyboard alone', async () => {
  const page = await windowOf(await stranger());
  const name = fresh('ana');
  await page.goto('/app/register');
  await page.getByLabel('Username').waitFor();
  await page.keyboard.type(name);
  await page.keyboard.press('Tab');
  await page.keyboard.type('Ana');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press('Enter');
  await page.getByText('Three things are different').waitFor();

  await page.keyboard.press('Control+k');
  await page.getByRole('combobox', { name: 'Go to' }).waitFor();
  await axeEverywhere(page, 'the palette');
  await page.keyboard.type('new room');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog', { name: 'New room' }).waitFor();
  const title = fresh('Keys');
  await page.keyboard.type(title);
  await axeEverywhere(page, 'a new room');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: title }).waitFor();
  await until('the field has the focus', async () => /Write in/.test(await focused(page)));
  await page.keyboard.type('typed first');
  await page.keyboard.press('Shift+Enter');
  await page.keyboard.type('second line');
  await page.keyboard.press('Enter');
  await message(page, 'second line').waitFor();

  await page.getByRole('button', { name: 'New session' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('dialog', { name: 'New session' }).waitFor();
  await axeEverywhere(page, 'a new session');
  await page.keyboard.press('Escape');
  await until('the focus is back', async () => (await focused(page)) === 'New session');
  await page.keyboard.press('Enter');
  await page.keyboard.type('Side talk');
  await page.keyboard.press('Enter');
  await tab(page, 'Side talk').and(page.locator('[aria-current]')).waitFor();
  await page.keyboard.press('Control+Alt+ArrowLeft');
  await tab(page, 'Everybody').and(page.locator('[aria-current]')).waitFor();
});

test('messages are walked, answered and edited by keys', async () => {
  const ana = await person('Ana');
  const bo = await person('Bo');
  const { id, main_session_id } = await room(ana, 'Walk', [bo]);
  for (let count = 1; count <= 5; count += 1) await say(count === 3 ? ana : bo, main_session_id, `line ${count}`);
  await ana.call('PUT', `/sessions/${main_session_id}/read`, { number: 5 });
  const page = await ana.window(`/app/r/${id}`);
  await message(page, 'line 5').waitFor();
  await page.getByRole('feed').focus();
  await page.keyboard.press('k');
  await until('the newest has the focus', async () => /line 5/.test(await focused(page)));
  await page.keyboard.press('k');
  await page.keyboard.press('ArrowUp');
  await until('the third has the focus', async () => /line 3/.test(await focused(page)));
  await page.keyboard.press('e');
  await page.getByRole('textbox', { name: 'Edit' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('feed').focus();
  await page.keyboard.press('k');
  await until('the newest has the focus again', async () => /line 5/.test(await focused(page)));
  await page.keyboard.press('r');
  await page.getByText('Replying to Bo').waitFor();
  await page.keyboard.press('Escape');
  assert.equal(await page.getByText('Replying to Bo').count(), 0);
});

test('rooms are changed and landmarks visited by keys, and the list of keys says so', async () => {
  const ana = await person('Ana');
  const first = await room(ana, 'Alpha');
  await room(ana, 'Beta');
  const page = await ana.window(`/app/r/${first.id}`);
  await field(page).waitFor();
  await page.keyboard.press('Alt+ArrowDown');
  await page.getByRole('heading', { level: 1, name: 'Beta' }).waitFor();
  await page.keyboard.press('Alt+ArrowUp');
  await page.getByRole('heading', { level: 1, name: 'Alpha' }).waitFor();
  await page.keyboard.press('F6');
  const inside = () => page.evaluate(() => document.activeElement?.closest('[data-landmark]')?.className ?? '');
  const seen = new Set();
  for (let step = 0; step < 4; step += 1) {
    seen.add(await inside());
    await page.keyboard.press('F6');
  }
  assert.ok(seen.size >= 3, `landmarks seen: ${[...seen].join(', ')}`);
  await page.keyboard.press('Control+,');
  await page.getByRole('heading', { level: 1, name: 'Settings' }).waitFor();
  await page.locator('main').focus();
  await page.keyboard.press('?');
  await page.getByText('Go to a room, a session, a person, a command').waitFor();
  await axeEverywhere(page, 'the list of keys');
});
