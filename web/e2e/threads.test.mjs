// Beside a session: threads, and the list of those one follows.
import { test } from 'node:test';
import { assert, axeEverywhere, device, field, gone, message, person, read, room, roomRow, say, until } from './harness.mjs';

async function desk() {
  const ana = await person('Ana');
  const bo = await person('Bo');
  const { id, main_session_id: session } = await room(ana, 'Desk', [bo]);
  const question = await say(bo, session, 'Where shall we eat?');
  await say(bo, session, 'It rains.');
  await read(ana, session, 2);
  return { ana, bo, id, session, question };
}

async function windows() {
  const made = await desk();
  const [here, there] = [await made.ana.window(`/app/r/${made.id}`), await made.bo.window(`/app/r/${made.id}`)];
  await field(here).waitFor();
  await message(there, 'It rains.').waitFor();
  return { ...made, here, there };
}

const panel = (page) => page.getByRole('complementary', { name: 'Thread' });
const answer = (page) => page.locator('#thread-composer');
const feed = (page) => page.getByRole('feed', { name: /^Messages in/ });
const reply = (page, text) => panel(page).locator('article', { hasText: text });
const line = (page, name) => message(feed(page), 'Where shall').getByRole('button', { name });
const hasFocus = (locator) => locator.evaluate((element) => element === document.activeElement);

/** The next answers to these requests wait until they are let go. */
async function hold(page, pattern) {
  let letGo;
  const held = new Promise((done) => { letGo = done; });
  await page.route(pattern, async (route) => {
    await held;
    await route.continue();
  });
  return async () => {
    letGo();
    // Those that were held go on before nobody holds them any more.
    await page.unrouteAll({ behavior: 'wait' });
  };
}

test('a thread stands beside its session, with its own field and its own unread', async () => {
  const { ana, here, there } = await windows();
  await feed(here).focus();
  await here.keyboard.press('k');
  await here.keyboard.press('k');
  await until('the question has the focus', () => hasFocus(message(feed(here), 'Where shall')));
  await here.keyboard.press('t');
  await panel(here).getByText('No reply yet.').waitFor();
  await until('its field has the focus', () => hasFocus(answer(here)));
  await axeEverywhere(here, 'a thread without replies');
  await answer(here).fill('At home');
  await answer(here).press('Enter');
  await reply(here, 'At home').waitFor();
  assert.equal(await feed(here).locator('article', { hasText: 'At home' }).count(), 0, 'a reply stands in the timeline');

  await line(there, /1 reply/).getByText('1 new').waitFor();
  await there.getByRole('link', { name: 'Threads, 1 unread' }).waitFor();
  await line(there, /1 reply/).click();
  await reply(there, 'At home').waitFor();
  await until('it is read', async () => (await there.getByRole('link', { name: 'Threads', exact: true }).count()) === 1);
  await axeEverywhere(there, 'a thread');

  await answer(there).fill('I bring bread');
  await answer(there).press('Enter');
  await reply(here, 'I bring bread').waitFor();
  await line(here, /2 replies/).waitFor();
  await panel(here).getByRole('button', { name: 'Following' }).click();
  await panel(here).getByRole('button', { name: 'Follow', exact: true }).waitFor();
  await answer(here).press('Escape');
  await gone(panel(here));
  await until('the question has the focus again', () => hasFocus(message(feed(here), 'Where shall')));
  await here.reload();
  await line(here, /2 replies/).waitFor();

  const list = await ana.window('/app/threads');
  await list.getByText('You follow no thread yet.').waitFor();
  await axeEverywhere(list, 'no threads');
  await there.goto('/app/threads');
  await there.getByText('Where shall we eat?').waitFor();
  await axeEverywhere(there, 'the list of threads');
  await there.getByRole('button', { name: /2 replies/ }).click();
  await reply(there, 'I bring bread').waitFor();
});

test('answering in a thread reads nothing of the timeline', async () => {
  const { ana, bo, here, session, question } = await windows();
  await here.goto('/app/settings/profile');
  await say(bo, session, 'Something new');
  await roomRow(here, /Desk.*1 unread/).waitFor();
  await say(ana, session, 'At home', { thread_id: question.id });
  await here.waitForTimeout(700);
  await roomRow(here, /Desk.*1 unread/).waitFor();
  const { unread } = await ana.call('GET', `/sessions/${session}`);
  assert.equal(unread, 1);
});

test('being named in a thread is said until the thread is read, on one device or another', async () => {
  const { ana, bo, id, session, question } = await desk();
  const far = await device(ana);
  const [here, there] = [await ana.window('/app/settings/profile'), await far.window('/app/settings/profile')];
  await roomRow(here, 'Desk').waitFor();
  await roomRow(there, 'Desk').waitFor();
  await say(bo, session, `Ask @${ana.username}`, { thread_id: question.id });
  for (const page of [here, there]) {
    await roomRow(page, /Desk.*names you once/).waitFor();
    await page.getByRole('link', { name: 'Threads, 1 unread' }).waitFor();
  }
  await axeEverywhere(here, 'a name in a thread');
  await here.goto(`/app/r/${id}`);
  await line(here, /1 reply/).getByText('1 new').waitFor();
  await line(here, /1 reply/).click();
  await panel(here).locator('.fresh').waitFor();
  for (const page of [here, there]) {
    await gone(roomRow(page, /names you/));
    await page.getByRole('link', { name: 'Threads', exact: true }).waitFor();
  }
  const { mentions, thread_unread } = await ana.call('GET', `/sessions/${session}`);
  assert.deepEqual({ mentions, thread_unread }, { mentions: 0, thread_unread: 0 });
});

test('a reply far back is gone to, and lit up in its thread', async () => {
  const { ana, bo, id, session, question } = await desk();
  for (let count = 1; count <= 120; count += 1) await say(bo, session, `answer ${count}.`, { thread_id: question.id });
  const page = await ana.window(`/app/r/${id}/s/${session}/m/4`);
  await page.locator('.thread article.message-lit', { hasText: 'answer 2.' }).waitFor();
  const box = await reply(page, 'answer 2.').boundingBox();
  assert.ok(box && box.y > 60 && box.y < 740, `it is at ${box?.y}`);
  await axeEverywhere(page, 'a reply far back');
  await page.getByRole('button', { name: 'Close' }).click();
  await line(page, /120 replies/).click();
  await reply(page, 'answer 120.').waitFor();
  assert.equal(await reply(page, 'answer 2.').count(), 0);
  await page.getByRole('button', { name: 'Show earlier replies' }).click();
  await reply(page, 'answer 40.').waitFor();
});

test('a thread says that it is coming, that it cannot be had, and comes when asked again', async () => {
  const { here, ana, session, question, bo } = await windows();
  await say(bo, session, 'At home', { thread_id: question.id });
  await line(here, /1 reply/).waitFor();
  const pages = '**/api/v1/messages/*/thread?**';
  const letGo = await hold(here, pages);
  await line(here, /1 reply/).click();
  await panel(here).getByText('One moment').waitFor();
  await axeEverywhere(here, 'a thread that is coming');
  await letGo();
  await reply(here, 'At home').waitFor();
  await panel(here).getByRole('button', { name: 'Close' }).click();

  await here.route(pages, (route) => route.abort());
  await line(here, /1 reply/).click();
  await panel(here).getByText('The server cannot be reached.').waitFor();
  await axeEverywhere(here, 'a thread that cannot be had');
  await here.unroute(pages);
  await panel(here).getByRole('button', { name: 'Try again' }).click();
  await reply(here, 'At home').waitFor();

  const list = await ana.window('/app/');
  await list.route('**/api/v1/me/threads**', (route) => route.abort());
  await list.getByRole('link', { name: /^Threads/ }).click();
  await list.getByText('The server cannot be reached.').waitFor();
  await axeEverywhere(list, 'the list of threads that cannot be had');
  await list.unroute('**/api/v1/me/threads**');
  await list.getByRole('button', { name: 'Try again' }).click();
  await list.getByText('You follow no thread yet.').waitFor();
  await say(bo, session, `@${ana.username} tonight?`, { thread_id: question.id });
  await list.getByText('Where shall we eat?').waitFor();
});

test('a thread fills the screen of a phone', async () => {
  const { bo, id, session, question } = await desk();
  await say(bo, session, 'At home', { thread_id: question.id });
  const page = await bo.window(`/app/r/${id}`);
  await page.setViewportSize({ width: 390, height: 844 });
  await page.getByRole('button', { name: /1 reply/ }).click();
  await page.getByRole('heading', { level: 1, name: 'Thread' }).waitFor();
  assert.equal(await page.locator('#composer').isVisible(), false);
  await page.getByRole('button', { name: 'Close' }).click();
  await field(page).waitFor();
});

test('a thread outlives the message that it is under', async () => {
  const { bo, here, session, question } = await windows();
  await say(bo, session, 'At home', { thread_id: question.id });
  await line(here, /1 reply/).click();
  await reply(here, 'At home').waitFor();
  await bo.call('DELETE', `/messages/${question.id}`);
  await panel(here).getByText('This message was deleted.').waitFor();
  await answer(here).fill('Still here');
  await answer(here).press('Enter');
  await feed(here).getByRole('button', { name: /2 replies/ }).waitFor();
  await axeEverywhere(here, 'a thread whose beginning is gone');
});
