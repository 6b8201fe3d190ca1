// What is written with stars and ticks, and what it looks like.
import { test } from 'node:test';
import { assert, axeEverywhere, person, read, room, say } from './harness.mjs';

async function reader(...sources) {
  const ana = await person('Ana');
  const bo = await person('Bo');
  const { id, main_session_id: session } = await room(ana, 'Desk', [bo]);
  for (const source of sources) await say(bo, session, source);
  await read(ana, session, sources.length);
  const page = await ana.window(`/app/r/${id}`);
  await page.locator(`article[data-number="${sources.length}"]`).waitFor();
  return { ana, bo, page, session };
}

const LETTER = [
  '# Saturday', 'We print **three** runs, *not* ~~two~~, @room. The `--dry` pass is ||skipped||.', '- [x] oil the rollers\n- [ ] cut the paper\n  1. grey\n  2. white',
  '| Chapter | Pages |\n|:--|--:|\n| The river | 41 |', '> Somebody said so. :tada:', 'See https://example.org/a_(b) and [bank.example](https://evil.example), not https://аpple.example.',
].join('\n\n');

test('a letter with everything in it', async () => {
  const { page } = await reader(LETTER);
  const md = page.locator('.md').first();
  assert.equal(await md.locator('.md-heading').textContent(), 'Saturday');
  assert.equal(await md.locator('td').last().textContent(), '41');
  assert.equal(await md.getByRole('img', { name: 'Not done' }).count(), 1);
  assert.equal(await md.locator('blockquote').textContent(), 'Somebody said so. 🎉');
  await md.getByText('(evil.example)').waitFor();
  await md.getByTitle('This address is written to look like another one.').waitFor();
  assert.doesNotMatch(await md.textContent(), /аpple/);
  await axeEverywhere(page, 'a letter with everything in it');
  const hidden = md.getByRole('button', { name: 'Hidden words. Show them' });
  await hidden.focus();
  await page.keyboard.press('Enter');
  await md.getByText('skipped').waitFor();
  assert.equal(await hidden.count(), 0);
});

test('a program has colours of the theme, can be copied, and keeps its text', async () => {
  const text = 'fn main() {\n    println!("<b>&amp;</b>"); // why\n}';
  const { page } = await reader(`\`\`\`rust\n${text}\n\`\`\``, '```nothing\nplain <b>\n```');
  const code = page.locator('.md-code').first();
  const word = code.locator('.ink-word').first();
  await word.waitFor();
  assert.equal(await code.locator('code').textContent(), text);
  assert.equal(await page.locator('.md-code').nth(1).locator('span').count(), 0);
  const colour = () => word.evaluate((element) => getComputedStyle(element).color);
  const light = await colour();
  await axeEverywhere(page, 'a program in colours');
  await page.emulateMedia({ colorScheme: 'dark' });
  assert.notEqual(await colour(), light);
  await page.emulateMedia({ colorScheme: 'light', forcedColors: 'active' });
  assert.equal(await colour(), await code.locator('pre').evaluate((element) => getComputedStyle(element).color));
  await page.emulateMedia({ forcedColors: 'none' });
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await code.hover();
  await code.getByRole('button', { name: 'Copy' }).click();
  await code.getByRole('button', { name: 'Copied' }).waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), text);
});

test('what is made to hold others up does not', async (run) => {
  const sources = {
    quotes: '>'.repeat(10_000), stars: '*'.repeat(10_000), brackets: '['.repeat(10_000), ticks: '`'.repeat(16_000), spans: '*a _b '.repeat(2_600),
    'growing ticks': Array.from({ length: 175 }, (_, n) => '`'.repeat(n + 1)).join(' '), links: '[a](https://b.example) '.repeat(690), word: 'x'.repeat(16_000),
    marks: `Z${'\u0301'.repeat(8_000)}`, overrides: `x${'\u202e'.repeat(5_000)}`, 'hidden letters': `x${'\u{e0041}'.repeat(4_000)}`, 'lists in lists': '- '.repeat(8_000),
    program: `\`\`\`js\n${'/*"`'.repeat(3_900)}\n\`\`\``,
  };
  const { bo, page, session } = await reader('first');
  await page.evaluate(() => {
    window.tasks = [];
    new PerformanceObserver((list) => list.getEntries().forEach((entry) => window.tasks.push(entry.duration))).observe({ type: 'longtask', buffered: true });
  });
  const told = [];
  const shown = new Map();
  for (const [at, [name, source]] of Object.entries(sources).entries()) {
    await page.evaluate(() => { window.tasks.length = 0; });
    await say(bo, session, source);
    await page.locator(`article[data-number="${at + 2}"]`).waitFor();
    const longest = await page.evaluate(() => new Promise((done) => setTimeout(() => done(Math.max(0, ...window.tasks)), 100)));
    shown.set(name, await page.locator(`article[data-number="${at + 2}"] .md`).textContent());
    told.push(`${name}: ${longest ? `${Math.round(longest)} ms` : 'under 50 ms'}`);
  }
  run.diagnostic(`longest task while it is drawn: ${told.join(', ')}`);
  const wide = await page.evaluate(() => document.querySelector('[role=feed]').scrollWidth - document.querySelector('[role=feed]').clientWidth);
  assert.ok(wide <= 0, 'a message makes the feed scroll sideways');
  assert.equal(shown.get('overrides'), 'x⟨U+202E … 5000⟩');
  assert.equal(shown.get('hidden letters'), 'x⟨U+E0041 … 4000⟩');
  assert.equal(shown.get('marks'), `Z${'\u0301'.repeat(5)}`);
});
