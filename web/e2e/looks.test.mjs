// How it looks, for the documentation: with PARLOR_SCREENSHOTS=1 the pictures are written.
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { assert, axe, field, message, person, room, say, until, upload } from './harness.mjs';

const FOLDER = fileURLToPath(new URL('../../docs/images/', import.meta.url));
const DRAWN = process.env.PARLOR_SCREENSHOTS === '1';

/** Three covers on a wall, drawn in a page. */
async function covers(who) {
  const page = await who.context.newPage();
  await page.goto('/app/login');
  const url = await page.evaluate(() => {
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [1200, 720];
    const ink = canvas.getContext('2d');
    const fill = (colour, x, y, width, height) => { ink.fillStyle = colour; ink.fillRect(x, y, width, height); };
    const disc = (colour, x, y, radius, from = 0) => { ink.fillStyle = colour; ink.beginPath(); ink.arc(x, y, radius, from, 2 * Math.PI); ink.fill(); };
    fill('#e9e2d5', 0, 0, 1200, 720);
    fill('#d8cfbf', 0, 600, 1200, 120);
    for (const [at, ground] of ['#17695a', '#2b2620', '#e0733f'].entries()) {
      const x = 130 + at * 330;
      fill('rgb(60 48 30 / 18%)', x + 10, 132, 270, 408);
      fill(ground, x, 120, 270, 408);
    }
    disc('#faf8f4', 265, 380, 96, Math.PI);
    fill('#faf8f4', 169, 380, 192, 90);
    disc('#e0733f', 265, 470, 54, Math.PI);
    for (let line = 0; line < 7; line += 1) fill(line === 3 ? '#e0733f' : '#cfc7bb', 500, 200 + line * 38, 170 - line * 14, 10);
    disc('#faf8f4', 925, 260, 62);
    for (let wave = 0; wave < 4; wave += 1) fill('#b8451a', 790, 380 + wave * 36, 270, 14);
    return canvas.toDataURL('image/png');
  });
  await page.close();
  return upload(who, 'covers.png', Buffer.from(url.split(',')[1], 'base64'));
}

async function workshop() {
  const names = ['Ana Ribeiro', 'Bo Lindqvist', 'Cleo Adeyemi', 'Dev Patel', 'Emi Sato'];
  const people = [];
  for (const name of names) people.push(await person(name.split(' ')[0], { plain: DRAWN }));
  for (const [at, who] of people.entries()) await who.call('PATCH', '/me', { name: names[at] });
  const [ana, bo, cleo, dev, emi] = people;
  const press = await room(ana, 'Print workshop', [bo, cleo, dev, emi], { kind: 'unlisted', description: 'The press, the paper, the autumn book' });
  const garden = await room(bo, 'Garden', [ana, cleo], { kind: 'unlisted', description: 'What grows, and who waters it' });
  await room(ana, 'Ledger', [bo], { description: 'Bills and the rent' });
  const two = await ana.call('POST', '/rooms', { name: '', kind: 'direct', members: [cleo.id] });
  const cover = await ana.call('POST', `/rooms/${press.id}/sessions`, { name: 'Cover', members: [bo.id, cleo.id] });
  await ana.call('POST', `/rooms/${press.id}/sessions`, { name: 'Saturday’s print run', members: [bo.id, dev.id, emi.id] });
  const react = (who, message, emoji) => who.call('PUT', `/messages/${message.id}/reactions/${encodeURIComponent(emoji)}`);
  const main = press.main_session_id;
  await say(bo, main, 'The new rollers came in. They are softer than the old ones, so the **first twenty sheets** will print heavy.');
  await say(bo, main, 'I put them on the left press.');
  const proofs = await say(cleo, main, 'Proofs for chapters 3 to 5 are on the shelf by the window. Two things to look at:\n\n1. the running heads, which sit a hair too low\n2. the drop capital on page 61');
  await say(ana, main, 'Read all three last night. The running heads are fine once the page is trimmed.', { reply_to: proofs.id });
  await say(dev, main, 'Here is the script I use for the page order:\n\n```python\ndef imposition(pages):\n    while pages:\n        yield pages.pop(), pages.pop(0)\n```');
  const wall = await say(cleo, main, 'Three covers on the wall. Which one do you see first from the door?', { files: [await covers(cleo)] });
  for (const [who, emoji] of [[bo, '🎉'], [ana, '🎉'], [dev, '🎉'], [emi, '👀'], [dev, '👀']]) await react(who, wall, emoji);
  await say(emi, main, `@${ana.username} could you bring the grey ink from home? https://example.org/inks has none until Monday.`);
  await say(ana, main, 'Yes, both tins.');
  for (const [who, text] of [[dev, 'The dark one, from the door.'], [emi, 'The one with the waves.'], [bo, 'The dark one.']]) await say(who, main, text, { thread_id: wall.id });
  for (const text of ['Three covers on the wall now. Which one do you see first from the door?', 'Take your time.']) await say(cleo, cover.id, text);
  await say(cleo, garden.main_session_id, `The beans need somebody, @${ana.username}`);
  await say(cleo, two.main_session_id, 'Are you coming on Thursday?');
  await ana.call('PUT', `/sessions/${main}/read`, { number: 8 });
  return { ana, bo, cleo, press };
}

test('a room in light, in dark, and on a phone', async () => {
  const { ana, bo, cleo, press } = await workshop();
  // Two others are here and have read.
  for (const who of [bo, cleo]) await field(await who.window(`/app/r/${press.id}`)).waitFor();
  for (const [name, scheme, width, height] of [['light', 'light', 1280, 820], ['dark', 'dark', 1280, 820], ['phone', 'light', 390, 844]]) {
    const page = await ana.window(`/app/r/${press.id}`);
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme: scheme });
    await message(page, 'both tins').waitFor();
    await until('the others are seen to have read', async () => (await page.getByRole('img', { name: /Read by/ }).count()) === 1);
    await axe(page, `the room, ${name}`);
    const style = await page.evaluate(() => getComputedStyle(document.body).fontFamily);
    assert.match(style, /Figtree/);
    await page.evaluate(() => document.fonts.ready);
    if (DRAWN) {
      mkdirSync(FOLDER, { recursive: true });
      await page.waitForTimeout(300);
      await page.screenshot({ path: `${FOLDER}${name}.png` });
    }
    await page.close();
  }
});
