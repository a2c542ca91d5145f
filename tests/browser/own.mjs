// The subject's own page as somebody with a wallet uses it: what protects them, what is stored, exports,
// requests, a withdrawal after which no verdict is given, and an erasure that is proved.

import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { PHONE, inspect, launch, open } from './browser.mjs';
import { download, look, read, recolour, refusesForgeries, tabTo, visit } from './pages.mjs';
import { age, does, expect, given, note, part, run, wallet } from './program.mjs';

const OPEN = ['/me', '/me/protection', '/me/notices'];
const OWN = [
  '/me/data', '/me/uses', '/me/consents', '/me/rights', '/me/receipts', '/me/log', '/me/browsers', '/me/erasure',
];
const ASKED = ['access', 'rectification', 'restriction', 'objection', 'review'];
const FIVE_MINUTES = 301;
const SHOP = ['--audience', 'https://shop.example', '--nonce', '81f3a2c4e5'];

async function go(page, click) {
  await Promise.all([page.waitForNavigation(), click()]);
}

const button = (page, name) => page.getByRole('button', { name, exact: true });
const show = capture => wallet('auth', '--embedding', path.join(given.folder, `${capture}.json`), ...SHOP);

// The wallet signs for the browser that shows this link; the page goes on by itself.
async function sign(page) {
  const shown = await page.locator('#command').textContent();
  const [, address] = /'(.+)'/.exec(shown);
  const code = (await page.locator('.code-shown').innerText()).trim();
  expect(address.includes(code), `the link is not for the code ${code}`);
  await does('sign-in', address, '--yes');
}

async function signIn(page) {
  await visit(page, '/me');
  await go(page, () => button(page, 'Sign in with your wallet').first().click());
  await page.locator('.code-shown').waitFor();
}

// Nobody's: what protects, what is agreed to, the way in.
async function strangers(page) {
  await look(page, 'me-welcome', '/me');
  await look(page, 'me-protection', '/me/protection');
  await look(page, 'me-notices', '/me/notices');
  await go(page, () => page.locator('main a.button').first().click());
  note(await inspect(page, 'me-notice'));
  for (const path of OWN) {
    await visit(page, path);
    expect(new URL(page.url()).pathname === '/me', `${path} opens for strangers: ${page.url()}`);
  }
  await look(page, 'me-not-found', '/me/no-such-page', 404);
}

async function enters(page) {
  await signIn(page);
  note(await inspect(page, 'me-sign-in'));
  await Promise.all([page.waitForURL(/\/me\/data/), sign(page)]);
  expect((await page.locator('main').innerText()).includes(given.subject), 'somebody else is signed in');
}

async function sees(page) {
  for (const path of OWN) await look(page, `me${path.slice(3).replaceAll('/', '-')}`, path);
  await visit(page, '/me/uses');
  expect((await page.locator('main').innerText()).includes('shop.example'), 'nothing says who asked');
  for (const right of ASKED) await look(page, `me-ask-${right}`, `/me/rights/new/${right}`);
  await visit(page, '/me/data');
  await look(page, 'me-erasure-one', await page.locator('td a[href$="/erasure"]').first().getAttribute('href'));
  await visit(page, '/me/consents');
  await go(page, () => page.locator('a[href^="/me/notices/"]').first().click());
  await visit(page, '/me/log');
  await go(page, () => page.locator('tbody a').first().click());
  await page.waitForFunction(() => [...document.querySelectorAll('#log-steps li')].every(it => it.className !== ''));
  const steps = page.locator('#log-steps');
  expect(await steps.locator('li.good').count() === 3, `the entry does not verify: ${await steps.innerText()}`);
  note(await inspect(page, 'me-entry'));
  const proof = await download(page, () => page.locator('a[href$="/proof"]').click());
  expect(proof.content.includes('c2sp.org/tlog-proof'), `${proof.name} is no proof`);
  await visit(page, '/me/receipts');
  const receipts = page.locator('tbody a');
  expect(await receipts.count() >= 2, 'receipts are missing');
  for (let at = 0; at < await receipts.count(); at += 1) {
    const receipt = await download(page, () => receipts.nth(at).click());
    expect(receipt.content.length > 100, `${receipt.name} is empty`);
  }
  await visit(page, '/me/enrolments/00000000-0000-4000-8000-000000000000/erasure', 404);
}

async function keyboard(page) {
  await visit(page, '/me/consents');
  await page.keyboard.press('Tab');
  expect(await page.evaluate(() => document.activeElement.matches('.skip')), 'the first stop is not the skip link');
  await page.keyboard.press('Enter');
  await tabTo(page, '[data-opens^="withdraw-"]');
  await page.keyboard.press('Enter');
  await page.locator('dialog[open]').waitFor();
  note(await inspect(page, 'me-withdraw-dialog'));
  for (let step = 0; step < 6; step += 1) {
    await page.keyboard.press('Tab');
    const inside = await page.evaluate(() => {
      const dialog = document.querySelector('dialog[open]');
      return dialog.contains(document.activeElement) || document.activeElement === document.body;
    });
    expect(inside, 'the focus leaves the dialog');
  }
  await page.keyboard.press('Escape');
  expect(await page.locator('dialog[open]').count() === 0, 'Escape does not close the dialog');
}

async function exports(page) {
  await visit(page, '/me/rights');
  const { name, content } = await download(page, () => button(page, 'Download').first().click());
  expect(name.endsWith('.zip') && content.subarray(0, 2).toString() === 'PK', `${name} is no ZIP`);
}

// An objection holds everything back, until it is lifted.
async function objects(page) {
  await visit(page, '/me/rights/new/objection');
  await page.locator('#field-text').fill('Not this week.');
  await go(page, () => page.locator('main form button.main-act').click());
  const kept = await show('L001_2');
  expect(kept.code === 1, 'a verdict is given in spite of an objection');
  await look(page, 'me-rights-open', '/me/rights');
  await look(page, 'me-data-restricted', '/me/data');
  await visit(page, '/me/rights');
  await go(page, () => page.locator('form[action$="/cancellation"] button').first().click());
  expect((await show('L001_2')).code === 0, 'no verdict although the objection is lifted');
}

// Destroying wants the wallet's signature again; then it goes on by itself.
async function withdraws(page) {
  await age(FIVE_MINUTES);
  await visit(page, '/me/consents');
  const dialog = page.locator('[data-opens^="withdraw-"]').first();
  await look(page, 'me-withdrawal', await dialog.getAttribute('href'));
  await visit(page, '/me/consents');
  await dialog.click();
  await go(page, () => page.locator('dialog[open] button.main-act').click());
  await page.locator('#wanted').waitFor();
  note(await inspect(page, 'me-again'));
  await Promise.all([page.waitForURL(/\/me\/consents(\?|$)/), sign(page)]);
  note(await inspect(page, 'me-withdrawn'));
  expect((await page.locator('main').innerText()).includes('Withdrawn'), 'the consent is not withdrawn');
  const refused = await show('L001_2');
  expect(refused.code === 1, `a verdict is given after a withdrawal: ${JSON.stringify(refused.json)}`);
}

async function erases(page) {
  await visit(page, '/me/erasure');
  await page.locator('#field-word').fill('perhaps');
  await go(page, () => button(page, 'Erase everything').click());
  await page.locator('.fault').first().waitFor();
  note(await inspect(page, 'me-erasure-mistyped'));
  await page.locator('#field-word').fill('ERASE');
  await go(page, () => button(page, 'Erase everything').click());
  await page.locator('a[href$="/proof.json"]').waitFor();
  note(await inspect(page, 'me-farewell'));
  const at = await page.locator('a[href$="/proof.json"]').getAttribute('href');
  const { content } = await download(page, () => page.locator('a[href$="/proof.json"]').click());
  const file = path.join(given.folder, 'blindprint-erasure.json');
  await writeFile(file, content);
  await does('rights', 'verify', file);
  const forged = JSON.parse(content);
  forged.keys.subject = 'did:key:z6MkSomebodyElse';
  await writeFile(file, JSON.stringify(forged));
  expect((await wallet('rights', 'verify', file)).code !== 0, 'a forged certificate verifies');
  await visit(page, at.replace('/proof.json', ''));
  await visit(page, '/me/data');
  expect(new URL(page.url()).pathname === '/me', 'who is erased is still signed in');
}

await run(launch, async browser => {
  const { page, close } = await open(browser, { url: given.url });
  await part('strangers', () => strangers(page));
  await part('signing in', () => enters(page));
  await part('what is stored', () => sees(page));
  await part('by keyboard', () => keyboard(page));
  await part('colours', () => recolour(page));
  await part('every language', () => read(page, [...OPEN, ...OWN, ...ASKED.map(right => `/me/rights/new/${right}`)]));
  await part('forgeries', () => refusesForgeries(page, '/me/erasure/everything', 'word=ERASE'));
  await part('an export', () => exports(page));
  await part('an objection', () => objects(page));
  await part('a second browser', async () => {
    const other = await open(browser, { url: given.url, viewport: PHONE });
    await signIn(other.page);
    await Promise.all([other.page.waitForURL(/\/me\/data/), sign(other.page)]);
    await visit(page, '/me/browsers');
    await go(page, () => page.locator('form[action$="/end"] button').first().click());
    await visit(other.page, '/me/data');
    expect(new URL(other.page.url()).pathname === '/me', 'a browser that was signed out is still in');
    await signIn(other.page);
    await Promise.all([other.page.waitForURL(/\/me\/data/), sign(other.page)]);
    await go(other.page, () => button(other.page, 'Sign out').click());
    await visit(other.page, '/me/data');
    expect(new URL(other.page.url()).pathname === '/me', 'who signed out is still in');
    await other.close();
  });
  await part('a withdrawal', () => withdraws(page));
  await part('an erasure', () => erases(page));
  await close();
});
