// Sessions that end by themselves: everybody sees when, and nothing of them is left.
import { test } from 'node:test';
import { assert, axeEverywhere, field, gone, menu, message, person, room, write } from './harness.mjs';

/** What it looks like in both themes, wide and narrow. */
async function pictures(page, name) {
  for (const scheme of ['light', 'dark']) {
    for (const [form, width] of [['wide', 1280], ['phone', 390]]) {
      await page.emulateMedia({ colorScheme: scheme });
      await page.setViewportSize({ width, height: 800 });
      await page.screenshot({ path: `${process.env.PARLOR_LOOK}/${name}-${scheme}-${form}.png` });
    }
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize({ width: 1280, height: 800 });
}

/** A room of two with a session beside the main one. */
async function shed(name) {
  const ana = await person('Ana');
  const bo = await person('Bo');
  const { id } = await room(ana, name, [bo]);
  const session = await ana.call('POST', `/rooms/${id}/sessions`, { name: 'Shed', members: [bo.id] });
  return { ana, bo, room: id, session: session.id, path: `/app/r/${id}/s/${session.id}` };
}

const soon = (ms) => new Date(Date.now() + ms).toISOString();

test('the end of a session is chosen in the menu, and everybody sees it count down', async () => {
  const { ana, bo, path } = await shed('Hourglass');
  const [here, there] = [await ana.window(path), await bo.window(path)];
  await write(here, 'for the time being');
  await message(there, 'for the time being').waitFor();
  await menu(here, 'Room and session', 'End of this session');
  const dialog = here.getByRole('dialog', { name: 'End of this session' });
  await dialog.getByRole('radio', { name: 'At a moment' }).check();
  await dialog.getByRole('textbox', { name: 'Moment' }).waitFor();
  await axeEverywhere(here, 'choosing when a session ends');
  if (process.env.PARLOR_LOOK) await pictures(here, 'ending-dialog');
  await dialog.getByRole('button', { name: 'Save' }).click();
  for (const page of [here, there]) {
    await page.getByText(/set the session to end /).waitFor();
    assert.match(await page.locator('.tab[aria-current] .countdown').innerText(), /\d/);
    await page.getByRole('link', { name: /Shed.*Ends .*, with everything that was said in it/ }).waitFor();
  }
  await axeEverywhere(there, 'a session that is to end');
  if (process.env.PARLOR_LOOK) await pictures(there, 'ending-tab');
  await menu(here, 'Room and session', 'End of this session');
  await dialog.getByRole('radio', { name: 'After a silence' }).check();
  await dialog.getByRole('radio', { name: '1 hour' }).check();
  await dialog.getByRole('button', { name: 'Save' }).click();
  for (const page of [here, there]) await page.getByText(/set the session to end after 1 hour of silence/).waitFor();
  await menu(here, 'Room and session', 'End of this session');
  await dialog.getByRole('radio', { name: 'Not by itself' }).check();
  await dialog.getByRole('button', { name: 'Save' }).click();
  for (const page of [here, there]) {
    await page.getByText(/set the session not to end by itself/).waitFor();
    assert.equal(await page.locator('.tab .countdown').count(), 0);
  }
  await there.getByRole('button', { name: 'Room and session' }).click();
  assert.equal(await there.getByRole('menuitem', { name: 'End of this session' }).count(), 0, 'it is not his');
});

test('when it ends nothing of it is left, in a second window, offline and in the search', async () => {
  const { ana, bo, room: id, session, path } = await shed('Sandcastle');
  const [one, two, there] = [await ana.window(path), await ana.window(path), await bo.window(path)];
  await write(one, 'a castle of sand');
  for (const page of [one, two, there]) await message(page, 'a castle of sand').waitFor();
  await field(there).fill('an unsaid wave');
  await ana.call('PATCH', `/sessions/${session}`, { end: { at: soon(5_000), read_only_s: 2 } });
  await one.getByText(/set the session to end/).waitFor();
  await there.getByText(/set the session to end/).waitFor();
  await bo.context.setOffline(true);
  for (const page of [one, there]) await page.getByText('This session is about to end: nothing more is said in it.').waitFor();
  assert.equal(await message(one, 'a castle of sand').count(), 1, 'it can still be read');
  for (const page of [one, two, there]) {
    await gone(message(page, 'a castle of sand'));
    await page.getByText('This session has ended. Nothing that was said in it is left.').waitFor();
    assert.equal(await page.getByRole('link', { name: /Shed/ }).count(), 0, 'it has left the tabs');
  }
  await axeEverywhere(one, 'a session that has ended');
  if (process.env.PARLOR_LOOK) await pictures(one, 'ended');
  await bo.context.setOffline(false);
  await there.reload();
  await there.getByText('This session has ended. Nothing that was said in it is left.').waitFor();
  assert.equal(await message(there, 'a castle of sand').count(), 0);
  const kept = await there.evaluate(() => JSON.stringify({ ...localStorage }));
  assert.ok(!kept.includes('an unsaid wave'), kept);
  await there.goto('/app/search?q=castle');
  await there.getByText('Nothing was found.').waitFor();
  await there.goto(`/app/r/${id}`);
  await field(there).waitFor();
});

test('a page that stood still over the end shows none of it in the first frames after', async () => {
  const { ana, session, path } = await shed('Glacier');
  const page = await ana.window(path);
  await write(page, 'seen by nobody');
  await message(page, 'seen by nobody').waitFor();
  const at = soon(3_000);
  await ana.call('PATCH', `/sessions/${session}`, { end: { at } });
  await page.getByText(/set the session to end/).waitFor();
  const seen = await page.evaluate(async (end) => {
    // The end has to be drawn once: what was never drawn cannot disappear by itself.
    for (const _ of [1, 2]) await new Promise(requestAnimationFrame);
    // Nor does it begin to count before it is drawn: a machine that is busy takes its time.
    while (Date.now() < end + 1_500);
    const frames = [];
    while (frames.length < 10) {
      const drawn = await new Promise(requestAnimationFrame);
      // What a frame shows is settled behind what runs before it is drawn.
      await new Promise((done) => setTimeout(done));
      const shown = [...document.querySelectorAll('article')].some((row) => row.textContent.includes('seen by nobody') && getComputedStyle(row).visibility === 'visible');
      // A frame that was begun before the page stood still is one of before.
      if (performance.timeOrigin + drawn > end) frames.push(shown);
    }
    return frames;
  }, Date.parse(at));
  assert.deepEqual(seen, Array(10).fill(false));
});

test('in an encrypted session nothing that was opened is found after its end', async () => {
  const ana = await person('Ana');
  const bo = await person('Bo');
  const { id } = await room(ana, 'Vault', [bo]);
  const here = await ana.window(`/app/r/${id}`);
  await field(here).waitFor();
  await here.getByRole('button', { name: 'New session' }).click();
  await here.getByLabel('What is it about?').fill('Safe');
  await here.getByRole('switch', { name: 'End-to-end encrypted' }).check();
  await here.getByRole('button', { name: 'Open the session' }).click();
  await here.getByRole('heading', { name: 'This is where Safe begins' }).waitFor();
  await write(here, 'a combination');
  await message(here, 'a combination').waitFor();
  const session = here.url().split('/s/')[1];
  await ana.call('PATCH', `/sessions/${session}`, { end: { at: soon(2_000) } });
  await gone(message(here, 'a combination'));
  await here.goto('/app/search?q=combination');
  const found = here.getByRole('region', { name: 'In encrypted sessions' });
  await found.waitFor();
  assert.equal(await found.getByRole('listitem').count(), 0);
});
