// Emoji by name and by sight; people by name.
import { test } from 'node:test';
import { assert, axeEverywhere, field, message, person, room, until } from './harness.mjs';

const offers = (page) => page.getByRole('listbox', { name: 'What it may become' });

async function desk() {
  const ana = await person('Ana');
  const bo = await person('Bo');
  const cleo = await person('Cleo');
  const { id } = await room(ana, 'Desk', [bo, cleo]);
  const side = await ana.call('POST', `/rooms/${id}/sessions`, { name: 'Side', members: [bo.id] });
  const page = await ana.window(`/app/r/${id}`);
  await field(page).waitFor();
  return { ana, bo, cleo, id, side, page };
}

test('a colon and a name become an emoji, by keyboard', async () => {
  const { page } = await desk();
  await field(page).pressSequentially('well done :tad');
  await offers(page).getByRole('option', { name: /:tada:/ }).waitFor();
  await axeEverywhere(page, 'emoji offered');
  await page.keyboard.press('Tab');
  assert.equal(await field(page).inputValue(), 'well done 🎉 ');
  await field(page).pressSequentially(':grinning_cat:');
  assert.equal(await field(page).inputValue(), 'well done 🎉 😺');
  await field(page).pressSequentially(' at 10:30');
  assert.equal(await offers(page).count(), 0);
  await page.keyboard.press('Enter');
  await message(page, 'well done 🎉 😺 at 10:30').waitFor();
});

test('the picker finds, remembers, and knows skin tones', async () => {
  const { page } = await desk();
  await page.getByRole('button', { name: 'Emoji' }).click();
  const picker = page.getByRole('dialog', { name: 'Emoji' });
  await picker.getByRole('gridcell', { name: 'grinning face', exact: true }).waitFor();
  await axeEverywhere(page, 'the picker');
  await picker.getByLabel('Medium dark').check({ force: true });
  await picker.getByRole('combobox').fill('waving');
  await picker.getByText('waving hand').last().waitFor();
  await picker.getByRole('combobox').press('Enter');
  await until('the emoji stands in the field', async () => (await field(page).inputValue()) === '👋🏾');
  await until('the field has the focus', () => field(page).evaluate((box) => box === document.activeElement));
  await page.getByRole('button', { name: 'Emoji' }).click();
  await picker.getByRole('gridcell').nth(1).waitFor();
  assert.equal(await picker.locator('.emoji-cell').first().textContent(), '👋🏾', 'what was used last comes first');
  for (const key of ['ArrowDown', 'ArrowDown', 'ArrowRight']) await page.keyboard.press(key);
  await until('another one is chosen', async () => (await picker.locator('[aria-selected=true]').textContent()) !== '👋🏾');
  await page.keyboard.press('Escape');
  assert.equal(await picker.count(), 0);
});

test('people are completed; who is elsewhere and who is everybody is said', async () => {
  const { page, bo, cleo, id, side } = await desk();
  await field(page).pressSequentially('@');
  await offers(page).getByRole('option', { name: /Everybody in this session/ }).waitFor();
  await until('the two others are offered, too', async () => (await offers(page).getByRole('option').count()) === 3);
  await axeEverywhere(page, 'people offered');
  await field(page).pressSequentially('roo');
  await page.keyboard.press('Enter');
  assert.equal(await field(page).inputValue(), '@room ');
  await field(page).pressSequentially('tea is ready');
  await page.keyboard.press('Enter');
  await page.locator('.mention-me', { hasText: '@room' }).waitFor();

  await page.goto(`/app/r/${id}/s/${side.id}`);
  await field(page).pressSequentially(`@${cleo.username.slice(0, 8)}`);
  await offers(page).getByRole('option', { name: /not in this session/ }).first().waitFor();
  await field(page).fill(`@${cleo.username} and @${bo.username}`);
  await page.getByText('Not in this session, and will not see it: Cleo.').waitFor();
  await axeEverywhere(page, 'somebody named who is elsewhere');
});

test('words are marked by keys, and one undo takes it back', async () => {
  const { page } = await desk();
  await field(page).fill('very loud');
  await field(page).press('Shift+Control+ArrowLeft');
  await page.keyboard.press('Control+b');
  assert.equal(await field(page).inputValue(), 'very **loud**');
  await page.keyboard.press('Control+i');
  assert.equal(await field(page).inputValue(), 'very ***loud***');
  await page.keyboard.press('Control+z');
  assert.equal(await field(page).inputValue(), 'very **loud**');
});
