// Browsers and programs in Rust in one encrypted session: three people, each with a device of both kinds.
import { test } from 'node:test';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { PASSWORD, URL_BASE, addPeople, assert, field, message, person, room, until, write } from './harness.mjs';

const ENCRYPTION = { algorithm: 'm.megolm.v1.aes-sha2' };
const PATIENCE_MS = 90_000;
const THUMB = '\u{1f44d}';

/** The program of `clients/sdk/examples/puppet.rs`, which does what it is told. */
class Puppet {
  constructor(who, folder) {
    this.user = who.id;
    this.folder = folder;
    this.login = who.username;
    this.start();
  }

  start() {
    assert.ok(process.env.PARLOR_PUPPET, 'PARLOR_PUPPET names the built example `puppet` of clients/sdk');
    this.child = spawn(process.env.PARLOR_PUPPET, {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { PARLOR_URL: URL_BASE, PARLOR_LOGIN: this.login, PARLOR_PASSWORD: PASSWORD, PARLOR_PASSPHRASE: 'a passphrase of the tests', PARLOR_FOLDER: this.folder },
    });
    this.lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
  }

  /** Tells it one thing, and waits for the answer. */
  async told(command) {
    this.child.stdin.write(`${JSON.stringify(command)}\n`);
    const late = new Promise((_, fail) => setTimeout(() => fail(new Error(`no answer to ${JSON.stringify(command)}`)), PATIENCE_MS).unref());
    const { value } = await Promise.race([this.lines.next(), late]);
    const answer = JSON.parse(value ?? '{"error":"it ended"}');
    if ('error' in answer) throw new Error(`${JSON.stringify(command)}: ${answer.error}`);
    return answer.ok;
  }

  say(session, text) {
    return this.told({ say: { session, text } });
  }

  hear(session, text) {
    return this.told({ hear: { session, text } });
  }

  async stop() {
    const ended = new Promise((done) => this.child.once('exit', done));
    this.child.stdin.end();
    await ended;
  }
}

/** Runs the work with programs that end with it, and a folder for them that is gone then. */
async function withPuppets(work) {
  const folder = mkdtempSync(join(tmpdir(), 'parlor-puppets-'));
  const all = [];
  try {
    await work((who) => {
      const puppet = new Puppet(who, join(folder, who.username));
      all.push(puppet);
      return puppet;
    });
  } finally {
    for (const { child } of all) child.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

const line = (page) => page.locator('.sealed-line');
const ready = (page) => line(page).getByText('Only people in this session can read this.').waitFor();
const confirmed = (page) => page.getByText('Confirmed with your keys.').waitFor();

async function settings(who) {
  who.context.setDefaultTimeout(PATIENCE_MS);
  return who.window('/app/settings/encryption');
}

async function makeRecovery(page) {
  await page.getByRole('button', { name: 'Make a recovery key' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Make a recovery key' }).click();
  const key = (await page.locator('.recovery-key').innerText()).replace(/\s+/g, ' ').trim();
  await page.getByRole('button', { name: 'I have kept it' }).click();
  await page.getByText(/^On\./).waitFor();
  return key;
}

async function useRecovery(page, key) {
  await page.getByRole('button', { name: 'Use the recovery key' }).first().click();
  await page.getByLabel('Recovery key or passphrase').fill(key);
  await page.getByRole('dialog').getByRole('button', { name: 'Confirm this device' }).click();
  await confirmed(page);
}

/** The seven emoji of a browser, once they are there. */
async function seven(page) {
  await page.locator('.emoji-seven li').nth(6).waitFor();
  return page.locator('.emoji-seven .emoji-symbol').allTextContents();
}

/** Both sides see the same, and say so. */
async function agree(page, puppet, shown) {
  assert.deepEqual(await seven(page), shown);
  await Promise.all([puppet.told('agree'), page.getByRole('button', { name: 'They are the same' }).click()]);
  await page.getByText(/see the same\./).waitFor();
  await page.getByRole('button', { name: 'Done' }).click();
}

/** Three people: Ana's program is confirmed by emoji, Bo's browser by a key that a program made, Cleo's program by one of a browser. */
async function three(puppetOf) {
  const [ana, bo, cleo] = [await person('Ana'), await person('Bo'), await person('Cleo')];
  ana.page = await settings(ana);
  await confirmed(ana.page);
  ana.puppet = puppetOf(ana);
  const { signed } = await ana.puppet.told('who');
  assert.equal(signed, false, 'a second device is not believed at first');
  const compared = ana.puppet.told({ compare: { user: ana.id, device: null } });
  await ana.page.locator('.reader-device', { hasText: 'example' }).getByRole('button', { name: /^Compare with/ }).click();
  await agree(ana.page, ana.puppet, await compared);
  await until('the program is confirmed', async () => (await ana.puppet.told('who')).can_sign, PATIENCE_MS);

  bo.puppet = puppetOf(bo);
  assert.equal((await bo.puppet.told('who')).signed, true, 'the first device of an account makes its keys');
  const key = await bo.puppet.told('make_recovery');
  bo.page = await settings(bo);
  await useRecovery(bo.page, key);

  cleo.page = await settings(cleo);
  await confirmed(cleo.page);
  const hers = await makeRecovery(cleo.page);
  cleo.puppet = puppetOf(cleo);
  await cleo.puppet.told({ recover: { key: hers } });
  return [ana, bo, cleo];
}

async function opened(who, path) {
  await who.page.goto(path);
  await field(who.page).waitFor();
  await ready(who.page);
}

/** Says something by each device of these people; all of them read it. */
async function everybodyTalks(people, session, round) {
  for (const who of people) {
    await write(who.page, `${round}: ${who.name} in a browser`);
    await who.puppet.say(session, `${round}: ${who.name} by a program`);
  }
  for (const reader of people) {
    for (const { name } of people) {
      for (const way of ['in a browser', 'by a program']) {
        await message(reader.page, `${round}: ${name} ${way}`).waitFor();
        const { how, verdict } = await reader.puppet.hear(session, `${round}: ${name} ${way}`);
        assert.equal(how, 'opened');
        assert.ok(['first_seen', 'verified'].includes(verdict), verdict);
      }
    }
  }
}

test('browsers and programs read each other, through leaving and coming back, restarts and second windows', () => withPuppets(async (puppetOf) => {
  const people = await three(puppetOf);
  const [ana, bo, cleo] = people;
  const { id, main_session_id: session } = await room(ana, 'Ledger', [bo, cleo], { encryption: ENCRYPTION });
  const path = `/app/r/${id}`;
  for (const who of people) {
    await who.puppet.told({ know: { session } });
    await opened(who, path);
  }
  await line(ana.page).getByText(/3 people, 6 devices/).waitFor();
  await everybodyTalks(people, session, 'first');

  // Who left reads neither what a browser says meanwhile nor what a program does.
  await ana.call('DELETE', `/rooms/${id}/members/${cleo.id}`);
  await line(bo.page).getByText(/2 people, 4 devices/).waitFor();
  await everybodyTalks([ana, bo], session, 'without Cleo');
  await addPeople(ana.page, [cleo]);
  await line(bo.page).getByText(/3 people, 6 devices/).waitFor();
  await cleo.puppet.told({ know: { session } });
  await opened(cleo, path);
  await everybodyTalks(people, session, 'again');
  assert.equal(await cleo.page.getByText('without Cleo').count(), 0);
  assert.equal(JSON.stringify(await cleo.puppet.told({ read: { session } })).includes('without Cleo'), false);

  // The same devices after a restart; what was said meanwhile is read, too.
  await bo.puppet.stop();
  await bo.page.close();
  await write(ana.page, 'in the night, by a browser');
  await ana.puppet.say(session, 'in the night, by a program');
  bo.puppet.start();
  bo.page = await bo.window(path);
  for (const text of ['in the night, by a browser', 'in the night, by a program']) {
    await bo.puppet.hear(session, text);
    await message(bo.page, text).waitFor();
  }
  await ready(bo.page);
  await everybodyTalks(people, session, 'after the night');

  // A second window goes on when the first one, which has the keys, is closed.
  const second = await ana.window(path);
  await ready(second);
  await ana.page.close();
  ana.page = second;
  await everybodyTalks(people, session, 'by the second window');
}));

test('whom a program lets in a browser lets in, too', () => withPuppets(async (puppetOf) => {
  const [ana, bo, cleo] = [await person('Ana'), await person('Bo'), await person('Cleo')];
  for (const who of [bo, cleo]) {
    who.page = await settings(who);
    await confirmed(who.page);
  }
  ana.puppet = puppetOf(ana);
  await ana.puppet.told('who');
  const { id, main_session_id: session } = await room(ana, 'Ledger', [bo], { encryption: ENCRYPTION });
  const path = `/app/r/${id}`;
  await ana.puppet.told({ know: { session } });
  await opened(bo, path);
  await write(bo.page, 'between us');
  await ana.puppet.hear(session, 'between us');
  await ana.puppet.say(session, 'between us, too');
  await message(bo.page, 'between us, too').waitFor();

  // Without a statement, as when the server adds somebody by itself.
  await ana.call('POST', `/rooms/${id}/members`, { users: [cleo.id] });
  await line(bo.page).getByText(/3 people, 2 devices, 1 not let in/).waitFor();
  await opened(cleo, path);
  await ana.puppet.told({ let_in: { session, user: cleo.id } });
  await write(bo.page, 'welcome, by a browser');
  await ana.puppet.say(session, 'welcome, by a program');
  for (const way of ['a browser', 'a program']) await message(cleo.page, `welcome, by ${way}`).waitFor();
  await line(bo.page).getByText(/3 people, 3 devices, none compared/).waitFor();
}));

test('people who compare emoji by a browser and a program know each other; files, reactions and other wordings go both ways', () => withPuppets(async (puppetOf) => {
  const [ana, bo] = [await person('Ana'), await person('Bo')];
  ana.page = await settings(ana);
  await confirmed(ana.page);
  bo.puppet = puppetOf(bo);
  await bo.puppet.told('who');
  const { id, main_session_id: session } = await room(ana, 'Ledger', [bo], { encryption: ENCRYPTION });
  await opened(ana, `/app/r/${id}`);
  await bo.puppet.told({ know: { session } });

  await line(ana.page).getByRole('button').click();
  const asked = bo.puppet.told({ compare: { user: ana.id, device: null } });
  await ana.page.getByRole('button', { name: /^Compare with/ }).click();
  await agree(ana.page, bo.puppet, await asked);
  await line(ana.page).getByText(/all compared/).waitFor();
  await write(ana.page, 'it is me');
  assert.equal((await bo.puppet.hear(session, 'it is me')).verdict, 'verified');

  await bo.puppet.told({ react: { session, text: 'it is me', emoji: THUMB } });
  await ana.page.getByRole('button', { name: `${THUMB} 1` }).waitFor();
  await bo.puppet.say(session, 'I see');
  await message(ana.page, 'I see').hover();
  await message(ana.page, 'I see').getByRole('button', { name: `React with ${THUMB}` }).click();
  assert.equal(await bo.puppet.told({ reacted: { session, text: 'I see' } }), THUMB);

  await bo.puppet.told({ reword: { session, text: 'I see', into: 'I see you' } });
  await message(ana.page, 'I see you').waitFor();
  await field(ana.page).press('ArrowUp');
  await ana.page.locator('.edit-box textarea').fill('it is really me');
  await ana.page.locator('.edit-box textarea').press('Enter');
  await bo.puppet.hear(session, 'it is really me');

  await bo.puppet.told({ send_file: { session, text: 'the plan', name: 'plan.txt', content: 'dig here' } });
  const coming = ana.page.waitForEvent('download');
  await message(ana.page, 'the plan').getByRole('button', { name: /plan\.txt/ }).click();
  const kept = await (await (await coming).createReadStream()).toArray();
  assert.equal(kept.join(''), 'dig here');
  await ana.page.locator('.composer input[type=file]').setInputFiles({ name: 'map.txt', mimeType: 'text/plain', buffer: Buffer.from('here it is') });
  await ana.page.locator('.tray-done').waitFor();
  await write(ana.page, 'the map');
  assert.deepEqual(await bo.puppet.told({ open_file: { session, text: 'the map' } }), { name: 'map.txt', content: 'here it is' });
}));

test('a browser and a program verify each other by a code, whichever of them shows it', () => withPuppets(async (puppetOf) => {
  const [ana, bo, cleo] = [await person('Ana'), await person('Bo'), await person('Cleo')];
  ana.page = await settings(ana);
  await confirmed(ana.page);
  for (const who of [bo, cleo]) {
    who.puppet = puppetOf(who);
    await who.puppet.told('who');
  }
  const { id } = await room(ana, 'Ledger', [bo, cleo], { encryption: ENCRYPTION });
  await opened(ana, `/app/r/${id}`);
  await line(ana.page).getByRole('button').click();
  const code = ana.page.locator('.code-text');
  const goOver = async (who) => {
    const reader = ana.page.locator('.reader', { hasText: who.name });
    await reader.getByRole('button', { name: /^Compare with/ }).click();
    await ana.page.getByRole('button', { name: 'Use a code instead' }).click();
  };
  const done = async (who) => {
    await ana.page.getByText(`You and ${who.name} see the same`).waitFor();
    await ana.page.getByRole('button', { name: 'Done' }).click();
  };

  const shown = bo.puppet.told({ show_code: { user: ana.id, device: null } });
  await goOver(bo);
  await ana.page.getByLabel('The code that Bo gives you').fill(await shown);
  await ana.page.getByRole('button', { name: 'Check the code' }).click();
  await ana.page.getByText(/The code fits\./).waitFor();
  await bo.puppet.told('agree');
  await done(bo);

  const met = cleo.puppet.told({ meet: { user: ana.id, device: null } });
  await goOver(cleo);
  await met;
  const copied = await code.innerText();
  await assert.rejects(cleo.puppet.told({ take_code: { user: ana.id, device: null, code: copied.slice(0, -3) } }), /not all of it/);
  await cleo.puppet.told({ take_code: { user: ana.id, device: null, code: copied } });
  await ana.page.getByText(/^Cleo has entered the code\./).waitFor();
  await ana.page.getByRole('button', { name: 'It fits' }).click();
  await done(cleo);
  await line(ana.page).getByText(/all compared/).waitFor();
}));

test('what a program backed up opens in a new browser, and the other way round', () => withPuppets(async (puppetOf) => {
  const [ana, bo] = [await person('Ana'), await person('Bo')];
  ana.page = await settings(ana);
  await confirmed(ana.page);
  bo.puppet = puppetOf(bo);
  await bo.puppet.told('who');
  const { id, main_session_id: session } = await room(ana, 'Ledger', [bo], { encryption: ENCRYPTION });
  const path = `/app/r/${id}`;
  await bo.puppet.told({ know: { session } });
  await opened(ana, path);
  await write(ana.page, 'long ago, by Ana');
  await bo.puppet.hear(session, 'long ago, by Ana');
  await bo.puppet.say(session, 'long ago, by Bo');
  await message(ana.page, 'long ago, by Bo').waitFor();

  bo.page = await settings(bo);
  await useRecovery(bo.page, await bo.puppet.told('make_recovery'));
  await opened(bo, path);
  for (const name of ['Ana', 'Bo']) await message(bo.page, `long ago, by ${name}`).waitFor();

  await ana.page.goto('/app/settings/encryption');
  const key = await makeRecovery(ana.page);
  await ana.page.getByText(/^On\. The keys of your messages are backed up/).waitFor();
  ana.puppet = puppetOf(ana);
  await ana.puppet.told({ know: { session } });
  await ana.puppet.told({ recover: { key } });
  assert.deepEqual(await ana.puppet.told({ read: { session } }), ['long ago, by Ana', 'long ago, by Bo']);
  await ana.puppet.say(session, 'from the new one');
  await message(bo.page, 'from the new one').waitFor();
}));
