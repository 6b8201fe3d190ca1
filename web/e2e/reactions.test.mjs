// An emoji under what somebody said.
import { test } from 'node:test';
import { assert, axeEverywhere, field, gone, message, person, read, room, say, until } from './harness.mjs';

async function desk(...texts) {
  const ana = await person('Ana');
  const bo = await person('Bo');
  const { id, main_session_id: session } = await room(ana, 'Desk', [bo]);
  for (const text of texts) await say(bo, session, text);
  await read(ana, session, texts.length);
  const [here, there] = [await ana.window(`/app/r/${id}`), await bo.window(`/app/r/${id}`)];
  await field(here).waitFor();
  await message(there, texts.at(-1)).waitFor();
  return { ana, bo, here, there };
}

const chip = (page, text, name) => message(page, text).getByRole('button', { name });

test('a reaction is made, joined, explained and taken back', async () => {
  const { here, there } = await desk('Tea is ready');
  await message(here, 'Tea').hover();
  await message(here, 'Tea').getByRole('button', { name: 'React with 🎉' }).or(message(here, 'Tea').getByRole('button', { name: 'React with 👍' })).first().click();
  await chip(here, 'Tea', '👍 1').waitFor();
  await chip(there, 'Tea', '👍 1').click();
  for (const page of [here, there]) await chip(page, 'Tea', '👍 2').waitFor();
  assert.equal(await chip(here, 'Tea', '👍 2').getAttribute('aria-pressed'), 'true');
  await chip(here, 'Tea', '👍 2').focus();
  await here.getByRole('tooltip').getByText('Bo and you').waitFor();
  await axeEverywhere(here, 'a reaction and who made it');
  await chip(there, 'Tea', '👍 2').click();
  await chip(here, 'Tea', '👍 1').waitFor();
  await chip(here, 'Tea', '👍 1').click();
  await gone(there.locator('.reaction[aria-pressed]'));
});

test('reactions come by keyboard, by the picker, and stay', async () => {
  const { here, there } = await desk('One', 'Two');
  await here.getByRole('feed').focus();
  await here.keyboard.press('k');
  await until('the newest has the focus', () => message(here, 'Two').evaluate((row) => row === document.activeElement));
  await here.keyboard.press('+');
  await chip(there, 'Two', '👍 1').waitFor();
  await here.keyboard.press(':');
  const picker = here.getByRole('dialog', { name: 'Emoji' });
  await picker.getByRole('combobox').fill('tada');
  await here.keyboard.press('Enter');
  await chip(there, 'Two', '🎉 1').waitFor();
  await until('the message has the focus again', () => message(here, 'Two').evaluate((row) => row === document.activeElement));
  await here.keyboard.press('>');
  await until('it is quoted', async () => (await field(here).inputValue()) === '> Two\n\n');
  await there.reload();
  await chip(there, 'Two', '👍 1').waitFor();
  assert.deepEqual(await message(there, 'Two').locator('.reaction[aria-pressed]').allTextContents(), ['👍 1', '🎉 1']);
});

test('what the server refuses is taken back here', async () => {
  const { here } = await desk('Tea is ready');
  await here.route('**/reactions/**', (route) => route.fulfill({ status: 422, json: { error: { code: 'invalid', message: 'too many different emoji', request_id: '' } } }));
  await message(here, 'Tea').hover();
  await message(here, 'Tea').getByRole('button', { name: /^React with/ }).first().click();
  await here.getByText('Too many different emoji.').waitFor();
  assert.equal(await here.locator('.reaction[aria-pressed]').count(), 0);
});
