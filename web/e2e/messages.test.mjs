// Words that change, go, answer each other, and never become anything but words.
import { test } from 'node:test';
import { assert, axeEverywhere, field, gone, message, person, room, say, write } from './harness.mjs';

async function two() {
  const ana = await person('Ana');
  const bo = await person('Bo');
  const { id, main_session_id } = await room(ana, 'Desk', [bo]);
  const [here, there] = [await ana.window(`/app/r/${id}`), await bo.window(`/app/r/${id}`)];
  await field(here).waitFor();
  await field(there).waitFor();
  return { ana, bo, here, there, session: main_session_id };
}

test('an edit and a deletion show in the other window at once', async () => {
  const { here, there } = await two();
  await write(here, 'frist words');
  await message(there, 'frist words').waitFor();
  await field(here).press('ArrowUp');
  const box = here.getByRole('textbox', { name: 'Edit' });
  await box.fill('first words');
  await axeEverywhere(here, 'a message being edited');
  await box.press('Enter');
  await message(there, 'first words').getByRole('button', { name: 'Show earlier wordings' }).click();
  await there.getByRole('dialog').getByText('frist words').waitFor();
  await axeEverywhere(there, 'earlier wordings');
  await there.keyboard.press('Escape');

  await message(here, 'first words').hover();
  await message(here, 'first words').getByRole('button', { name: 'Delete' }).click();
  await here.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await there.getByText('This message was deleted.').waitFor();
  await gone(there.getByText('first words'));
  await axeEverywhere(there, 'a deleted message');
});

test('a reply shows what it answers and leads there', async () => {
  const { ana, bo, here, there, session } = await two();
  await write(here, 'Shall we meet at the fountain?');
  await message(there, 'fountain').hover();
  await message(there, 'fountain').getByRole('button', { name: 'Reply' }).click();
  await there.getByText('Replying to Ana').waitFor();
  await write(there, 'At six.');
  await message(here, 'At six.').getByRole('button', { name: 'Go to the message of Ana' }).waitFor();
  await axeEverywhere(here, 'a reply');
  for (let count = 0; count < 60; count += 1) await say(count % 2 ? ana : bo, session, `between ${count}`);
  await say(bo, session, 'the last one');
  await there.reload();
  await message(there, 'the last one').waitFor();
  assert.equal(await there.getByText('Shall we meet at the fountain?').count(), 0, 'the window holds only the newest page');
  const { messages } = await bo.call('GET', `/sessions/${session}/messages?before=10`);
  await ana.call('POST', `/sessions/${session}/messages`, { client_id: crypto.randomUUID(), content: 'remember?', reply_to: messages[0].id });
  await message(there, 'remember?').getByRole('button', { name: 'Go to the message of Ana' }).click();
  await there.locator('article.message-lit', { hasText: 'fountain' }).waitFor();
  await there.getByRole('button', { name: 'To the newest message' }).click();
  await message(there, 'remember?').waitFor();
});

test('Markdown is drawn, and what looks like a program stays text', async () => {
  const { here, there } = await two();
  await field(here).fill('**bold** and `code`\n\n- one\n- two\n\n```js\nlet a = 1;\n```\n<img src=x onerror="document.title=1">\n[x](javascript:document.title=2) [fine](https://example.org)');
  await field(here).press('Enter');
  const row = message(there, 'bold');
  await row.waitFor();
  assert.equal(await row.locator('strong').first().textContent(), 'bold');
  assert.equal(await row.locator('li').count(), 2);
  assert.equal(await row.locator('pre code').textContent(), 'let a = 1;');
  assert.equal(await row.locator('.md img').count(), 0);
  const links = await row.locator('.md a').evaluateAll((all) => all.map((link) => [link.href, link.rel]));
  assert.deepEqual(links, [['https://example.org/', 'noopener noreferrer nofollow']]);
  assert.doesNotMatch(await there.title(), /^[12]$/);
  await axeEverywhere(there, 'a message with Markdown');
});

test('a mention is completed by keyboard and counted for who is named', async () => {
  const { bo, here, there } = await two();
  await there.goto('/app/settings/profile');
  await field(here).pressSequentially('hey @');
  await here.getByRole('listbox', { name: 'What it may become' }).waitFor();
  await axeEverywhere(here, 'names offered');
  await field(here).press('Enter');
  await field(here).pressSequentially('look');
  assert.equal(await field(here).inputValue(), `hey @${bo.username} look`);
  await field(here).press('Enter');
  await there.getByRole('link', { name: /Desk.*1 unread, names you once/ }).waitFor();
  await axeEverywhere(there, 'a room where one is named');
  await there.getByRole('link', { name: /Desk.*1 unread, names you once/ }).click();
  await there.locator('.mention-me').waitFor();
  await axeEverywhere(there, 'a message that names one');
});
