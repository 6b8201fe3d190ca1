// Files: sent by choosing, dropping and pasting; looked at, kept, and gone on with after a cut.
import { test } from 'node:test';
import { assert, axeEverywhere, field, gone, message, person, room, until } from './harness.mjs';

/** A picture of two colours, made in the page. */
async function picture(page, width, height) {
  const url = await page.evaluate(([wide, high]) => {
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [wide, high];
    const ink = canvas.getContext('2d');
    ink.fillStyle = '#17695a';
    ink.fillRect(0, 0, wide, high);
    ink.fillStyle = '#e0733f';
    ink.fillRect(0, 0, wide / 2, high);
    return canvas.toDataURL('image/png');
  }, [width, height]);
  return Buffer.from(url.split(',')[1], 'base64');
}

async function desk() {
  const ana = await person('Ana');
  const bo = await person('Bo');
  const { id } = await room(ana, 'Desk', [bo]);
  const [here, there] = [await ana.window(`/app/r/${id}`), await bo.window(`/app/r/${id}`)];
  await field(here).waitFor();
  await field(there).waitFor();
  return { ana, bo, here, there, id };
}

const tray = (page) => page.getByRole('list', { name: 'Files that go with it' });
const choose = (page, files) => page.locator('.composer input[type=file]').setInputFiles(files);

async function drop(page, files) {
  const data = await page.evaluateHandle((list) => {
    const transfer = new DataTransfer();
    for (const { name, size } of list) transfer.items.add(new File([new Uint8Array(size)], name, { type: 'application/octet-stream' }));
    return transfer;
  }, files);
  const box = page.locator('.conversation');
  await box.dispatchEvent('dragenter', { dataTransfer: data });
  await page.getByText('Drop files to attach them').waitFor();
  await box.dispatchEvent('drop', { dataTransfer: data });
}

test('three files are dropped, one is taken back, and one goes on after a cut', async () => {
  const { here, there } = await desk();
  let cuts = 2;
  await here.route('**/api/v1/uploads/*', async (route) => {
    if (route.request().method() !== 'PATCH' || cuts <= 0) return route.fallback();
    cuts -= 1;
    await route.abort('connectionreset');
  });
  await drop(here, [{ name: 'one.bin', size: 300_000 }, { name: 'two.bin', size: 200_000 }, { name: 'three.bin', size: 12_000_000 }]);
  assert.equal(await tray(here).getByRole('listitem').count(), 3);
  await tray(here).getByRole('button', { name: 'Remove two.bin' }).click();
  await axeEverywhere(here, 'files on their way');
  await until('both are there', async () => (await tray(here).locator('.tray-done').count()) === 2, 40_000);
  assert.equal(cuts, 0);
  await field(here).fill('here they are');
  await field(here).press('Enter');
  await gone(tray(here));
  const row = message(there, 'here they are');
  await row.getByRole('button', { name: /Download three\.bin 12 MB/ }).waitFor();
  assert.equal(await row.getByRole('button', { name: /two\.bin/ }).count(), 0);
  const [kept] = await Promise.all([there.waitForEvent('download'), row.getByRole('button', { name: /one\.bin/ }).click()]);
  assert.equal(kept.suggestedFilename(), 'one.bin');
  await axeEverywhere(there, 'files in a message');
});

test('a picture is pasted, seen, looked at and kept', async () => {
  const { here, there } = await desk();
  const bytes = await picture(here, 800, 600);
  await here.evaluate((list) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([new Uint8Array(list)], 'bench.png', { type: 'image/png' }));
    document.querySelector('#composer').dispatchEvent(new ClipboardEvent('paste', { clipboardData: transfer, bubbles: true, cancelable: true }));
  }, [...bytes]);
  await tray(here).locator('.tray-done').waitFor();
  await axeEverywhere(here, 'a picture that goes with it');
  await here.getByRole('button', { name: 'Send' }).click();
  const open = there.getByRole('button', { name: 'Look at bench.png' });
  await open.waitFor();
  await until('it is drawn', () => open.locator('img').evaluate((image) => image.complete && image.naturalWidth > 0));
  await axeEverywhere(there, 'a picture in a message');
  await open.click();
  const box = there.getByRole('dialog', { name: 'bench.png' });
  await until('it is large', () => box.getByRole('img', { name: 'bench.png' }).evaluate((image) => image.naturalWidth === 800));
  await axeEverywhere(there, 'a picture, large');
  const [kept] = await Promise.all([there.waitForEvent('download'), box.getByRole('button', { name: 'Download' }).click()]);
  assert.equal(kept.suggestedFilename(), 'bench.png');
  await there.keyboard.press('Escape');
  await gone(box);
});

test('files are chosen by keyboard, and a file alone is a message', async () => {
  const { here, there } = await desk();
  await choose(here, [{ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('notes') }]);
  await tray(here).locator('.tray-done').waitFor();
  await field(here).press('Enter');
  await there.getByRole('button', { name: /Download notes\.txt 5 B/ }).waitFor();
});
