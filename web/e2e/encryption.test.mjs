// Sessions that only their people can read: real browsers, real keys, a server that has none of them.
import { test } from 'node:test';
import { mkdirSync } from 'node:fs';
import { PASSWORD, addPeople, assert, axe, axeEverywhere, chooseToAdd, device, field, gone, message, person, room, tab, until, wave, write } from './harness.mjs';

const PICTURES = process.env.PARLOR_LOOK;
const ENCRYPTION = { algorithm: 'm.megolm.v1.aes-sha2' };
// The library that does it has two megabytes, and a busy machine starts it slowly.
const PATIENCE_MS = 90_000;

/** With PARLOR_LOOK, what a screen looks like in both themes, wide and narrow. */
async function look(page, name) {
  if (!PICTURES) return;
  mkdirSync(PICTURES, { recursive: true });
  const size = page.viewportSize();
  for (const scheme of ['light', 'dark']) {
    for (const [kind, width, height] of [['wide', 1280, 800], ['phone', 390, 844]]) {
      await page.emulateMedia({ colorScheme: scheme });
      await page.setViewportSize({ width, height });
      await page.waitForTimeout(350);
      await page.screenshot({ path: `${PICTURES}/${name}-${scheme}-${kind}.png` });
    }
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize(size);
  await page.waitForTimeout(250);
}

const line = (page) => page.locator('.sealed-line');
const readers = (page) => page.getByRole('complementary', { name: 'Who can read this' });

/** Until this browser can read and write sealed. */
async function ready(page) {
  await line(page).getByText('Only people in this session can read this.').waitFor({ timeout: PATIENCE_MS });
}

/** A window of somebody, whose keys are made. */
async function opened(who, path) {
  const page = await who.window(path);
  await field(page).waitFor();
  await ready(page);
  return page;
}

/** The same person in a new browser. */
async function another(who) {
  return patient(await device(who));
}

function patient(who) {
  who.context.setDefaultTimeout(PATIENCE_MS);
  return who;
}

/** Somebody whose browser has made keys, which happens when it is signed in. */
async function keyed(name) {
  const who = patient(await person(name));
  const page = await who.window('/app/settings/encryption');
  await page.getByText('Confirmed with your keys.').waitFor();
  return { ...who, page };
}

async function sealedRoom(owner, name, others) {
  return room(owner, name, others, { encryption: ENCRYPTION });
}

async function two() {
  const [ana, bo] = [await keyed('Ana'), await keyed('Bo')];
  const made = await sealedRoom(ana, 'Ledger', [bo]);
  const path = `/app/r/${made.id}`;
  await ana.page.goto(path);
  await bo.page.goto(path);
  await ready(ana.page);
  await ready(bo.page);
  return { ana, bo, here: ana.page, there: bo.page, session: made.main_session_id, path, id: made.id };
}

test('what encrypts comes packed, after the first screen, once for ever', async () => {
  const ana = patient(await person('Ana'));
  const page = await ana.window('about:blank');
  const comes = page.context().waitForEvent('response', (answer) => /\.wasm$/.test(answer.url()));
  await page.goto('/app/');
  await page.getByRole('navigation').first().waitFor();
  const answer = await comes;
  assert.ok(await page.evaluate(() => performance.getEntriesByName('first-contentful-paint').length), 'the first screen is there before');
  const { 'content-type': kind, 'content-encoding': packed, 'cache-control': kept } = await answer.allHeaders();
  assert.deepEqual([kind, kept], ['application/wasm', 'public, max-age=31536000, immutable']);
  assert.match(packed, /^(?:br|gzip)$/);
});

test('what is said in an encrypted session is read by its people, and not by the server', async () => {
  const [ana, bo] = [await keyed('Ana'), await keyed('Bo')];
  const { id } = await room(ana, 'Workshop', [bo]);
  const here = ana.page;
  await here.goto(`/app/r/${id}`);
  await field(here).waitFor();
  await here.getByRole('button', { name: 'New session' }).click();
  await here.getByLabel('What is it about?').fill('Rent');
  await here.getByRole('checkbox', { name: /Bo/ }).check();
  await here.getByRole('switch', { name: 'End-to-end encrypted' }).check();
  await axe(here, 'the dialog of a new session');
  await look(here, 'new-session');
  await here.getByRole('button', { name: 'Open the session' }).click();
  await ready(here);
  await line(here).getByText(/2 people, 2 devices, none compared/).waitFor();
  await axeEverywhere(here, 'an encrypted session in which nothing was said');
  await look(here, 'empty');

  const there = bo.page;
  await there.goto(`/app/r/${id}`);
  await tab(there, 'Rent').click();
  await ready(there);
  await write(here, 'The rent is **due** on Friday, canary 81c2.');
  await message(there, 'The rent is due on Friday').waitFor();
  await write(there, 'I bring it.');
  await message(here, 'I bring it.').waitFor();
  await write(here, 'Thank you');
  await message(there, 'Thank you').waitFor();
  await axeEverywhere(there, 'an encrypted session');
  await look(there, 'session');

  const session = (await ana.call('GET', `/rooms/${id}/sessions`)).sessions.find(({ name }) => name === 'Rent');
  const { messages } = await ana.call('GET', `/sessions/${session.id}/messages`);
  assert.deepEqual(messages.map(({ content }) => content), ['', '', '']);
  assert.ok(messages.every(({ encrypted }) => encrypted.ciphertext.length > 200));
  assert.equal(JSON.stringify(messages).includes('canary'), false);
  const refused = await ana.context.request.post(`/api/v1/sessions/${session.id}/messages`, {
    headers: { Origin: new URL(here.url()).origin }, data: { client_id: crypto.randomUUID(), content: 'plain' },
  });
  assert.equal(refused.status(), 403);

  // After a reload it is the same device, and everything opens again.
  await there.reload();
  await message(there, 'The rent is due on Friday').waitFor();
  await message(there, 'Thank you').waitFor();
});

test('who can read is shown, with every device, before anything is said', async () => {
  const { here, there } = await two();
  await line(here).getByRole('button').click();
  await readers(here).getByText('Not compared').waitFor();
  await readers(here).getByRole('heading', { name: 'Bo' }).waitFor();
  assert.equal(await readers(here).getByText('confirmed by its owner').count(), 2);
  await axeEverywhere(here, 'who can read this');
  await look(here, 'readers');
  await write(there, 'hello');
  await message(here, 'hello').waitFor();
});

test('answers, other wordings, reactions and deletions are inside, too', async () => {
  const { ana, here, there, session } = await two();
  await write(here, 'Supper at eihgt');
  await message(there, 'Supper at eihgt').waitFor();
  await message(there, 'Supper at eihgt').hover();
  await there.getByRole('button', { name: 'Reply' }).click();
  await write(there, 'I cook');
  await message(here, 'I cook').locator('.quote', { hasText: 'Supper' }).waitFor();
  await field(here).press('ArrowUp');
  await here.locator('.edit-box textarea').fill('Supper at eight');
  await here.locator('.edit-box textarea').press('Enter');
  await message(there, 'Supper at eight').first().waitFor();
  await message(there, 'Supper at eight').first().getByRole('button', { name: 'Show earlier wordings' }).click();
  await there.getByRole('dialog').getByText('Supper at eihgt').waitFor();
  await axe(there, 'earlier wordings that came sealed');
  await there.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
  await message(there, 'Supper at eight').first().hover();
  await message(there, 'Supper at eight').first().getByRole('button', { name: 'React with 👍' }).click();
  const chip = (page) => page.getByRole('button', { name: '👍 1' });
  await chip(here).waitFor();
  await chip(there).waitFor();
  assert.equal(await here.locator('.feed article[data-id]').count(), 2, 'a reaction is no line of the timeline');
  await axe(here, 'answers and reactions');
  await look(here, 'reactions');
  await here.reload();
  await chip(here).waitFor();
  await chip(there).click();
  await gone(chip(here));
  // One's own newest words, not one's reaction.
  await field(there).press('ArrowUp');
  await there.locator('.edit-box textarea', { hasText: 'I cook' }).waitFor();
  const { messages } = await ana.call('GET', `/sessions/${session}/messages`);
  assert.equal(/eight|👍|cook/.test(JSON.stringify(messages)), false);
});

test('who left reads no more, and who comes back reads from then on', async () => {
  const { ana, bo, here, there, id, session } = await two();
  await write(here, 'all of us');
  await message(there, 'all of us').waitFor();
  await ana.call('DELETE', `/rooms/${id}/members/${bo.id}`);
  await line(here).getByText(/Only you/).waitFor();
  await write(here, 'only mine');
  // Stored, not only on its way: what comes after somebody came is for them, too.
  await here.locator('.feed article[data-id]', { hasText: 'only mine' }).waitFor();
  await addPeople(here, [bo]);
  await line(here).getByText(/2 people, 2 devices, none compared/).waitFor();
  await there.goto(`/app/r/${id}`);
  await ready(there);
  await there.getByText('Sent before you joined this session.').waitFor();
  await write(here, 'all again');
  await message(there, 'all again').waitFor();
  assert.equal(await there.getByText('only mine').count(), 0);
  await axe(there, 'messages from before one joined');
  await look(there, 'before');
  assert.ok(session);
});

test('whom the server adds by itself is shown as not let in, and reads nothing until a member lets them in', async () => {
  const { ana, here, there, path, id } = await two();
  await write(here, 'between us');
  await message(there, 'between us').waitFor();
  await write(there, 'between us, too');
  await message(here, 'between us, too').waitFor();

  // No statement: just as when nobody here but the server wants somebody in.
  const cleo = await keyed('Cleo');
  await ana.call('POST', `/rooms/${id}/members`, { users: [cleo.id] });
  for (const page of [here, there]) await line(page).getByText(/3 people, 2 devices, 1 not let in/).waitFor();
  await axeEverywhere(here, 'a session with somebody who is not let in');
  await look(here, 'unvouched');
  await cleo.page.goto(path);
  await ready(cleo.page);
  await write(here, 'who is that, by Ana');
  await message(there, 'who is that, by Ana').waitFor();
  await write(there, 'who is that, by Bo');
  await message(here, 'who is that, by Bo').waitFor();
  await until('both came to Cleo, and stay shut', async () => (await cleo.page.locator('.feed article[data-id]').count()) >= 4, PATIENCE_MS);
  await line(here).getByRole('button').click();
  await readers(here).getByText('Nobody here has said that they belong here. They get no keys until somebody does.').waitFor();
  await axeEverywhere(here, 'readers of whom one is not let in');
  await look(here, 'readers-unvouched');

  await readers(here).getByRole('button', { name: 'Let them in: Cleo' }).click();
  await here.getByText('Cleo is let in, and reads what is said from now on.').waitFor();
  await line(here).getByText(/3 people, 3 devices, none compared/).waitFor();
  await look(here, 'readers-let-in');
  await write(here, 'welcome, by Ana');
  await write(there, 'welcome, by Bo');
  for (const name of ['Ana', 'Bo']) await message(cleo.page, `welcome, by ${name}`).waitFor();
  await line(there).getByText(/3 people, 3 devices, none compared/).waitFor();
  assert.equal(await cleo.page.getByText(/between us|who is that/).count(), 0);
  await write(cleo.page, 'hello');
  for (const page of [here, there]) await message(page, 'hello').waitFor();
});

test('who is added in the page is let in by that, by everybody; a device that is not confirmed adds nobody', async () => {
  const { ana, here, there, path } = await two();
  for (const [page, other] of [[here, there], [there, here]]) {
    await write(page, 'two of us');
    await message(other, 'two of us').first().waitFor();
  }
  const cleo = await keyed('Cleo');
  const unconfirmed = await (await another(ana)).window(path);
  await unconfirmed.getByText('This device is not confirmed yet. It cannot read or write here.').waitFor();
  await chooseToAdd(unconfirmed, [cleo]);
  await unconfirmed.getByRole('dialog').getByText('This device is not confirmed yet, so nobody would believe what it sends.').waitFor();
  await axe(unconfirmed, 'adding people by a device that is not confirmed');
  await addPeople(here, [cleo]);
  for (const page of [here, there]) await line(page).getByText(/3 people, 3 devices, none compared/).waitFor();
  await cleo.page.goto(path);
  await ready(cleo.page);
  await write(there, 'all of us');
  await message(cleo.page, 'all of us').waitFor();
});

test('whom the server adds while a session is made is not let in by whoever makes it', async () => {
  const [ana, bo, ghost] = [await keyed('Ana'), await keyed('Bo'), await keyed('Ghost')];
  const { id } = await room(ana, 'Workshop', [bo, ghost]);
  const here = ana.page;
  await here.goto(`/app/r/${id}`);
  await field(here).waitFor();
  await here.route(`**/api/v1/rooms/${id}/sessions`, (route) => {
    if (route.request().method() !== 'POST') return route.continue();
    const asked = route.request().postDataJSON();
    return route.continue({ postData: JSON.stringify({ ...asked, members: [...asked.members, ghost.id] }) });
  });
  await here.getByRole('button', { name: 'New session' }).click();
  await here.getByLabel('What is it about?').fill('Rent');
  await here.getByRole('checkbox', { name: /Bo/ }).check();
  await here.getByRole('switch', { name: 'End-to-end encrypted' }).check();
  await here.getByRole('button', { name: 'Open the session' }).click();
  await line(here).getByText(/3 people, 2 devices, 1 not let in/).waitFor();
});

/** Ana, whose readers are shown, and Bo compare emoji; `looked` is called with what is on the screens at each step. */
async function compare(here, there, looked = async () => {}) {
  await readers(here).getByRole('button', { name: /^Compare with/ }).click();
  await here.getByText(/Waiting for Bo/).waitFor();
  await there.getByText('Ana wants to compare emoji').waitFor();
  await looked('asked');
  await there.locator('.asked').getByRole('button', { name: 'Compare' }).click();
  const seven = async (page) => {
    await page.locator('.emoji-seven li').nth(6).waitFor();
    return page.locator('.emoji-seven').innerText();
  };
  assert.equal(await seven(here), await seven(there));
  await looked('compare');
  await here.getByRole('button', { name: 'They are the same' }).click();
  await there.getByRole('button', { name: 'They are the same' }).click();
  await here.getByText(/You and Bo see the same/).waitFor();
  await there.getByText(/You and Ana see the same/).waitFor();
  await looked('compared');
  for (const page of [here, there]) await page.getByRole('button', { name: 'Done' }).click();
}

test('two people compare emoji, and are told apart from strangers', async () => {
  const { here, there } = await two();
  await line(here).getByRole('button').click();
  await compare(here, there, async (step) => {
    const page = step === 'asked' ? there : here;
    await (step === 'compare' ? axeEverywhere(page, 'comparing emoji') : axe(page, `comparing: ${step}`));
    await look(page, step);
  });
  await readers(here).getByText('Compared', { exact: true }).waitFor();
  await line(there).getByText(/all compared/).waitFor();
});

const code = (page) => page.locator('.code-text');

/** Both show a code, and one of them takes the other's, entered as it is copied. */
async function passCode(shows, takes, { label, asks, looked = async () => {} }) {
  for (const page of [shows, takes]) await code(page).waitFor();
  await looked('code');
  await takes.getByLabel(label).fill(await code(shows).innerText());
  await takes.getByLabel(label).press('Enter');
  await takes.getByText(/The code fits\./).waitFor();
  await shows.getByText(asks).waitFor();
  await looked('taken');
  await shows.getByRole('button', { name: 'It fits' }).click();
}

test('two people who cannot compare emoji pass a code instead', async () => {
  const { ana, here, there } = await two();
  await line(here).getByRole('button').click();
  await readers(here).getByRole('button', { name: /^Compare with/ }).click();
  await there.locator('.asked').getByRole('button', { name: 'Compare' }).click();
  for (const page of [here, there]) await page.locator('.emoji-seven li').nth(6).waitFor();
  // Bo wants it, by the keyboard; Ana's dialog goes along.
  await there.getByRole('button', { name: 'Use a code instead' }).press('Enter');
  for (const page of [here, there]) {
    await page.getByRole('dialog', { name: 'Use a code' }).waitFor();
    await code(page).waitFor();
    assert.match(await page.evaluate(() => document.activeElement.textContent), /^Give this code to/, 'the focus is at its beginning');
  }
  await here.keyboard.press('Tab');
  await ana.context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await here.keyboard.press('Enter');
  await here.getByRole('button', { name: 'Copied' }).waitFor();
  assert.equal(await here.evaluate(() => navigator.clipboard.readText()), await code(here).innerText());

  const entry = there.getByLabel('The code that Ana gives you');
  const box = () => there.getByRole('dialog').boundingBox();
  const before = await box();
  for (const [text, why] of [
    ['not a code', 'That is no code, or a part of it is missing. Copy all of it.'],
    [await code(there).innerText(), 'That is the code of this device. Enter the one of the other.'],
    [(await code(here).innerText()).slice(0, -3), 'That is no code, or a part of it is missing. Copy all of it.'],
  ]) {
    await entry.fill(text);
    await there.getByRole('button', { name: 'Check the code' }).click();
    await there.getByText(why).waitFor();
    assert.deepEqual(await box(), before, 'nothing moves');
    assert.equal(await entry.evaluate((field) => field === document.activeElement && field.getAttribute('aria-invalid')), 'true');
  }
  await axeEverywhere(there, 'a code that is refused');
  await look(there, 'code-refused');
  await passCode(here, there, {
    label: 'The code that Ana gives you', asks: /^Bo has entered the code\. Ask them/,
    looked: async (step) => {
      await axeEverywhere(here, `passing a code, where it is shown: ${step}`);
      await look(here, `${step}-shows`);
      if (step === 'taken') await axeEverywhere(there, 'passing a code, where it fits');
      await look(there, `${step}-takes`);
    },
  });
  await here.getByText(/You and Bo see the same/).waitFor();
  await there.getByText(/You and Ana see the same/).waitFor();
  await axe(here, 'a code that was passed');
  for (const page of [here, there]) await page.getByRole('button', { name: 'Done' }).click();
  await readers(here).getByText('Compared', { exact: true }).waitFor();
  await line(there).getByText(/all compared/).waitFor();
});

test('where compared people only read, others get no key until they compare', async () => {
  const [ana, bo] = [await keyed('Ana'), await keyed('Bo')];
  const { id } = await room(ana, 'Vault', [bo]);
  const [here, there] = [ana.page, bo.page];
  await here.goto(`/app/r/${id}`);
  await field(here).waitFor();
  await here.getByRole('button', { name: 'New session' }).click();
  await here.getByLabel('What is it about?').fill('Codes');
  await here.getByRole('checkbox', { name: /Bo/ }).check();
  await here.getByRole('switch', { name: 'End-to-end encrypted' }).check();
  await here.getByRole('switch', { name: 'Only people one has compared emoji with' }).check();
  await axe(here, 'the dialog of a session for compared people');
  await look(here, 'new-session-compared');
  await here.getByRole('button', { name: 'Open the session' }).click();
  await line(here).getByText('Only people whom you have compared emoji with can read this.').waitFor();
  await line(here).getByText(/none compared, 1 cannot read yet/).waitFor();
  await there.goto(`/app/r/${id}`);
  await tab(there, 'Codes').click();
  await write(here, 'Not for everybody yet.');
  await line(here).getByRole('button').click();
  await readers(here).getByText('They get no key here until you have compared emoji with them.').waitFor();
  await axeEverywhere(here, 'who can read a session for compared people');
  await look(here, 'readers-compared');
  await compare(here, there);
  await line(here).getByText(/2 people, 2 devices, all compared/).waitFor();
  await write(here, 'The code is 81c2.');
  await message(there, 'The code is 81c2.').waitFor();
  assert.equal(await message(there, 'Not for everybody yet.').count(), 0);
});

test('a new device is confirmed by the recovery key, and opens what was said before', async () => {
  const { bo, here, there, path } = await two();
  await write(here, 'from long ago');
  await message(there, 'from long ago').waitFor();
  await there.goto('/app/settings/encryption');
  await there.getByRole('button', { name: 'Make a recovery key' }).waitFor();
  await axeEverywhere(there, 'the settings of encryption');
  await look(there, 'settings');
  await there.getByRole('button', { name: 'Make a recovery key' }).click();
  await axe(there, 'making a recovery key');
  await there.getByRole('dialog').getByRole('button', { name: 'Make a recovery key' }).click();
  await there.locator('.recovery-key').waitFor();
  await axe(there, 'the recovery key');
  await look(there, 'recovery-key');
  const key = (await there.locator('.recovery-key').innerText()).replace(/\s+/g, ' ').trim();
  await there.getByRole('button', { name: 'I have kept it' }).click();
  await there.getByText(/^On\. The keys of your messages are backed up/).waitFor();

  const second = await another(bo);
  const page = await second.window(path);
  await page.getByText('This device is not confirmed yet. It cannot read or write here.').waitFor();
  await page.getByText(/^Sent before this device was signed in/).waitFor();
  await axeEverywhere(page, 'a device that is not confirmed');
  await look(page, 'unconfirmed');
  await page.getByRole('button', { name: 'Confirm this device' }).click();
  await page.getByText('Not confirmed.').waitFor();
  await axe(page, 'the settings of a device that is not confirmed');
  await look(page, 'settings-unconfirmed');
  await page.getByRole('button', { name: 'Use the recovery key' }).first().click();
  await page.getByLabel('Recovery key or passphrase').fill('not the key');
  await page.getByRole('dialog').getByRole('button', { name: 'Confirm this device' }).click();
  await page.getByText('That is not the recovery key of this account.').waitFor();
  await axe(page, 'a wrong recovery key');
  await page.getByLabel('Recovery key or passphrase').fill(key);
  await page.getByRole('dialog').getByRole('button', { name: 'Confirm this device' }).click();
  await page.getByText('Confirmed with your keys.').waitFor();
  await page.goto(path);
  await ready(page);
  await message(page, 'from long ago').waitFor();
  await line(here).getByText(/2 people, 3 devices/).waitFor();
  await write(here, 'to all three');
  await message(page, 'to all three').waitFor();
  await write(page, 'from the new one');
  await message(here, 'from the new one').waitFor();
});

/** The first of two devices of one person is confirmed by the other: it reads what is written from now on. */
async function confirmed(both, { here, path }) {
  for (const one of both) await one.getByText('Both of your devices see the same.').waitFor();
  for (const one of both) await one.getByRole('button', { name: 'Done' }).click();
  await both[0].getByText('Confirmed with your keys.').waitFor();
  await both[0].goto(path);
  await ready(both[0]);
  await write(here, 'to both of yours');
  await message(both[0], 'to both of yours').waitFor();
}

test('a new device is confirmed by comparing with another one of one’s own', async () => {
  const { bo, here, path } = await two();
  const second = await another(bo);
  const page = await second.window('/app/settings/encryption');
  await page.getByRole('button', { name: 'Confirm with another device' }).click();
  await page.getByText('Waiting for your other device.').waitFor();
  const there = bo.page;
  await there.locator('.asked').getByText('Another device of yours wants to be confirmed').waitFor();
  await there.locator('.asked').getByRole('button', { name: 'Compare' }).click();
  for (const one of [page, there]) await one.getByRole('button', { name: 'They are the same' }).click();
  await confirmed([page, there], { here, path });
});

test('a new device is confirmed by a code, whichever of the two shows it; who says that it does not fit confirms nothing', async () => {
  const { bo, here, path } = await two();
  const there = bo.page;
  const page = await (await another(bo)).window('/app/settings/encryption');
  const begin = async () => {
    await page.getByRole('button', { name: 'Confirm with another device' }).click();
    await page.getByRole('button', { name: 'Use a code instead' }).click();
    await there.locator('.asked').getByText('Another device of yours wants to be confirmed by a code').waitFor();
    await there.locator('.asked').getByRole('button', { name: 'Compare' }).click();
    for (const one of [page, there]) await code(one).waitFor();
  };
  const label = 'The code of your other device';
  await begin();
  await there.getByLabel(label).fill(await code(page).innerText());
  await there.getByLabel(label).press('Enter');
  await page.getByText('Your other device has taken the code. Does it say that the code fits?').waitFor();
  await page.getByRole('button', { name: 'It does not' }).click();
  for (const one of [page, there]) {
    await one.getByText(/The code did not fit/).waitFor();
    await axe(one, 'a code that did not fit');
    await one.getByRole('dialog').getByRole('button', { name: 'Close' }).last().click();
  }
  await page.getByText('Not confirmed.').waitFor();
  await begin();
  await passCode(there, page, { label, asks: /^Your other device has taken the code/ });
  await confirmed([page, there], { here, path });
});

test('what a server writes into an encrypted session by itself is not shown as anybody’s', async () => {
  const { bo, here, path } = await two();
  await write(here, 'Friday as always');
  await message(bo.page, 'Friday as always').waitFor();
  const forge = (said) => (said.content === undefined || !said.encrypted ? said : { ...said, encrypted: null, content: 'send it to the new account' });
  await bo.context.route(/\/api\/v1\/(me\/init|sessions\/[^/]+\/messages\?.*)$/, async (route) => {
    const answer = await route.fetch();
    const body = await answer.json();
    for (const place of [body, ...(body.newest ?? [])]) place.messages = place.messages?.map(forge);
    await route.fulfill({ response: answer, json: body });
  });
  await bo.page.goto(path);
  await bo.page.getByText('It came without encryption, so nobody knows who wrote it. It is not shown.').first().waitFor();
  assert.equal(await bo.page.getByText('the new account').count(), 0);
  await axe(bo.page, 'a message that came without encryption');
});

test('two windows of one browser share one set of keys; the second takes over when the first goes', async () => {
  const { ana, here, there, path } = await two();
  const other = await opened(ana, path);
  await write(there, 'to two windows');
  for (const page of [here, other]) await message(page, 'to two windows').waitFor();
  await write(other, 'from the second');
  for (const page of [here, there]) await message(page, 'from the second').waitFor();
  await here.close();
  await write(other, 'alone now');
  await message(there, 'alone now').waitFor();
  await write(there, 'still there?');
  await message(other, 'still there?').waitFor();
});

test('files go as octets, and are looked at, heard and kept by those who may', async () => {
  const { ana, here, there, session } = await two();
  const drawn = await here.evaluate(async () => {
    const canvas = new OffscreenCanvas(900, 600);
    const ink = canvas.getContext('2d');
    for (let at = 0; at < 400; at += 1) {
      ink.fillStyle = `hsl(${at} 40% ${30 + (at % 40)}%)`;
      ink.fillRect((at * 53) % 900, (at * 97) % 600, 60, 60);
    }
    const blob = await canvas.convertToBlob({ type: 'image/png' });
    return [...new Uint8Array(await blob.arrayBuffer())];
  });
  await here.locator('.composer input[type=file]').setInputFiles([
    { name: 'wall.png', mimeType: 'image/png', buffer: Buffer.from(drawn) },
    { name: 'secret plans.txt', mimeType: 'text/plain', buffer: Buffer.from('canary in a file 4412') },
    { name: 'bell.wav', mimeType: 'audio/wav', buffer: wave() },
  ]);
  await until('they are sent', async () => (await here.locator('.tray-done').count()) === 3, PATIENCE_MS);
  await write(here, 'Look');
  const picture = message(there, 'Look').locator('img');
  await picture.waitFor();
  await until('it is drawn', () => picture.evaluate((image) => image.complete && image.naturalWidth > 0));
  await axe(there, 'sealed files');
  await look(there, 'files');
  await there.getByRole('button', { name: 'Look at wall.png' }).click();
  await until('it is drawn large', () => there.locator('.lightbox-picture').evaluate((image) => image.naturalWidth === 900));
  await axe(there, 'a sealed picture, large');
  await there.getByRole('button', { name: 'Close' }).click();
  const coming = there.waitForEvent('download');
  await there.getByRole('button', { name: /secret plans\.txt/ }).click();
  const kept = await coming;
  assert.equal(kept.suggestedFilename(), 'secret plans.txt');
  assert.equal((await (await kept.createReadStream()).toArray()).join(''), 'canary in a file 4412');
  await there.getByRole('button', { name: 'Play bell.wav' }).click();
  const sound = message(there, 'Look').locator('audio');
  await until('it plays', () => sound.evaluate((one) => one.currentTime > 0.2));
  await axe(there, 'a sealed sound that plays');
  const { messages } = await ana.call('GET', `/sessions/${session}/messages`);
  assert.equal(/wall|plans|bell|image\//.test(JSON.stringify(messages)), false);
});

test('writing to somebody alone is sealed from the start; drafts stay here, and search is done here', async () => {
  const [ana, bo] = [await keyed('Ana'), await keyed('Bo')];
  const here = ana.page;
  await here.getByRole('button', { name: 'Write to somebody', exact: true }).click();
  await here.getByRole('searchbox', { name: 'Find people by name' }).fill(bo.username);
  await here.getByRole('checkbox', { name: new RegExp(bo.username) }).check();
  await axe(here, 'writing to somebody');
  await here.getByRole('button', { name: 'Start' }).click();
  await ready(here);
  await write(here, 'The needle is in the blue drawer');
  await message(here, 'blue drawer').waitFor();
  await field(here).fill('not yet said, canary 77');
  await here.waitForTimeout(2_500);
  const { drafts } = await ana.call('GET', '/me/init');
  assert.equal(JSON.stringify(drafts).includes('canary'), false);
  await field(here).fill('');
  await here.goto('/app/search?q=needle');
  const found = here.getByRole('region', { name: 'In encrypted sessions' });
  await found.getByRole('link', { name: /blue drawer/ }).waitFor();
  await found.getByText(/The server cannot search them/).waitFor();
  await axeEverywhere(here, 'a search in encrypted sessions');
  await look(here, 'search');
  await found.getByRole('link', { name: /blue drawer/ }).click();
  await message(here, 'blue drawer').waitFor();
});

test('somebody with other keys than before is written to only after one decided', async () => {
  const { bo, here, there, path } = await two();
  await write(here, 'hello');
  await message(there, 'hello').waitFor();
  const second = await another(bo);
  const page = await second.window('/app/settings/encryption');
  await page.getByRole('button', { name: 'Begin anew' }).click();
  await page.getByRole('textbox', { name: 'Password' }).fill(PASSWORD);
  await page.getByRole('dialog').getByRole('button', { name: 'Begin anew' }).click();
  await page.getByText('Confirmed with your keys.').waitFor();
  await line(here).getByText(/The keys of Bo changed/).waitFor();
  await axeEverywhere(here, 'keys that changed');
  await look(here, 'changed');
  await write(here, 'who are you?');
  await here.getByText(/Not sent/).first().waitFor();
  await line(here).getByRole('button', { name: 'Look' }).click();
  await readers(here).getByText('Keys changed').waitFor();
  await look(here, 'readers-changed');
  await readers(here).getByRole('button', { name: 'Go on with the new keys' }).click();
  await here.getByRole('dialog').getByRole('button', { name: 'Go on with the new keys' }).click();
  await ready(here);
  await here.getByRole('button', { name: 'Retry' }).click();
  await page.goto(path);
  await message(page, 'who are you?').waitFor();
});

test('signing out warns when the keys would be lost, and removes them', async () => {
  const { here, there } = await two();
  await write(here, 'hello');
  await message(there, 'hello').waitFor();
  await here.goto('/app/settings/profile');
  await here.getByRole('button', { name: 'Sign out' }).click();
  await here.getByText('Sign out without a recovery key?').waitFor();
  await axe(here, 'signing out without a recovery key');
  await look(here, 'sign-out');
  await here.getByRole('dialog').getByRole('button', { name: 'Sign out' }).click();
  await here.getByRole('heading', { name: 'Sign in' }).waitFor();
  const left = await here.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name).filter((name) => name.startsWith('parlor-e2ee')));
  assert.deepEqual(left, []);
});

