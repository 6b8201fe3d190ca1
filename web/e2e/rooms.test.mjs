// Rooms that are open, closed, or have a password; rooms for two; what an owner changes.
import { test } from 'node:test';
import { assert, axeEverywhere, field, fresh, gone, message, PASSWORD, person, room, roomRow, stranger, windowOf, write } from './harness.mjs';

async function findRoom(page, name) {
  await page.goto('/app/browse');
  await page.getByRole('searchbox', { name: 'Find a room' }).fill(name);
}

test('an open room is found and joined by somebody else, who can leave again', async () => {
  const ana = await person('Ana');
  const bo = await person('Bo');
  const name = fresh('Market');
  const description = fresh('Stalls and prices');
  await room(ana, name, [], { kind: 'public', description });
  const page = await bo.window();
  await findRoom(page, name);
  await page.getByText(description).waitFor();
  await axeEverywhere(page, 'the directory');
  await page.getByRole('button', { name: `Join: ${name}` }).click();
  await page.getByRole('heading', { level: 1, name }).waitFor();
  await page.getByRole('button', { name: 'Room and session' }).click();
  await page.getByRole('menuitem', { name: 'Leave the room' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Leave the room' }).click();
  await gone(roomRow(page, name));
});

test('a room with a password takes the right one only', async () => {
  const ana = await person('Ana');
  const bo = await person('Bo');
  const name = fresh('Vault');
  await room(ana, name, [], { kind: 'public', password: 'open sesame' });
  const page = await bo.window();
  await findRoom(page, name);
  await page.getByRole('button', { name: `Join: ${name}` }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Password', { exact: true }).fill('open barley');
  await dialog.getByRole('button', { name: 'Join' }).click();
  await dialog.locator('.form-error').waitFor();
  await axeEverywhere(page, 'the password question');
  await dialog.getByLabel('Password', { exact: true }).fill('open sesame');
  await dialog.getByRole('button', { name: 'Join' }).click();
  await page.getByRole('heading', { level: 1, name }).waitFor();
});

test('an unlisted room is joined by its link, a private one is not there', async () => {
  const ana = await person('Ana');
  const bo = await person('Bo');
  const open = await room(ana, fresh('Attic'), [], { kind: 'unlisted' });
  const shut = await room(ana, fresh('Cellar'));
  const page = await bo.window(`/app/r/${open.id}`);
  await page.getByRole('button', { name: 'Join' }).click();
  await field(page).waitFor();
  await page.goto(`/app/r/${shut.id}`);
  await page.getByRole('heading', { name: 'There is nothing here' }).waitFor();
  await axeEverywhere(page, 'a page that is not there');
});

test('a link to a room leads there, past the door', async () => {
  const ana = await person('Ana');
  const { id, name } = await room(ana, fresh('Attic'), [], { kind: 'unlisted' });
  const page = await windowOf(await stranger());
  await page.goto(`/app/r/${id}`);
  await page.getByRole('link', { name: 'Make an account' }).click();
  await page.getByLabel('Username').fill(fresh('bo'));
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Make an account' }).click();
  await page.getByRole('heading', { level: 1, name }).waitFor();
  await page.getByRole('button', { name: 'Join' }).click();
  await field(page).waitFor();
});

test('a room for two comes of choosing a person, and there is one of it', async () => {
  const ana = await person('Ana');
  const bo = await person('Bo');
  const [here, there] = [await ana.window(), await bo.window()];
  for (const round of [1, 2]) {
    await here.getByRole('button', { name: 'Write to somebody' }).first().click();
    await here.getByRole('searchbox', { name: 'Find people by name' }).fill(bo.username);
    await here.getByRole('checkbox', { name: new RegExp(bo.username) }).check();
    await here.getByRole('button', { name: 'Start' }).click();
    await gone(here.getByRole('dialog'));
    await here.getByRole('heading', { level: 1, name: 'Bo' }).waitFor();
    // It is sealed for the devices that there are: Bo's browser has made its keys by now.
    await here.locator('.sealed-line').getByText(/2 people, 2 devices/).waitFor({ timeout: 60_000 });
    await write(here, `hello ${round}`);
    await message(here, `hello ${round}`).waitFor();
  }
  assert.equal(await roomRow(here, 'Bo').count(), 1);
  await roomRow(there, 'Ana').click();
  await message(there, 'hello 2').waitFor();
});

test('an owner renames, describes, closes, archives and deletes a room, and the others see it', async () => {
  const ana = await person('Ana');
  const bo = await person('Bo');
  const { id } = await room(ana, 'Old name', [bo], { kind: 'public' });
  const [here, there] = [await ana.window(`/app/r/${id}/settings`), await bo.window(`/app/r/${id}`)];
  await field(there).waitFor();
  await here.getByLabel('Name').fill('New name');
  await here.getByLabel('Description').fill('What it is for');
  await here.getByRole('button', { name: 'Save' }).click();
  await there.getByRole('heading', { level: 1, name: 'New name' }).waitFor();
  await there.locator('.room-about', { hasText: 'What it is for' }).waitFor();
  await axeEverywhere(here, 'the settings of a room');
  await here.getByRole('radio', { name: /Private/ }).check();
  await there.locator('.room-lock').waitFor();
  await here.getByRole('button', { name: 'Archive the room' }).click();
  await there.getByText('This room is archived. You can read, but not write.').waitFor();
  await here.getByRole('button', { name: 'Open it again' }).click();
  await field(there).waitFor();
  await here.getByRole('button', { name: 'Delete the room' }).click();
  await here.getByRole('dialog').getByRole('button', { name: 'Delete the room' }).click();
  await gone(roomRow(there, 'New name'));
});
