// Messages that disappear: on time, everywhere, and without anybody being told.
import { test } from 'node:test';
import { assert, axe, axeEverywhere, field, gone, menu, message, person, room, until, write } from './harness.mjs';

/** What it looks like in both themes, wide and narrow. */
async function pictures(page) {
  for (const scheme of ['light', 'dark']) {
    for (const [form, width] of [['wide', 1280], ['phone', 390]]) {
      await page.emulateMedia({ colorScheme: scheme });
      await page.setViewportSize({ width, height: 800 });
      await page.screenshot({ path: `${process.env.PARLOR_LOOK}/decay-${scheme}-${form}.png` });
    }
  }
}

const setTtl = (who, session, message_ttl_s) => who.call('PATCH', `/sessions/${session}`, { message_ttl_s });
const sayFor = (who, session, content, ttl_s, more = {}) =>
  who.call('POST', `/sessions/${session}/messages`, { client_id: crypto.randomUUID(), content, ttl_s, ...more });

test('how long messages live is chosen in the menu, and everybody sees it', async () => {
  const ana = await person('Ana');
  const bo = await person('Bo');
  const { id } = await room(ana, 'Sand', [bo]);
  const [here, there] = [await ana.window(`/app/r/${id}`), await bo.window(`/app/r/${id}`)];
  await field(here).waitFor();
  await menu(here, 'Room and session', 'Disappearing messages');
  const dialog = here.getByRole('dialog', { name: 'Disappearing messages' });
  await dialog.getByRole('radio', { name: '5 minutes' }).check();
  await axeEverywhere(here, 'choosing how long messages live');
  await dialog.getByRole('button', { name: 'Save' }).click();
  for (const page of [here, there]) {
    await page.getByText('Messages disappear 5 minutes after they are sent').waitFor();
    await page.getByText(/set messages to disappear after 5 minutes/).waitFor();
  }
  await write(here, 'written in sand');
  const row = message(there, 'written in sand');
  await row.waitFor();
  assert.match(await row.getAttribute('aria-label'), /disappears in \d/);
  await axeEverywhere(there, 'a message that is to disappear');
  if (process.env.PARLOR_LOOK) await pictures(there);
  await there.getByRole('button', { name: 'Room and session' }).click();
  assert.equal(await there.getByRole('menuitem', { name: 'Disappearing messages' }).count(), 0, 'bo keeps no order there');
});

test('how long one message lives is chosen where it is written, and the next one stays', async () => {
  const ana = await person('Ana');
  const bo = await person('Bo');
  const { id } = await room(ana, 'Match', [bo]);
  const [here, there] = [await ana.window(`/app/r/${id}`), await bo.window(`/app/r/${id}`)];
  await field(here).fill('a match that burns');
  await here.getByRole('button', { name: 'Let the next message disappear' }).click();
  const dialog = here.getByRole('dialog', { name: 'Let the next message disappear' });
  await dialog.getByRole('radio', { name: '1 hour' }).check();
  await axeEverywhere(here, 'choosing how long one message lives');
  await here.keyboard.press('Enter');
  await here.getByText('The next message disappears 1 hour after it is sent').waitFor();
  await axeEverywhere(here, 'a message that is to disappear, not sent yet');
  if (process.env.PARLOR_LOOK) await here.screenshot({ path: `${process.env.PARLOR_LOOK}/life.png` });
  await here.keyboard.press('Enter');
  const burning = message(there, 'a match that burns');
  await burning.waitFor();
  assert.match(await burning.getAttribute('aria-label'), /disappears in \d/);
  assert.equal(await here.getByText('The next message disappears').count(), 0);
  await write(here, 'and one that does not');
  const staying = message(there, 'and one that does not');
  await staying.waitFor();
  assert.doesNotMatch(await staying.getAttribute('aria-label'), /disappears/);
});

test('a message disappears in the list, in a thread, in a second window and from the search at its moment', async () => {
  const ana = await person('Ana');
  const bo = await person('Bo');
  const { id, main_session_id } = await room(ana, 'Glimpse', [bo]);
  const [one, two, there] = [await ana.window(`/app/r/${id}`), await ana.window(`/app/r/${id}`), await bo.window(`/app/r/${id}`)];
  await field(there).waitFor();
  await write(one, 'this stays');
  await message(there, 'this stays').waitFor();
  await setTtl(ana, main_session_id, 5);
  await one.getByText('Messages disappear 5 seconds after they are sent').waitFor();
  await write(one, 'only a glimpse');
  for (const page of [one, two, there]) await message(page, 'only a glimpse').waitFor();
  for (const page of [one, two, there]) await gone(message(page, 'only a glimpse'));
  for (const page of [one, two, there]) assert.equal(await message(page, 'this stays').count(), 1);
  await there.goto(`/app/search?q=glimpse`);
  await there.getByText('Nothing was found.').waitFor();
  assert.equal(await there.getByText('only a glimpse').count(), 0);
  await axe(there, 'a search that finds nothing of it');
  await there.goto(`/app/r/${id}`);
  await message(there, 'this stays').waitFor();
  assert.equal(await there.locator('.tombstone').count(), 0, 'nothing says that there was something');
});

test('without a connection, and after one, nothing of it is left', async () => {
  const ana = await person('Ana');
  const bo = await person('Bo');
  const { id, main_session_id } = await room(ana, 'Cave', [bo]);
  const there = await bo.window(`/app/r/${id}`);
  await field(there).waitFor();
  await sayFor(ana, main_session_id, 'an echo', 4);
  await message(there, 'an echo').waitFor();
  await bo.context.setOffline(true);
  await gone(message(there, 'an echo'));
  await sayFor(ana, main_session_id, 'an echo that nobody heard', 1);
  await until('it is over', async () => (await ana.call('GET', `/sessions/${main_session_id}/messages`)).messages.at(-1).content === '');
  await bo.context.setOffline(false);
  await ana.call('POST', `/sessions/${main_session_id}/messages`, { client_id: crypto.randomUUID(), content: 'and now this' });
  await message(there, 'and now this').waitFor();
  assert.equal(await message(there, 'an echo').count(), 0);
});

test('a page that stood still over the moment shows none of it in the first frames after', async () => {
  const ana = await person('Ana');
  const { id, main_session_id } = await room(ana, 'Frozen');
  const page = await ana.window(`/app/r/${id}`);
  await field(page).waitFor();
  const { expires_at } = await sayFor(ana, main_session_id, 'seen by nobody', 3);
  await message(page, 'seen by nobody').waitFor();
  const seen = await page.evaluate(async (end) => {
    while (Date.now() < end + 300);
    const frames = [];
    while (frames.length < 10) {
      const at = await new Promise(requestAnimationFrame);
      const shown = [...document.querySelectorAll('article')].some((row) => row.textContent.includes('seen by nobody') && getComputedStyle(row).visibility === 'visible');
      // A frame that was begun before the page stood still is one of before.
      if (performance.timeOrigin + at > end) frames.push(shown);
    }
    return frames;
  }, Date.parse(expires_at));
  assert.deepEqual(seen, Array(10).fill(false));
});
