// Whatever is written, nothing of it runs: each vector is a real message, drawn by a real browser.
import { test } from 'node:test';
import { assert, call, message, person, read, room, say, until } from './harness.mjs';
import { vectors } from './xss/vectors.mjs';

/** What a message may be made of, as it stands in the page. */
const TAGS = [
  'a', 'article', 'bdi', 'blockquote', 'br', 'button', 'code', 'div', 'em', 'figcaption', 'figure', 'hr', 'li', 'ol', 'p', 'path', 'pre', 's', 'span', 'strong',
  'svg', 'table', 'tbody', 'td', 'th', 'thead', 'time', 'tr', 'ul',
];

/** Runs in the page before anything of it does: notes what the policy had to stop. */
function watch() {
  window.reports = [];
  document.addEventListener('securitypolicyviolation', (event) => window.reports.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
}

/** Runs in the page: what is wrong with what it shows of the messages now. */
function inspect(tags) {
  const wrong = [];
  const rows = [...document.querySelectorAll('[role=feed] article[data-number]')];
  for (const row of rows) {
    for (const element of [row, ...row.querySelectorAll('*')]) {
      const name = element.localName;
      if (!tags.includes(name)) wrong.push(`${row.dataset.number}: <${name}>`);
      for (const { name: attribute, value } of element.attributes) {
        if (/^on|^style$|^src|^action|^formaction|^xlink/i.test(attribute)) wrong.push(`${row.dataset.number}: ${attribute}=${value}`);
        if (attribute === 'id' || attribute === 'name') wrong.push(`${row.dataset.number}: ${attribute}=${value}`);
      }
      if (name === 'a' && !['http:', 'https:', 'mailto:'].includes(new URL(element.href).protocol)) wrong.push(`${row.dataset.number}: leads to ${element.href}`);
      if (name === 'a' && element.rel !== 'noopener noreferrer nofollow') wrong.push(`${row.dataset.number}: rel=${element.rel}`);
    }
  }
  return { wrong, numbers: rows.map((row) => Number(row.dataset.number)) };
}

async function watched(who, path) {
  const page = await who.context.newPage();
  const strangers = [];
  page.on('dialog', (dialog) => { strangers.push(dialog.message()); void dialog.dismiss(); });
  page.on('request', (request) => { if (!/^(?:data:|blob:)/.test(request.url()) && new URL(request.url()).port !== new URL(page.url() === 'about:blank' ? request.url() : page.url()).port) strangers.push(request.url()); });
  await page.addInitScript(watch);
  await page.goto(path);
  return { page, strangers };
}

async function untouched(page, strangers, scripts) {
  const state = await page.evaluate(() => ({ hit: window.hit ?? null, reports: window.reports, scripts: document.scripts.length, frames: frames.length }));
  assert.deepEqual(state, { hit: null, reports: [], scripts, frames: 0 });
  assert.deepEqual(strangers, [], 'the page asked elsewhere, or a dialog opened');
}

test(`${vectors.length} vectors are drawn as words`, async () => {
  assert.ok(vectors.length >= 300);
  const ana = await person('Ana');
  const bo = await person('Bo');
  const { id, main_session_id: session } = await room(ana, 'Mail room', [bo]);
  const { page, strangers } = await watched(ana, `/app/r/${id}`);
  await page.locator('#composer').waitFor();
  const scripts = await page.evaluate(() => document.scripts.length);
  const kinds = new Map();
  const refused = [];
  for (const { kind, source } of vectors) {
    const answer = await bo.context.request.post(`/api/v1/sessions/${session}/messages`, {
      headers: { Origin: new URL(page.url()).origin }, data: { client_id: crypto.randomUUID(), content: source },
    });
    if (answer.ok()) kinds.set((await answer.json()).number, kind);
    else refused.push(source);
  }
  assert.ok(kinds.size >= 300, `only ${kinds.size} were stored; refused: ${refused.join('  ')}`);
  await page.locator(`article[data-number="${kinds.size}"]`).waitFor();

  const seen = new Set();
  const wrong = new Set();
  for (let round = 0; round < 2_000 && !seen.has(1); round += 1) {
    const found = await page.evaluate(inspect, TAGS);
    found.numbers.forEach((number) => seen.add(number));
    found.wrong.forEach((what) => wrong.add(what));
    await page.locator('[role=feed]').evaluate((box) => { box.scrollTop -= 400; });
    await page.waitForTimeout(20);
  }
  assert.deepEqual([...wrong], []);
  assert.equal(seen.size, kinds.size, 'not every message was looked at');
  await untouched(page, strangers, scripts);

  // The inspection itself sees what it is there for.
  await page.evaluate(() => {
    const planted = document.createElement('marquee');
    planted.setAttribute('action', 'x');
    document.querySelector('[role=feed] article[data-number]').append(planted);
  });
  assert.equal((await page.evaluate(inspect, TAGS)).wrong.length, 2);
});

test('names, descriptions and quotes are words, too', async () => {
  const ana = await person('Ana');
  const bo = await person('Bo');
  const evil = '<img src=x onerror=window.hit=1>';
  const { id, main_session_id: session } = await room(ana, evil, [bo], { description: `<script>window.hit=1</script>` });
  await call(bo.context, 'PATCH', '/me', { name: '<svg onload=window.hit=1>', status: '"><script>window.hit=1</script>' });
  await ana.call('POST', `/rooms/${id}/sessions`, { name: evil, members: [bo.id] });
  const first = await say(bo, session, evil);
  await bo.call('PATCH', `/messages/${first.id}`, { content: `${evil} again` });
  await ana.call('POST', `/sessions/${session}/messages`, { client_id: crypto.randomUUID(), content: 'answered', reply_to: first.id });
  await read(ana, session, 2);
  const { page, strangers } = await watched(ana, `/app/r/${id}`);
  await message(page, 'answered').waitFor();
  const scripts = await page.evaluate(() => document.scripts.length);
  await page.getByRole('button', { name: /^People/ }).click();
  await page.getByText('<svg onload=window.hit=1>').first().waitFor();
  await page.getByRole('button', { name: 'Show earlier wordings' }).click();
  await page.getByRole('dialog').getByText(evil).first().waitFor();
  assert.equal(await page.locator('img, iframe, object, embed, svg[onload]').count(), 0);
  await untouched(page, strangers, scripts);
  await until('the title is words', async () => (await page.title()).includes(evil));
});
