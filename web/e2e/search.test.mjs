// Finding what was said.
import { test } from 'node:test';
import { assert, axeEverywhere, field, message, person, read, room, say, until } from './harness.mjs';

const input = (page) => page.getByRole('combobox', { name: 'Search messages' });
const hits = (page) => page.getByRole('list', { name: 'Messages found' }).getByRole('listitem');

async function library() {
  const ana = await person('Ana');
  const bo = await person('Bo');
  const cleo = await person('Cleo');
  const desk = await room(ana, 'Desk', [bo]);
  const hall = await room(ana, 'Hall', [bo, cleo]);
  const secret = await room(cleo, 'Secret', [bo]);
  const side = await ana.call('POST', `/rooms/${desk.id}/sessions`, { name: 'Side', members: [bo.id] });
  await say(bo, desk.main_session_id, 'The red bus leaves at nine, see https://example.org/bus');
  await say(ana, desk.main_session_id, 'Not the red one, the blue bus');
  for (let count = 0; count < 90; count += 1) await say(bo, desk.main_session_id, `between ${count}`);
  await say(bo, side.id, 'A red bus in the side session');
  await say(cleo, hall.main_session_id, 'Red bus, in the hall');
  await say(cleo, secret.main_session_id, 'A red bus that Ana must not see');
  await read(ana, desk.main_session_id, 92);
  return { ana, bo, cleo, desk, hall, side };
}

test('a search with conditions finds what one may read, and leads there', async () => {
  const { ana, bo, desk, hall } = await library();
  const page = await ana.window(`/app/r/${desk.id}`);
  await message(page, 'between 89').waitFor();
  await page.getByRole('feed').focus();
  await page.keyboard.press('/');
  await page.getByText('in Desk').waitFor();
  await page.getByRole('button', { name: 'Remove: in Desk' }).click();
  await until('the field has the focus', async () => input(page).evaluate((box) => box === document.activeElement));
  await page.getByRole('heading', { name: 'What you can ask' }).waitFor();
  await page.keyboard.press('Escape');
  await axeEverywhere(page, 'the search before anything is asked');

  await page.keyboard.type('red bus');
  await until('all four are found', async () => (await hits(page).count()) === 4);
  assert.equal(await page.getByText('must not see').count(), 0);
  assert.deepEqual(await hits(page).first().locator('mark').allTextContents(), ['Red', 'bus']);
  assert.match(page.url(), /\/app\/search\?q=red%20bus$/);
  await axeEverywhere(page, 'what was found');

  await page.keyboard.type(' from:b');
  await page.getByRole('option', { name: new RegExp(bo.username) }).waitFor();
  await axeEverywhere(page, 'people to search for');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await until('Bo said two', async () => (await hits(page).count()) === 2);
  await page.keyboard.type('has:link ');
  await until('one has a link', async () => (await hits(page).count()) === 1);
  await page.getByText('with a link', { exact: true }).waitFor();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.locator('article.message-lit', { hasText: 'leaves at nine' }).waitFor();
  await page.getByRole('heading', { level: 1, name: 'Desk' }).waitFor();

  await page.goBack();
  await until('the question is still there', async () => (await hits(page).count()) === 1);
  await page.getByRole('button', { name: 'Remove: with a link' }).click();
  await until('without the link there are two', async () => (await hits(page).count()) === 2);
  await input(page).press('Home');
  await page.keyboard.press('Backspace');
  await until('without the person there are four', async () => (await hits(page).count()) === 4);
  await page.goto(`/app/search?q=${encodeURIComponent(`in:${hall.id} red`)}`);
  await until('one in the hall', async () => (await hits(page).count()) === 1);
  await page.getByText('in Hall').waitFor();
});

test('what was found before stays readable until the next answer is there', async () => {
  const ana = await person('Ana');
  const desk = await room(ana, 'Desk');
  await say(ana, desk.main_session_id, 'The red bus leaves at nine');
  await say(ana, desk.main_session_id, 'The red tram does not');
  const page = await ana.window('/app/search');
  await input(page).fill('red');
  await until('both are found', async () => (await hits(page).count()) === 2);
  let answer;
  const answered = new Promise((done) => { answer = done; });
  await page.route(/\/search\?/, async (route) => { await answered; await route.continue(); });
  await page.keyboard.type(' bus');
  await page.locator('.search-box[data-busy]').waitFor();
  await axeEverywhere(page, 'a search that waits for its answer');
  assert.equal(await hits(page).count(), 2);
  answer();
  await until('one is left', async () => (await hits(page).count()) === 1);
  await page.locator('.search-box:not([data-busy])').waitFor();
});

test('keys search here and everywhere; a second press is the browser\'s', async () => {
  const ana = await person('Ana');
  const { id } = await room(ana, 'Desk');
  const page = await ana.window(`/app/r/${id}`);
  await field(page).waitFor();
  await page.keyboard.press('Control+f');
  await page.getByText('in Desk').waitFor();
  const prevented = () => page.evaluate(() => new Promise((done) => {
    window.addEventListener('keydown', (event) => setTimeout(() => done(event.defaultPrevented)), { once: true });
    document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key: 'f', ctrlKey: true, bubbles: true, cancelable: true }));
  }));
  assert.equal(await prevented(), false);
  await page.keyboard.press('Control+Shift+F');
  await until('the condition is gone', async () => (await page.getByText('in Desk').count()) === 0);
});

test('what cannot be found, asked or reached is said in words', async () => {
  const ana = await person('Ana');
  const page = await ana.window('/app/search');
  await input(page).fill('x');
  await page.getByText('One letter finds too much').waitFor();
  await input(page).fill('xylophone quartet');
  await page.getByText('Nothing was found.').waitFor();
  await axeEverywhere(page, 'nothing found');
  await input(page).fill('before:never');
  await page.keyboard.press('Enter');
  await page.locator('.form-error').waitFor();
  assert.match(await page.locator('.form-error').textContent(), /date|day|time/i);
  await axeEverywhere(page, 'a question that makes no sense');
  await page.getByRole('button', { name: 'Remove: before never' }).click();
  await page.context().setOffline(true);
  await input(page).fill('anything');
  await page.getByText('The server cannot be reached. Try again in a moment.').waitFor();
  await page.context().setOffline(false);
});
