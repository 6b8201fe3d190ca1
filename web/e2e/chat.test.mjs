// Two people find each other, talk, and find their words again; a third sees nothing of it.
import { test } from 'node:test';
import { assert, axeEverywhere, field, fresh, gone, message, PASSWORD, person, room, roomRow, stranger, tab, until, windowOf, write } from './harness.mjs';

async function registerByHand(name) {
  const context = await stranger();
  const page = await windowOf(context);
  const username = fresh(name.toLowerCase());
  await page.goto('/app/');
  await page.getByRole('link', { name: 'Make an account' }).click();
  await page.getByLabel('Username').fill(username);
  await page.getByLabel('Name', { exact: false }).nth(1).fill(name);
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Make an account' }).click();
  await page.getByText('Three things are different').waitFor();
  return { context, page, username };
}

test('two people register, meet in a room, open a session, chat both ways, reload and find it all', async () => {
  const ana = await registerByHand('Ana');
  const bo = await registerByHand('Bo');
  const cleo = await registerByHand('Cleo');
  const name = fresh('Kitchen');

  await ana.page.getByRole('button', { name: 'New room' }).first().click();
  const dialog = ana.page.getByRole('dialog');
  await dialog.getByLabel('Name').fill(name);
  await dialog.getByRole('button', { name: 'Create the room' }).click();
  await ana.page.getByRole('heading', { level: 1, name }).waitFor();

  for (const { page } of [bo, cleo]) {
    await page.getByRole('link', { name: 'Find rooms' }).first().click();
    await page.getByRole('searchbox', { name: 'Find a room' }).fill(name);
    await page.getByRole('button', { name: `Join: ${name}` }).click();
    await page.getByRole('heading', { level: 1, name }).waitFor();
  }

  await ana.page.getByRole('button', { name: 'New session' }).click();
  await dialog.getByLabel('What is it about?').fill('Bread');
  await dialog.getByRole('checkbox', { name: new RegExp(bo.username) }).check();
  await dialog.getByText('Only Bo and you can read this.').waitFor();
  await dialog.getByRole('button', { name: 'Open the session' }).click();
  await tab(ana.page, 'Bread').and(ana.page.locator('[aria-current]')).waitFor();

  await tab(bo.page, 'Bread').click();
  await write(ana.page, 'Rye or wheat?');
  await message(bo.page, 'Rye or wheat?').waitFor();
  await write(bo.page, 'Rye, always.');
  await message(ana.page, 'Rye, always.').waitFor();

  assert.equal(await tab(cleo.page, 'Bread').count(), 0, 'somebody outside the session sees its tab');
  await write(cleo.page, 'Anybody here?');
  await message(cleo.page, 'Anybody here?').waitFor();
  const url = ana.page.url();
  await cleo.page.goto(url);
  await cleo.page.getByRole('heading', { level: 1, name }).waitFor();
  assert.equal(await message(cleo.page, 'Rye').count(), 0, 'somebody outside the session reads it');

  await axeEverywhere(ana.page, 'a session');
  for (const { page } of [ana, bo]) {
    await page.reload();
    await message(page, 'Rye or wheat?').waitFor();
    await message(page, 'Rye, always.').waitFor();
    assert.equal(await page.locator('article.message').count(), 2, 'each message is there once');
  }
});

test('a message shows at once, is stored, and reaches the other window in under a second', async () => {
  const ana = await person('Ana');
  const bo = await person('Bo');
  const { id } = await room(ana, 'Hall', [bo]);
  const [here, there] = [await ana.window(`/app/r/${id}`), await bo.window(`/app/r/${id}`)];
  await field(there).waitFor();
  let hold;
  const held = new Promise((done) => { hold = done; });
  await here.route('**/api/v1/sessions/*/messages', async (route) => {
    await held;
    await route.continue();
  });
  await write(here, 'quick words');
  await here.locator('article[data-state=queued]').waitFor();
  await here.getByRole('img', { name: 'Sending' }).waitFor();
  hold();
  const began = Date.now();
  await message(there, 'quick words').waitFor();
  assert.ok(Date.now() - began < 1_000, 'it took more than a second');
  await gone(here.locator('article[data-state]'));
  await until('the other one has read it', async () => (await here.getByRole('img', { name: 'Read by Bo' }).count()) === 1);
});

test('a session can be renamed, left, joined again by others, and ended', async () => {
  const ana = await person('Ana');
  const bo = await person('Bo');
  const cleo = await person('Cleo');
  const { id } = await room(ana, 'Studio', [bo, cleo]);
  const { id: session } = await ana.call('POST', `/rooms/${id}/sessions`, { name: 'Plans', members: [bo.id] });
  const [here, there, outside] = [
    await ana.window(`/app/r/${id}/s/${session}`), await bo.window(`/app/r/${id}/s/${session}`), await cleo.window(`/app/r/${id}`),
  ];
  await field(there).waitFor();
  await field(outside).waitFor();
  const act = async (item) => {
    await here.getByRole('button', { name: 'Room and session' }).click();
    await here.getByRole('menuitem', { name: item }).click();
  };
  await act('Rename the session');
  await here.getByRole('dialog').getByLabel('What is it about?').fill('Better plans');
  await here.getByRole('button', { name: 'Save' }).click();
  await tab(there, 'Better plans').waitFor();

  await here.getByRole('button', { name: 'Room and session' }).click();
  await here.getByRole('menuitem', { name: 'Add people' }).first().click();
  await here.getByRole('checkbox', { name: /Cleo/ }).check();
  await here.getByRole('dialog').getByRole('button', { name: 'Add', exact: true }).click();
  await tab(outside, 'Better plans').waitFor();

  await here.getByRole('button', { name: /^People/ }).click();
  const cleosMenu = here.getByRole('button', { name: 'Actions for Cleo' });
  await cleosMenu.click();
  await here.getByRole('menuitem', { name: 'Remove from the session' }).click();
  await here.getByRole('dialog').getByRole('button', { name: 'Remove from the session' }).click();
  await gone(tab(outside, 'Better plans'));

  await act('End the session');
  await here.getByRole('dialog').getByRole('button', { name: 'End the session' }).click();
  await gone(tab(there, 'Better plans'));
  await roomRow(there, 'Studio').waitFor();
});
