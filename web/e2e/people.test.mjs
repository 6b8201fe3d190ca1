// Who is here, who writes, who is sent away.
import { test } from 'node:test';
import { assert, axeEverywhere, call, field, gone, message, PASSWORD, person, room, roomRow, say, signIn, stranger, until, windowOf, write } from './harness.mjs';

async function three() {
  const ana = await person('Ana');
  const bo = await person('Bo');
  const cleo = await person('Cleo');
  const { id, main_session_id } = await room(ana, 'Court', [bo, cleo]);
  const here = await ana.window(`/app/r/${id}`);
  await field(here).waitFor();
  await here.getByRole('button', { name: /^People/ }).click();
  return { ana, bo, cleo, id, session: main_session_id, here, panel: here.getByRole('complementary', { name: 'People' }) };
}

test('one sees who comes, who writes, and who goes; whoever hides it is not seen', async () => {
  const { bo, id, here, panel } = await three();
  const row = panel.locator('.person', { hasText: 'Bo' });
  await row.waitFor();
  const there = await bo.window(`/app/r/${id}`);
  await row.locator('.avatar-here').waitFor();
  await axeEverywhere(here, 'the people of a room');
  await field(there).pressSequentially('typing now');
  await here.getByText('Bo is writing').waitFor();
  await write(there, ' and sent');
  await gone(here.getByText('Bo is writing'));
  await there.goto('/app/settings/profile');
  await there.getByRole('switch', { name: 'Show when I am here' }).uncheck();
  await there.getByText('Saved.').waitFor();
  await here.reload();
  await row.waitFor();
  await gone(row.locator('.avatar-here'));
});

test('a role counts at once, and gives what it should', async () => {
  const { bo, id, here } = await three();
  const there = await bo.window(`/app/r/${id}`);
  await there.getByRole('button', { name: /^People/ }).click();
  await there.getByRole('button', { name: 'Actions for Cleo' }).click();
  assert.equal(await there.getByRole('menuitem', { name: 'Ban from the room' }).count(), 0);
  await there.keyboard.press('Escape');
  await here.getByRole('button', { name: 'Actions for Bo' }).click();
  await here.getByRole('menuitem', { name: 'Make moderator' }).click();
  await here.getByRole('dialog').getByRole('button', { name: 'Make moderator' }).click();
  await there.getByText('Moderator').waitFor();
  await there.getByRole('button', { name: 'Actions for Cleo' }).click();
  await there.getByRole('menuitem', { name: 'Ban from the room' }).waitFor();
});

test('who is removed is out at once, and told so; who is banned cannot come back', async () => {
  const { bo, cleo, id, here, panel } = await three();
  await here.getByRole('button', { name: 'Close' }).click();
  await here.goto(`/app/r/${id}/settings`);
  await here.getByRole('radio', { name: /Public/ }).check();
  await here.goto(`/app/r/${id}`);
  await here.getByRole('button', { name: /^People/ }).click();
  const [there, third] = [await bo.window(`/app/r/${id}`), await cleo.window(`/app/r/${id}`)];
  await field(there).waitFor();
  await field(third).waitFor();

  await here.getByRole('button', { name: 'Actions for Bo' }).click();
  await here.getByRole('menuitem', { name: 'Remove from the room' }).click();
  await axeEverywhere(here, 'a question before something final');
  await here.getByRole('dialog').getByRole('button', { name: 'Remove from the room' }).click();
  await there.getByText('You were removed from Court.').waitFor();
  await gone(roomRow(there, 'Court'));
  await gone(panel.locator('.person', { hasText: 'Bo' }));

  await here.getByRole('button', { name: 'Actions for Cleo' }).click();
  await here.getByRole('menuitem', { name: 'Ban from the room' }).click();
  await here.getByRole('dialog').getByLabel('Reason').fill('shouting');
  await here.getByRole('dialog').getByRole('button', { name: 'Ban from the room' }).click();
  await third.getByText('You were banned from Court.').waitFor();
  await gone(roomRow(third, 'Court'));
  const refused = await cleo.context.request.post(`/api/v1/rooms/${id}/join`, { data: {}, headers: { Origin: new URL(here.url()).origin } });
  assert.ok(!refused.ok(), 'a banned person came back');

  await here.goto(`/app/r/${id}/settings`);
  await here.getByText('shouting').waitFor();
  await here.getByRole('button', { name: 'Let back in' }).click();
  await here.getByText('Nobody is banned.').waitFor();
  await cleo.call('POST', `/rooms/${id}/join`);
});

test('who has gone is still named beside their words', async () => {
  const { bo, id, session, here, panel } = await three();
  await say(bo, session, 'my last words');
  await message(here, 'my last words').waitFor();
  await bo.call('POST', `/rooms/${id}/leave`);
  await gone(panel.locator('.person', { hasText: 'Bo' }));
  await here.reload();
  await message(here, 'my last words').locator('.message-name', { hasText: /^Bo$/ }).waitFor();
});

test('signing out another device puts it at the door at once', async () => {
  const ana = await person('Ana');
  const other = await stranger();
  const there = await windowOf(other);
  await signIn(there, ana.username);
  await there.getByText('Three things are different').waitFor();
  const here = await ana.window('/app/settings/devices');
  await here.getByText('This device').waitFor();
  await axeEverywhere(here, 'the devices');
  const buttons = here.getByRole('button', { name: /^Sign out: / });
  assert.equal(await buttons.count(), 1);
  await buttons.click();
  await here.getByRole('dialog').getByRole('button', { name: 'Sign out' }).click();
  await there.getByRole('heading', { level: 1, name: 'Sign in' }).waitFor();
  await until('the list is short', async () => (await buttons.count()) === 0);
  await assert.rejects(call(other, 'GET', '/me'));
  await call(other, 'POST', '/auth/login', { login: ana.username, password: PASSWORD });
});
