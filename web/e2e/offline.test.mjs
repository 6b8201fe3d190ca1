// Without a connection: nothing is lost, nothing comes twice.
import { test } from 'node:test';
import { assert, axe, field, gone, message, person, room, say, until, write } from './harness.mjs';

/** Cuts a window off from the API, and sockets with it; the page itself still loads. */
async function cut(context) {
  const state = { off: true, sockets: new Set() };
  await context.route('**/api/v1/**', (route) => (state.off ? route.abort('internetdisconnected') : route.continue()));
  await context.routeWebSocket(/\/api\/v1\/socket/, (socket) => {
    if (state.off) return void socket.close({ code: 4000 });
    const server = socket.connectToServer();
    state.sockets.add(socket);
    socket.onMessage((text) => server.send(text));
    server.onMessage((text) => socket.send(text));
  });
  return {
    off: async () => {
      state.off = true;
      for (const socket of state.sockets) await socket.close({ code: 4000 }).catch(() => {});
      state.sockets.clear();
    },
    on: () => { state.off = false; },
  };
}

/** Asks for the connection at once, unless the countdown was quicker. */
async function retryNow(page) {
  await page.getByRole('button', { name: 'Retry now' }).click({ timeout: 2_000 }).catch(() => {});
}

test('what is written offline survives a reload and arrives once, in order', async () => {
  const ana = await person('Ana');
  const bo = await person('Bo');
  const { id, main_session_id } = await room(ana, 'Tunnel', [bo]);
  const there = await bo.window(`/app/r/${id}`);
  await field(there).waitFor();

  const line = await cut(ana.context);
  line.on();
  const here = await ana.window(`/app/r/${id}`);
  await write(here, 'before');
  await message(there, 'before').waitFor();
  await line.off();
  await here.locator('.offline').waitFor();
  await here.getByRole('button', { name: 'Retry now' }).waitFor();
  const lines = ['one', 'two', 'three', 'four'];
  for (const text of lines) await write(here, text);
  await here.locator('article[data-state=queued]').nth(3).waitFor();
  await axe(here, 'a room without a connection');

  await here.reload();
  await here.getByRole('heading', { name: 'The server cannot be reached' }).waitFor();
  await axe(here, 'the page without a server');
  line.on();
  await retryNow(here);
  await message(there, 'four').waitFor();
  await gone(here.locator('article[data-state]'));
  for (const page of [here, there]) {
    const texts = await page.locator('article .md').allTextContents();
    assert.deepEqual(texts, ['before', ...lines]);
  }
  const { messages } = await bo.call('GET', `/sessions/${main_session_id}/messages`);
  assert.deepEqual(messages.map((held) => held.content), ['before', ...lines]);
});

test('what happened meanwhile is there after the connection is back, once', async () => {
  const ana = await person('Ana');
  const bo = await person('Bo');
  const { id, main_session_id } = await room(ana, 'Bridge', [bo]);
  const line = await cut(ana.context);
  line.on();
  const here = await ana.window(`/app/r/${id}`);
  await field(here).waitFor();
  await say(bo, main_session_id, 'first');
  await message(here, 'first').waitFor();
  await line.off();
  await here.locator('.offline').waitFor();
  for (const text of ['second', 'third']) await say(bo, main_session_id, text);
  const { id: news } = await bo.call('POST', `/rooms/${id}/sessions`, { name: 'Meanwhile', members: [ana.id] });
  await say(bo, news, 'in here');
  line.on();
  await retryNow(here);
  await message(here, 'third').waitFor();
  await here.getByRole('link', { name: /Meanwhile/ }).click();
  await message(here, 'in here').waitFor();
  await here.getByRole('link', { name: 'Everybody' }).click();
  assert.deepEqual(await here.locator('article .md').allTextContents(), ['first', 'second', 'third']);
});

test('an answer that got lost does not make a second message', async () => {
  const ana = await person('Ana');
  const { id, main_session_id } = await room(ana, 'Echo');
  const here = await ana.window(`/app/r/${id}`);
  await field(here).waitFor();
  let lost = 0;
  await here.route(`**/api/v1/sessions/${main_session_id}/messages`, async (route) => {
    if (route.request().method() !== 'POST' || lost) return route.continue();
    lost += 1;
    await route.fetch();
    await route.abort('connectionreset');
  });
  await write(here, 'said once');
  await until('the retry is through', async () => (await here.locator('article[data-state]').count()) === 0);
  assert.equal(lost, 1);
  assert.equal(await message(here, 'said once').count(), 1);
  const { messages } = await ana.call('GET', `/sessions/${main_session_id}/messages`);
  assert.equal(messages.length, 1);
});

test('what the server refuses stays, says why, and can be tried again or thrown away', async () => {
  const ana = await person('Ana');
  const { id, main_session_id } = await room(ana, 'Gate');
  const here = await ana.window(`/app/r/${id}`);
  await field(here).waitFor();
  let refuse = true;
  await here.route(`**/api/v1/sessions/${main_session_id}/messages`, (route) => {
    if (!refuse || route.request().method() !== 'POST') return route.continue();
    return route.fulfill({ status: 422, json: { error: { code: 'invalid', message: 'not like this', request_id: 'x' } } });
  });
  await write(here, 'try me');
  await write(here, 'drop me');
  await here.locator('article[data-state=failed]').nth(1).waitFor();
  await message(here, 'try me').getByText('not like this').waitFor();
  await axe(here, 'a message that was refused');
  await message(here, 'drop me').getByRole('button', { name: 'Discard' }).click();
  await gone(message(here, 'drop me'));
  refuse = false;
  await message(here, 'try me').getByRole('button', { name: 'Retry' }).click();
  await gone(here.locator('article[data-state=failed]'));
  await message(here, 'try me').waitFor();
});
