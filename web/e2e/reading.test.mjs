// Where one was, what is new, and a long way back.
import { test } from 'node:test';
import { assert, axeEverywhere, field, gone, message, person, read, room, say, sayMany, until, write } from './harness.mjs';

const feed = (page) => page.getByRole('feed');

/** Whether an element is inside the visible part of the messages. */
async function visible(page, locator) {
  const [box, view] = [await locator.boundingBox(), await feed(page).boundingBox()];
  return Boolean(box && view && box.y + box.height > view.y && box.y < view.y + view.height);
}

test('a session with 500 unread messages opens at the oldest of them; Esc goes to the newest', async () => {
  const ana = await person('Ana');
  const bo = await person('Bo');
  const { main_session_id } = await room(ana, 'Archive', [bo]);
  for (const text of ['read one', 'read two']) await say(bo, main_session_id, text);
  await read(ana, main_session_id, 2);
  await sayMany(bo, main_session_id, 500, (n) => `unread ${n}\n\n${'word '.repeat(n % 40)}`);

  const page = await ana.window(`/app/settings/profile`);
  await page.getByRole('link', { name: /Archive.*500 unread/ }).click();
  const line = page.locator('.fresh');
  await line.waitFor();
  await until('the line is in view', () => visible(page, line));
  const after = page.locator('.row:has(.fresh) article');
  assert.equal(await after.getAttribute('data-number'), '3');
  await axeEverywhere(page, 'the line of the unread');

  await field(page).press('Escape');
  await until('the newest is in view', async () => {
    const last = page.locator('article[data-number="502"]');
    return (await last.count()) === 1 && visible(page, last);
  });
  await gone(page.getByRole('link', { name: /Archive.*unread/ }));
  await until('the server knows', async () => {
    const { sessions } = await ana.call('GET', '/me/sessions');
    return sessions.find((session) => session.id === main_session_id).unread === 0;
  });
});

test('the line stands above a deleted message too', async () => {
  const ana = await person('Ana');
  const bo = await person('Bo');
  const { id, main_session_id } = await room(ana, 'Gap', [bo]);
  await say(bo, main_session_id, 'known');
  await read(ana, main_session_id, 1);
  const { id: first } = await say(bo, main_session_id, 'gone soon');
  await sayMany(bo, main_session_id, 60);
  await bo.call('DELETE', `/messages/${first}`);
  const page = await ana.window(`/app/r/${id}`);
  await until('the line is in view', () => visible(page, page.locator('.fresh')));
  assert.equal(await page.locator('.row:has(.fresh) article').getAttribute('data-number'), '2');
  await feed(page).evaluate((box) => box.scrollTo(0, box.scrollHeight));
  await page.getByRole('button', { name: /go to the oldest/ }).click();
  await until('the deleted one is in view', () => visible(page, page.locator('article[data-number="2"]')));
});

test('new messages while one reads further up move nothing, and are counted', async () => {
  const ana = await person('Ana');
  const bo = await person('Bo');
  const { id, main_session_id } = await room(ana, 'Porch', [bo]);
  await sayMany(bo, main_session_id, 40);
  await read(ana, main_session_id, 40);
  const page = await ana.window(`/app/r/${id}`);
  await page.locator('article[data-number="40"]').waitFor();
  await feed(page).hover();
  await page.mouse.wheel(0, -700);
  await page.getByRole('button', { name: 'To the newest message' }).waitFor();
  await page.waitForTimeout(400);
  const before = await feed(page).evaluate((box) => box.scrollTop);
  for (const text of ['new one', 'new two', 'new three']) await say(bo, main_session_id, text);
  const pill = page.getByRole('button', { name: '3 new messages' });
  await pill.waitFor();
  assert.equal(await feed(page).evaluate((box) => box.scrollTop), before, 'the messages moved');
  await axeEverywhere(page, 'the count of new messages');
  await pill.click();
  await until('the newest is in view', () => visible(page, message(page, 'new three')));
  await gone(page.locator('.pill-new'));
});

test('paging back through a long session, nothing jumps', async () => {
  const count = Number(process.env.PARLOR_E2E_MESSAGES ?? 1_000);
  const ana = await person('Ana');
  const { id, main_session_id } = await room(ana, 'Chronicle');
  await sayMany(ana, main_session_id, count, (n) => `entry ${n}${n % 5 ? '' : `\n\n${'and more '.repeat(n % 30)}`}`);
  await read(ana, main_session_id, count);
  const page = await ana.window(`/app/r/${id}`);
  await page.locator(`article[data-number="${count}"]`).waitFor();
  await page.waitForTimeout(500);
  const worst = await page.evaluate(async () => {
    const box = document.querySelector('[role=feed]');
    const frame = () => new Promise((done) => requestAnimationFrame(done));
    let drift = 0;
    for (let round = 0; round < 4_000 && !box.querySelector('article[data-number="1"]'); round += 1) {
      box.scrollTop -= 500;
      await frame();
      await frame();
      const middle = box.getBoundingClientRect().top + 200;
      const held = [...box.querySelectorAll('article')].find((row) => row.getBoundingClientRect().bottom > middle);
      if (!held) continue;
      const at = held.getBoundingClientRect().top;
      for (let wait = 0; wait < 3; wait += 1) await frame();
      if (held.isConnected) drift = Math.max(drift, Math.abs(held.getBoundingClientRect().top - at));
    }
    return drift;
  });
  await page.locator('article[data-number="1"]').waitFor();
  assert.ok(worst <= 2, `the messages jumped by ${worst} px`);
  assert.ok((await page.locator('.timeline *').count()) < 1_500, 'too many elements are kept');
  await write(page, 'the newest of all');
  await until('one\'s own message is in view', () => visible(page, message(page, 'the newest of all')));
});
