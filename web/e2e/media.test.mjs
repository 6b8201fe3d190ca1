// Sounds in their place; pictures of people and of links, as a server tells them that has both.
import { test } from 'node:test';
import { assert, axeEverywhere, field, gone, message, person, room, say, until, upload, wave } from './harness.mjs';

test('a sound is played in its place, and what cannot be played is still kept', async () => {
  const ana = await person('Ana');
  const { id, main_session_id: session } = await room(ana, 'Studio');
  await say(ana, session, 'the bell', { files: [await upload(ana, 'bell.wav', wave())] });
  const page = await ana.window(`/app/r/${id}`);
  const row = message(page, 'the bell');
  await row.getByRole('button', { name: 'Play bell.wav' }).waitFor();
  await axeEverywhere(page, 'a sound');
  await row.getByRole('button', { name: 'Play bell.wav' }).click();
  const sound = row.locator('audio');
  await until('it plays', () => sound.evaluate((one) => one.currentTime > 0.2));
  await until('it has the focus', () => sound.evaluate((one) => one === document.activeElement));
  await axeEverywhere(page, 'a sound that plays');
  const [kept] = await Promise.all([page.waitForEvent('download'), row.getByRole('button', { name: 'Download: bell.wav' }).click()]);
  assert.equal(kept.suggestedFilename(), 'bell.wav');

  await page.route('**/media/**', (route) => route.fulfill({ status: 404, body: '' }));
  await page.reload();
  await row.getByRole('button', { name: 'Play bell.wav' }).click();
  await page.getByText('This browser cannot play it.').waitFor();
  await row.getByRole('button', { name: 'Play bell.wav' }).waitFor();
});

const DOT = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M/wHwAEBgIApD5fRAAAAABJRU5ErkJggg==', 'base64');

/** The answers of this server, with the picture of a person in them. */
async function withPicture(context, held) {
  await context.route(/\/api\/v1\/me(?:\/init)?$/, async (route) => {
    if (route.request().method() !== 'GET') return route.fallback();
    const answer = await route.fetch();
    const body = await answer.json();
    Object.assign((body.me ?? body).user, { picture_id: held.id });
    return route.fulfill({ response: answer, json: body });
  });
  await context.route('**/api/v1/me/picture', (route) => {
    held.told.push([route.request().method(), route.request().headers()['content-type']]);
    if (held.refuse) return route.fulfill({ status: 422, json: { error: { code: 'invalid', message: 'the picture is damaged', request_id: '' } } });
    held.id = route.request().method() === 'PUT' ? 'aaaaaaaa-0000-7000-8000-000000000001' : null;
    return route.fulfill({ status: 204 });
  });
  await context.route('**/media/aaaaaaaa-*/**', (route) => (held.broken ? route.fulfill({ status: 404 }) : route.fulfill({ contentType: 'image/png', body: DOT })));
}

test('one\'s own picture is chosen, seen, refused, and taken away', async () => {
  const ana = await person('Ana');
  const held = { id: null, told: [], refuse: false, broken: false };
  await withPicture(ana.context, held);
  const page = await ana.window('/app/settings/profile');
  const choose = (name, buffer) => page.locator('.my-picture input[type=file]').setInputFiles({ name, mimeType: 'image/png', buffer });
  await page.getByRole('button', { name: 'Choose a picture' }).waitFor();
  await axeEverywhere(page, 'no picture yet');
  await choose('large.png', Buffer.alloc(5 * 1024 * 1024 + 1));
  await page.getByText('That picture is larger than 5 MB.').waitFor();
  held.refuse = true;
  await choose('bad.png', DOT);
  await page.getByText('The picture is damaged.').waitFor();
  await axeEverywhere(page, 'a picture that was refused');
  held.refuse = false;
  await choose('me.png', DOT);
  await page.getByRole('button', { name: 'Change the picture' }).waitFor();
  const faces = page.locator('.avatar-picture');
  await until('it is in the rail and on the page', async () => (await faces.count()) === 2);
  await axeEverywhere(page, 'a picture');
  await page.getByRole('button', { name: 'Remove it' }).click();
  await page.getByRole('button', { name: 'Choose a picture' }).waitFor();
  await gone(faces.first());
  assert.deepEqual(held.told, [['PUT', 'image/png'], ['PUT', 'image/png'], ['DELETE', 'application/json']]);

  await choose('me.png', DOT);
  await faces.first().waitFor();
  held.broken = true;
  await page.reload();
  await page.getByRole('button', { name: 'Change the picture' }).waitFor();
  await until('the initials are back', async () => (await faces.count()) === 0);
});

test('a server without pictures of people asks for none', async () => {
  const ana = await person('Ana');
  await ana.context.route(/\/api\/v1\/me\/init$/, async (route) => {
    const answer = await route.fetch();
    const body = await answer.json();
    delete body.me.user.picture_id;
    return route.fulfill({ response: answer, json: body });
  });
  const page = await ana.window('/app/settings/profile');
  await page.getByLabel('Status').waitFor();
  assert.equal(await page.getByRole('button', { name: /picture/ }).count(), 0);
});

const PREVIEWS = [
  { url: 'https://press.example/inks/grey', title: 'Grey ink, and how to mix it', description: 'Three recipes from the workshop, and what they look like when they are dry.', site: 'The Press', image_id: 'bbbbbbbb-0000-7000-8000-000000000001' },
  { url: 'https://xn--pple-43d.example/', title: 'Your bank', description: '', site: 'Your bank', image_id: null },
  { url: 'javascript:window.hit=1', title: 'never', description: '', site: '', image_id: null },
];

test('links of a message have a quiet card, which says where it leads', async () => {
  const ana = await person('Ana');
  const bo = await person('Bo');
  const { id, main_session_id: session } = await room(ana, 'Desk', [bo]);
  await say(bo, session, 'See https://press.example/inks/grey');
  await ana.context.route('**/api/v1/me/init', async (route) => {
    const answer = await route.fetch();
    const body = await answer.json();
    body.newest.flatMap(({ messages }) => messages).forEach((one) => Object.assign(one, { previews: PREVIEWS }));
    return route.fulfill({ response: answer, json: body });
  });
  await ana.context.route('**/media/bbbbbbbb-*/**', (route) => route.fulfill({ contentType: 'image/png', body: DOT }));
  const page = await ana.window(`/app/r/${id}`);
  await field(page).waitFor();
  const cards = message(page, 'press.example').getByRole('list', { name: 'What the links lead to' }).getByRole('link');
  await cards.first().waitFor();
  assert.deepEqual(await cards.evaluateAll((all) => all.map(({ href, rel }) => [href, rel])), [
    ['https://press.example/inks/grey', 'noopener noreferrer nofollow'], ['https://xn--pple-43d.example/', 'noopener noreferrer nofollow'],
  ]);
  await cards.nth(1).getByText('xn--pple-43d.example').waitFor();
  await until('its picture is there', () => cards.first().locator('img').evaluate((image) => image.naturalWidth > 0));
  await axeEverywhere(page, 'previews');
});
