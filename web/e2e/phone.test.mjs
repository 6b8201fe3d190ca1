// The smallest screen, by touch.
import { test } from 'node:test';
import { assert, axe, field, fresh, message, person, room, roomRow, write } from './harness.mjs';

const PHONE = { width: 320, height: 640, hasTouch: true, isMobile: true };

test('on a phone: find a room, join it, talk, look who is there, come back', async () => {
  const ana = await person('Ana');
  const bo = await person('Bo', PHONE);
  const name = fresh('Pier');
  const { id } = await room(ana, name, [], { kind: 'public' });
  const there = await ana.window(`/app/r/${id}`);
  await field(there).waitFor();

  const page = await bo.window();
  await page.getByRole('heading', { level: 1 }).waitFor();
  await axe(page, 'the list on a phone');
  await page.getByRole('link', { name: 'Find rooms' }).first().tap();
  await page.getByRole('searchbox', { name: 'Find a room' }).fill(name);
  await page.getByRole('button', { name: `Join: ${name}` }).tap();
  await page.getByRole('heading', { level: 1, name }).waitFor();
  await field(page).fill('from the phone');
  await page.getByRole('button', { name: 'Send' }).tap();
  await message(there, 'from the phone').waitFor();
  await write(there, 'seen on the big one');
  await message(page, 'seen on the big one').waitFor();
  await axe(page, 'a room on a phone');

  await message(page, 'seen on the big one').tap();
  await message(page, 'seen on the big one').getByRole('button', { name: 'Reply' }).tap();
  await page.getByText('Replying to Ana').waitFor();

  await page.getByRole('button', { name: /^People/ }).tap();
  await page.getByRole('heading', { level: 1, name: 'People' }).waitFor();
  await axe(page, 'the people on a phone');
  await page.getByRole('button', { name: 'Close' }).tap();
  await page.getByRole('button', { name: 'Back' }).tap();
  await roomRow(page, name).waitFor();
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(wide <= 320, `the page is ${wide} px wide`);
});
