// What is pinned, what is passed on, and what is begun and not said yet.
import { test } from 'node:test';
import { assert, axeEverywhere, device, field, gone, message, person, read, room, say, tab, until, write } from './harness.mjs';

async function desk() {
  const ana = await person('Ana');
  const bo = await person('Bo');
  const { id, main_session_id: session } = await room(ana, 'Desk', [bo]);
  await say(bo, session, 'Where shall we eat?');
  await say(bo, session, 'It rains.');
  await read(ana, session, 2);
  const [here, there] = [await ana.window(`/app/r/${id}`), await bo.window(`/app/r/${id}`)];
  await field(here).waitFor();
  await message(there, 'It rains.').waitFor();
  return { ana, bo, here, there, id, session };
}

const pins = (page) => page.getByRole('complementary', { name: 'Pinned messages' });

async function act(page, text, item) {
  await message(page, text).focus();
  await message(page, text).getByRole('button', { name: 'More' }).click();
  await page.getByRole('menuitem', { name: item }).click();
}

test('what is pinned is found again, by everybody', async () => {
  const { here, there } = await desk();
  await act(here, 'It rains.', 'Pin');
  await message(there, 'It rains.').getByText('Pinned').waitFor();
  await there.getByRole('button', { name: 'Pinned messages' }).click();
  await pins(there).getByText('It rains.').waitFor();
  await axeEverywhere(there, 'what is pinned');
  await pins(there).getByRole('button', { name: 'Go to the message' }).click();
  await there.locator('article.message-lit', { hasText: 'It rains.' }).waitFor();
  await until('the focus went along', () => there.evaluate(() => document.activeElement?.matches('.feed article')));
  await pins(there).getByRole('button', { name: 'Unpin' }).click();
  await pins(there).getByText('Nothing is pinned here.').waitFor();
  await axeEverywhere(there, 'nothing pinned');
  await gone(message(here, 'It rains.').getByText('Pinned'));
});

test('pins that cannot be had say so, and follow what happens to their messages', async () => {
  const { bo, here, session } = await desk();
  const { messages } = await bo.call('GET', `/sessions/${session}/messages`);
  for (const { id } of messages) await bo.call('PUT', `/messages/${id}/pin`);
  await here.route('**/api/v1/sessions/*/pins', (route) => route.abort());
  await here.getByRole('button', { name: 'Pinned messages' }).click();
  await pins(here).getByText('The server cannot be reached.').waitFor();
  await axeEverywhere(here, 'pins that cannot be had');
  await here.unroute('**/api/v1/sessions/*/pins');
  await pins(here).getByRole('button', { name: 'Try again' }).click();
  await until('both are there', async () => (await pins(here).getByRole('listitem').count()) === 2);
  assert.match(await pins(here).getByRole('listitem').first().textContent(), /It rains/);
  await bo.call('PATCH', `/messages/${messages[1].id}`, { content: 'It pours.' });
  await pins(here).getByText('It pours.').waitFor();
  await bo.call('DELETE', `/messages/${messages[1].id}`);
  await until('one is left', async () => (await pins(here).getByRole('listitem').count()) === 1);
  await here.keyboard.press('F6');
  await pins(here).getByRole('button', { name: 'Close' }).press('Escape');
  await gone(pins(here));
});

test('words are told on in another place, as whose they are', async () => {
  const { ana, bo, here } = await desk();
  const hall = await room(ana, 'Hall', [bo]);
  await act(here, 'It rains.', 'Forward');
  const dialog = here.getByRole('dialog');
  await dialog.getByRole('searchbox').fill('nowhere at all');
  await dialog.getByText('Nothing of that name.').waitFor();
  await axeEverywhere(here, 'forwarding to nowhere');
  await dialog.getByRole('searchbox').fill('hall');
  await dialog.getByRole('radio', { name: /Hall/ }).check();
  await dialog.getByLabel('Something to say with it').fill('Take an umbrella');
  await axeEverywhere(here, 'forwarding');
  await dialog.getByRole('button', { name: 'Forward' }).click();
  await here.getByText('Forwarded to Hall.').waitFor();
  await here.getByRole('button', { name: 'Go there' }).click();
  await here.getByRole('heading', { level: 1, name: 'Hall' }).waitFor();
  const row = message(here, 'It rains.');
  await row.getByText('From').waitFor();
  await row.locator('.forwarded').getByText('Bo').waitFor();
  await message(here, 'Take an umbrella').waitFor();
  await axeEverywhere(here, 'forwarded words');
  await row.focus();
  assert.equal(await row.getByRole('button', { name: 'Edit' }).count(), 0, 'the words of somebody else are to be changed');
  const { messages } = await ana.call('GET', `/sessions/${hall.main_session_id}/messages`);
  assert.deepEqual(messages.map(({ content, forwarded }) => [content, forwarded?.sender_id ?? null]), [['It rains.', bo.id], ['Take an umbrella', null]]);
});

test('what could not be forwarded shows which words they were', async () => {
  const { ana, bo, here } = await desk();
  await room(ana, 'Hall', [bo]);
  await here.route('**/api/v1/sessions/*/messages', (route) => (route.request().method() === 'POST'
    ? route.fulfill({ status: 404, json: { error: { code: 'not_found', message: 'not found', request_id: '' } } }) : route.continue()));
  await act(here, 'It rains.', 'Forward');
  await here.getByRole('radio', { name: /Hall/ }).check();
  await here.getByRole('dialog').getByRole('button', { name: 'Forward' }).click();
  await here.getByRole('button', { name: 'Go there' }).click();
  const row = here.locator('article[data-state=failed]');
  await row.getByText('It rains.').waitFor();
  await axeEverywhere(here, 'words that could not be forwarded');
  await here.unroute('**/api/v1/sessions/*/messages');
  await row.getByRole('button', { name: 'Retry' }).click();
  await message(here, 'It rains.').locator('.forwarded').waitFor();
});

test('a draft is there on another device, with what it answers, and gone when it is sent', async () => {
  const { ana, here, id, session } = await desk();
  const side = await ana.call('POST', `/rooms/${id}/sessions`, { name: 'Side', members: [] });
  const there = await (await device(ana)).window(`/app/r/${id}`);
  await field(there).waitFor();
  await message(here, 'It rains.').hover();
  await message(here, 'It rains.').getByRole('button', { name: 'Reply' }).click();
  await field(here).fill('half a thought');
  await until('the other device has it', async () => (await field(there).inputValue()) === 'half a thought');
  await there.getByText('Replying to Bo').waitFor();
  await axeEverywhere(there, 'a draft from another device');
  await there.reload();
  await there.getByText('Replying to Bo').waitFor();
  assert.equal(await field(there).inputValue(), 'half a thought');
  await there.goto(`/app/r/${id}/s/${side.id}`);
  await tab(there, 'Everybody').getByText('Draft').waitFor();
  await field(there).fill('aside');
  await tab(here, 'Side').getByText('Draft').waitFor();
  await there.goto('/app/browse');
  await there.locator('.list').getByText('Draft').waitFor();
  await there.getByRole('heading', { level: 1 }).waitFor();
  await axeEverywhere(there, 'a room with a draft');
  await field(here).press('Enter');
  await gone(there.locator('.list').getByText('Draft'));
  const { drafts } = await ana.call('GET', '/me/drafts');
  assert.deepEqual(drafts.map(({ session_id, content }) => [session_id, content]), [[side.id, 'aside']]);
  let messages;
  await until('it is sent', async () => {
    ({ messages } = await ana.call('GET', `/sessions/${session}/messages`));
    return messages.at(-1).content === 'half a thought';
  });
  assert.equal(messages.at(-1).reply_to, messages[1].id);
});

test('what was written without a connection is kept, and told when there is one', async () => {
  const { ana, here, id } = await desk();
  await here.route('**/api/v1/sessions/*/draft', (route) => route.abort());
  await field(here).fill('written in a tunnel');
  await here.waitForTimeout(1_500);
  await here.unroute('**/api/v1/sessions/*/draft');
  await here.reload();
  await until('it is still here', async () => (await field(here).inputValue()) === 'written in a tunnel');
  await until('the server has it', async () => (await ana.call('GET', '/me/drafts')).drafts[0]?.content === 'written in a tunnel');
  await field(here).fill('x'.repeat(17_000));
  await here.waitForTimeout(1_500);
  await here.reload();
  await until('what the server will not have stays here', async () => (await field(here).inputValue()).length === 17_000);
  await here.getByRole('link', { name: /^Settings/ }).click();
  await here.getByRole('button', { name: 'Sign out' }).click();
  await here.getByRole('heading', { level: 1, name: 'Sign in' }).waitFor();
  assert.deepEqual(await here.evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith('parlor.uns'))), [], 'a draft is left for whoever comes next');
  assert.ok(id);
});

test('everybody is named by one word: asked about where they are many, and kept from most where they are very many', async () => {
  const { ana, bo, here, there, id, session } = await desk();
  await write(here, 'tea is ready, @room');
  await there.locator('.mention-me', { hasText: '@room' }).waitFor();
  const others = [];
  for (let count = 0; count < 9; count += 1) others.push(await person(`P${count}`));
  await ana.call('POST', `/rooms/${id}/members`, { users: others.map((other) => other.id) });
  await there.getByRole('button', { name: 'People: 11' }).waitFor();
  await write(there, 'and @everyone, cake');
  const dialog = there.getByRole('dialog', { name: 'Tell all 11 people?' });
  await axeEverywhere(there, 'naming many');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  assert.equal(await field(there).inputValue(), 'and @everyone, cake');
  await field(there).press('Enter');
  await dialog.getByRole('button', { name: 'Send' }).click();
  await message(here, 'and @everyone, cake').locator('.mention-me').waitFor();
  const seen = await others[0].call('GET', `/sessions/${session}`);
  assert.equal(seen.mentions, 1, 'who came later is named by what was said before');

  const more = [];
  for (let count = 0; count < 10; count += 1) more.push(await person(`Q${count}`));
  await ana.call('POST', `/rooms/${id}/members`, { users: more.map((other) => other.id) });
  await there.getByRole('button', { name: 'People: 21' }).waitFor();
  await field(there).fill('all of you, @room');
  await there.getByText('only owners and moderators name everybody').waitFor();
  assert.ok(await there.getByRole('button', { name: 'Send' }).isDisabled());
  await axeEverywhere(there, 'naming too many');
  assert.ok(bo.id);
});
