// Getting in, getting it wrong, getting back in.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { assert, axeEverywhere, call, fresh, PASSWORD, person, signIn, stranger, until, windowOf } from './harness.mjs';

const MAILS = process.env.PARLOR_MAIL_DIR;

/** The newest code that was mailed to an address; the server without SMTP writes its mails to a folder. */
async function codeFor(email) {
  let code;
  await until(`a mail to ${email}`, () => {
    const mails = readdirSync(MAILS).sort().map((name) => readFileSync(join(MAILS, name), 'utf8'));
    code = mails.filter((mail) => mail.includes(email)).map((mail) => /the code is (\w+)/i.exec(mail)?.[1]).at(-1);
    return Boolean(code);
  });
  return code;
}

test('the doors are open to everybody', async () => {
  const page = await windowOf(await stranger());
  for (const [path, title] of [
    ['login', 'Sign in'], ['register', 'Make an account'], ['forgot', 'Get back in'],
    ['verify?email=a@example.org', 'Confirm your e-mail'], ['reset?email=a@example.org', 'Choose a new password'],
  ]) {
    await page.goto(`/app/${path}`);
    await page.getByRole('heading', { level: 1, name: title }).waitFor();
    await axeEverywhere(page, path);
  }
});

test('a wrong password is told kindly, the right one lets in, and signing out shuts the door', async () => {
  const ana = await person('Ana');
  const page = await windowOf(await stranger());
  await signIn(page, ana.username, 'not the password');
  await page.getByRole('alert').filter({ hasText: /\w/ }).first().waitFor();
  assert.match(page.url(), /\/app\/login/);
  await signIn(page, ana.username);
  await page.getByText('Three things are different').waitFor();
  await page.goto('/app/settings/profile');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { level: 1, name: 'Sign in' }).waitFor();
  await page.reload();
  await page.getByRole('heading', { level: 1, name: 'Sign in' }).waitFor();
});

test('a password that is too short, and a name that is taken, are told in words', async () => {
  const ana = await person('Ana');
  const page = await windowOf(await stranger());
  await page.goto('/app/register');
  await page.getByLabel('Username').fill(ana.username);
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Make an account' }).click();
  await page.locator('.form-error').waitFor();
});

test('a forgotten password is replaced by a code from the mail', { skip: MAILS ? false : 'PARLOR_MAIL_DIR is not set' }, async () => {
  const context = await stranger();
  const username = fresh('ana');
  const email = `${username}@example.org`;
  await call(context, 'POST', '/auth/register', { username, email, password: PASSWORD });
  const page = await windowOf(context);
  await page.goto('/app/forgot');
  await page.getByLabel('E-mail').fill(email);
  const first = await codeFor(email);
  await page.getByRole('button', { name: 'Send a code' }).click();
  await page.getByText('We sent a code').waitFor();
  await until('another code came', async () => (await codeFor(email)) !== first);
  await page.getByLabel('Code').fill(await codeFor(email));
  await page.getByLabel('New password').fill('quite another password');
  await page.getByRole('button', { name: 'Change the password' }).click();
  await page.getByText('Your password is changed. Sign in with it.').waitFor();
  await signIn(page, email, 'quite another password');
  await page.getByText('Three things are different').waitFor();
});

test('the password can be changed from inside', async () => {
  const ana = await person('Ana');
  const page = await ana.window('/app/settings/account');
  await page.getByLabel('Current password').fill('not it');
  await page.getByLabel('New password').fill('quite another password');
  await page.getByRole('button', { name: 'Change the password' }).click();
  await page.locator('.form-error').waitFor();
  await page.getByLabel('Current password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Change the password' }).click();
  await page.getByText('Your password is changed.').waitFor();
});
