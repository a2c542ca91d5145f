// The dashboard as its three kinds of administrators use it, from the first link to the audit of what they
// did: every page, what each role may see and do, keyboard, languages, exports, the end of sessions.

import { DESK, PHONE, axe, inspect, launch, open, passkey } from './browser.mjs';
import {
  download, look, read, recolour, refusesForgeries, tabTo, visit,
} from './pages.mjs';
import { age, expect, given, note, part, run } from './program.mjs';

const EVERYBODY = [
  '/admin', '/admin/notices', '/admin/relying-parties', '/admin/credentials', '/admin/log', '/admin/jobs',
];
const PEOPLE = ['/admin/subjects', '/admin/consents', '/admin/rights-requests'];
const MACHINE = ['/admin/configuration', '/admin/invitations', '/admin/clients', '/admin/administrators'];
const NAVIGATION = {
  operator: [...EVERYBODY, ...MACHINE],
  privacy_officer: [...EVERYBODY, ...PEOPLE, '/admin/audit'],
  auditor: [...EVERYBODY, ...PEOPLE, ...MACHINE, '/admin/audit'],
};
const LISTS = {
  subjects: '/admin/subjects', consents: '/admin/consents', requests: '/admin/rights-requests',
  parties: '/admin/relying-parties', credentials: '/admin/credentials', log: '/admin/log', audit: '/admin/audit',
  jobs: '/admin/jobs', configuration: '/admin/configuration', invitations: '/admin/invitations',
  clients: '/admin/clients', notices: '/admin/notices',
};
const FIVE_MINUTES = 301;
const HALF_AN_HOUR = 30 * 60 + 1;

// Clicks what leads to another page.
async function go(page, click) {
  await Promise.all([page.waitForNavigation(), click()]);
}

const button = (page, name) => page.getByRole('button', { name, exact: true });
const link = (page, name) => page.getByRole('link', { name, exact: true });
const heading = page => page.locator('h1').innerText();

// Somebody with a device of their own who becomes an administrator.
async function join(browser, address, name) {
  const person = await open(browser, { url: given.url });
  const { page } = person;
  await passkey(page);
  await look(page, `join-${name}`, address);
  await page.getByLabel('Your name').fill(name);
  await go(page, () => button(page, 'Add a passkey and sign in').click());
  await page.waitForURL(/\/admin(\?|$)/);
  expect((await page.locator('.who').innerText()).includes(name), `${name} is not who is signed in`);
  return person;
}

// The link by which somebody else does.
async function invite(page, name, role) {
  await visit(page, '/admin/administrators');
  await page.locator('form[action="/admin/administrators/links"]').getByLabel('Name').fill(name);
  await page.locator(`input[name=role][value=${role}]`).check();
  await go(page, () => button(page, 'Make a link').click());
  return new URL(await page.locator('#link').innerText()).pathname;
}

// What was wanted goes on once the passkey was used again.
async function prove(page, name) {
  expect(await page.locator('form[data-passkey=get]').count() === 1, `${name} does not ask for the passkey again`);
  await go(page, () => button(page, 'Use the passkey').click());
  await page.waitForURL(url => !url.pathname.includes('/prove'));
}

async function sees(page, role) {
  await visit(page, '/admin');
  const shown = await page.locator('.menu a').evaluateAll(links => links.map(it => new URL(it.href).pathname));
  const all = [...new Set(Object.values(NAVIGATION).flat())];
  expect([...shown].sort().join() === [...NAVIGATION[role]].sort().join(), `the navigation of ${role} is ${shown}`);
  for (const path of all) await visit(page, path, NAVIGATION[role].includes(path) ? 200 : 403);
}

// A list that is filtered to nothing says so, and shows all again.
async function filters(page, path) {
  await visit(page, path);
  const search = page.locator('input[type=search]').first();
  if (await search.count() === 0) return false;
  await Promise.all([page.waitForURL(/98765432109/), search.fill('98765432109')]);
  await page.getByText('Nothing matches').first().waitFor();
  note((await axe(page)).map(fault => `${path}, filtered: ${fault}`));
  await page.reload();
  expect(await search.inputValue() === '98765432109', `${path} forgets its filter`);
  await go(page, () => link(page, 'Clear').first().click());
  return true;
}

async function pages(page, path) {
  await visit(page, path);
  const rows = page.locator('table tbody tr');
  expect(await rows.count() === 25, `${path} does not show 25 rows at first`);
  const first = await rows.first().innerText();
  await Promise.all([page.waitForURL(/page=2/), page.locator('a[rel=next]').click()]);
  await page.locator('a[rel=prev]').waitFor();
  expect(await rows.first().innerText() !== first, `the second page of ${path} is the first`);
  await page.goBack();
  await page.locator('a[rel=next]').waitFor();
  expect(await rows.first().innerText() === first, `going back on ${path} does not`);
}

async function sorts(page, path) {
  await visit(page, path);
  const column = page.locator('th a').first();
  await Promise.all([page.waitForURL(/sort=/), column.click()]);
  await page.locator('th[aria-sort]').first().waitFor();
}

async function exports(page, path) {
  await visit(page, path);
  const links = page.getByRole('link', { name: 'CSV', exact: true });
  if (await links.count() === 0) return;
  const { name, content } = await download(page, () => links.first().click());
  const text = content.toString();
  expect(name.endsWith('.csv') && text.split('\n')[0].includes(','), `${path} exports ${name}: ${text.slice(0, 80)}`);
}

async function firstOperator(browser) {
  const operator = await join(browser, given.join, 'Olivia Operator');
  const { page } = operator;
  note(await inspect(page, 'overview-operator'));
  const stranger = await open(browser, { url: given.url });
  await look(stranger.page, 'join-over', given.join, 404);
  await visit(stranger.page, '/admin/subjects');
  expect(stranger.page.url().includes('/admin/sign-in'), 'strangers are not sent to sign in');
  note(await inspect(stranger.page, 'sign-in'));
  await stranger.close();
  return operator;
}

async function keyboard(page) {
  await visit(page, '/admin/administrators');
  await page.keyboard.press('Tab');
  expect(await page.evaluate(() => document.activeElement.matches('.skip')), 'the first stop is not the skip link');
  await page.keyboard.press('Enter');
  expect(await page.evaluate(() => document.activeElement.id === 'content'), 'the skip link does not skip');
  await tabTo(page, '[data-opens^="role-"]');
  await page.keyboard.press('Enter');
  const inside = () => page.evaluate(() => {
    const dialog = document.querySelector('dialog[open]');
    return dialog !== null && (dialog.contains(document.activeElement) || document.activeElement === document.body);
  });
  expect(await inside(), 'the dialog does not take the focus');
  for (let step = 0; step < 8; step += 1) {
    await page.keyboard.press('Tab');
    expect(await inside(), 'the focus leaves the dialog');
  }
  note((await axe(page)).map(fault => `the dialog: ${fault}`));
  note(await inspect(page, 'dialog'));
  await page.keyboard.press('Escape');
  expect(await page.locator('dialog[open]').count() === 0, 'Escape does not close the dialog');
  expect(await page.evaluate(() => document.activeElement.matches('[data-opens^="role-"]')), 'the focus is not given back');

  // On a phone the navigation is behind a button.
  await page.setViewportSize(PHONE);
  await visit(page, '/admin');
  const side = page.locator('#side');
  expect(!await side.isVisible(), 'the navigation is in the way on a phone');
  await tabTo(page, '[data-opens-menu]');
  await page.keyboard.press('Enter');
  await side.waitFor({ state: 'visible' });
  note((await axe(page)).map(fault => `the open navigation: ${fault}`));
  await page.keyboard.press('Escape');
  await side.waitFor({ state: 'hidden' });
  await page.setViewportSize(DESK);
}

async function relyingParties(page) {
  await look(page, 'party-new', '/admin/relying-parties/new');
  await page.getByLabel('Name').fill('Corner shop');
  await page.locator('#field-audience').fill('not an address');
  await button(page, 'Save').click();
  await page.locator('.note.bad').waitFor();
  note(await inspect(page, 'party-fault'));
  await page.locator('#field-audience').fill('https://corner.example');
  await go(page, () => button(page, 'Save').click());
  await visit(page, '/admin/relying-parties');
  await go(page, () => link(page, 'Corner shop').first().click());
  const at = new URL(page.url()).pathname;
  await look(page, 'party', at);
  await page.getByLabel('Notes').fill('On the corner');
  await go(page, () => button(page, 'Save').click());
  await visit(page, at);
  expect(await page.getByLabel('Notes').inputValue() === 'On the corner', 'notes are not kept');
  // What destroys something wants the passkey again, and goes on by itself then.
  await age(FIVE_MINUTES);
  await go(page, () => button(page, 'Remove this relying party').or(page.locator('.card.danger button')).first().click());
  note(await inspect(page, 'prove'));
  await prove(page, 'removing a relying party');
  await visit(page, '/admin/relying-parties');
  expect(await link(page, 'Corner shop').count() === 0, 'the relying party is still there');
}

// Opens a request for the person whom the test enrolled; gives its address.
async function opened(page, right) {
  await visit(page, '/admin/subjects');
  await go(page, () => page.locator('tbody th a').first().click());
  await go(page, () => link(page, 'Open a rights request').click());
  await page.locator('#field-right').selectOption(right);
  await page.locator('input[name=proof][value=out_of_band]').check();
  await page.locator('#field-described').fill('Showed an identity card at the desk in Bonn.');
  await go(page, () => button(page, 'Open the request').click());
  if (await button(page, 'Use the passkey').count() > 0) await prove(page, 'opening a request');
  if (await page.locator('#claim').count() > 0) await go(page, () => link(page, 'Go to the request').click());
  const at = new URL(page.url()).pathname;
  expect(!at.endsWith('/new'), `the request is not opened: ${await page.locator('main').innerText()}`);
  return at;
}

async function rightsRequests(page) {
  await look(page, 'request-whose', '/admin/rights-requests/new');
  const subject = given.subject;
  await look(page, 'request-new', `/admin/rights-requests/new?subject=${encodeURIComponent(subject)}`);
  await go(page, () => button(page, 'Ask the wallet').click());
  await page.locator('#identification').waitFor();
  note(await inspect(page, 'request-identification'));

  const access = await opened(page, 'access');
  await look(page, 'request', access);
  await page.getByLabel('Reasons').fill('We have to gather it from two departments.');
  await go(page, () => button(page, 'Extend by two months').click());
  expect((await page.locator('.toast').innerText()).includes('two months'), 'nothing says that the time is extended');
  await age(FIVE_MINUTES);
  await go(page, () => button(page, 'Approve').click());
  await prove(page, 'approving');
  await page.locator('.toast').waitFor();
  await visit(page, access);
  expect(await button(page, 'Approve').count() === 0, 'what is approved can be approved again');

  const refused = await opened(page, 'access');
  await visit(page, refused);
  await page.getByLabel('Reasons').fill('Please show yourself once more.');
  await go(page, () => button(page, 'Refuse').click());
  await look(page, 'request-refused', refused);
  expect((await page.locator('main').innerText()).includes('Refused'), 'the request is not refused');
}

async function credentials(page) {
  await visit(page, '/admin/credentials');
  const first = page.locator('tbody tr a').first();
  expect(await first.count() === 1, 'no credential is listed');
  await go(page, () => first.click());
  const at = new URL(page.url()).pathname;
  await look(page, 'credential', at);
  for (const [kind, after] of [['suspension', 'reinstatement'], ['reinstatement', 'suspension'], ['revocation', null]]) {
    const form = page.locator(`form[action$="/${kind}"]`).first();
    const opens = page.locator(`[data-opens]`).filter({ has: page.locator(`xpath=./following-sibling::dialog[1][.//form[contains(@action,"/${kind}")]]`) });
    if (await opens.count() > 0) await opens.first().click();
    const needed = form.locator('textarea, input[required]');
    if (await needed.count() > 0) await needed.first().fill('Asked for at the desk.');
    await go(page, () => form.locator('button:not([data-closes])').last().click());
    await visit(page, at);
    if (after) expect(await page.locator(`form[action$="/${after}"]`).count() > 0, `after ${kind} no ${after} is offered`);
    else expect(await page.locator('form[action$="/revocation"]').count() === 0, 'what is revoked can be revoked again');
  }
}

// The log is verified here, by this browser, and again after it has grown.
async function verified(page) {
  await visit(page, '/admin/log');
  const good = page.locator('#log-steps li.good');
  const all = async () => {
    await page.waitForFunction(() => [...document.querySelectorAll('#log-steps li')].every(it => it.className !== ''));
    expect(await good.count() === 3, `the log does not verify: ${await page.locator('#log-steps').innerText()}`);
  };
  await all();
  await button(page, 'Verify now').or(page.locator('#log-verify')).first().click();
  await all();
}

async function detects(browser, operator) {
  // The same page over a service that lies: one byte of an entry is another.
  const { page } = operator;
  await page.route('**/log/tile/entries/**', async route => {
    const response = await route.fetch();
    const body = Buffer.from(await response.body());
    body[body.length - 2] ^= 1;
    await route.fulfill({ response, body });
  });
  await visit(page, '/admin/log');
  await page.locator('#log-steps li[data-step=inclusion].bad').waitFor();
  note(await inspect(page, 'log-forged'));
  await page.unrouteAll();
}

async function account(page) {
  await look(page, 'account', '/admin/account');
  await age(FIVE_MINUTES);
  await visit(page, '/admin/account/new-passkey', 401);
  await prove(page, 'adding a passkey');
  await page.waitForURL(/new-passkey/);
  note(await inspect(page, 'passkey-new'));
  await visit(page, '/admin/account');
  await button(page, 'Rename').first().click();
  await page.locator('dialog[open] input[name=name]').fill('Laptop in the office');
  await go(page, () => page.locator('dialog[open] button[type=submit]').click());
  expect((await page.locator('main').innerText()).includes('Laptop in the office'), 'the passkey keeps its old name');
}

async function auditor(page) {
  for (const [name, path] of Object.entries(LISTS)) {
    await part(`look at ${name}`, () => look(page, name, path));
    await filters(page, path);
    await exports(page, path);
  }
  await sorts(page, '/admin/subjects');
  await pages(page, '/admin/invitations');
  await visit(page, '/admin/relying-parties/new', 403);
  await visit(page, '/admin/subjects');
  await go(page, () => page.locator('tbody th a').first().click());
  const subject = new URL(page.url()).pathname;
  await look(page, 'subject', subject);
  expect(await link(page, 'Open a rights request').count() === 0, 'auditors can open requests');
  const segments = page.locator('.segments a');
  expect(await segments.count() > 2, 'the timeline has no filter');
  await Promise.all([page.waitForURL(/\?/), segments.nth(1).click()]);
  await visit(page, '/admin/notices');
  await go(page, () => page.locator('tbody a').first().click());
  await look(page, 'notice', new URL(page.url()).pathname);
  await visit(page, '/admin/notices');
  const record = await download(page, () => page.locator('a[href^="/admin/processing-record"]').first().click());
  expect(record.content.length > 500, 'the record of processing is empty');
  for (const span of await page.goto('/admin').then(() => page.locator('.segments a').evaluateAll(it => it.map(a => a.href)))) {
    await visit(page, span);
  }
  const audit = await page.goto('/admin/audit').then(() => download(page, () => link(page, 'JSON').click()));
  const acts = JSON.parse(audit.content);
  expect(JSON.stringify(acts).includes('Olivia Operator'), 'the audit trail does not name who acted');
  await look(page, 'not-found', '/admin/no-such-page', 404);
  return subject;
}

async function ends(browser, officer) {
  const { page } = officer;
  await visit(page, '/admin');
  await go(page, () => button(page, 'Sign out').click());
  await visit(page, '/admin/subjects');
  expect(page.url().includes('/admin/sign-in'), 'who signed out is still in');
  await go(page, () => button(page, 'Sign in with a passkey').click());
  await page.waitForURL(/\/admin\/subjects$/);
  await age(HALF_AN_HOUR);
  await visit(page, '/admin/subjects');
  expect(page.url().includes('/admin/sign-in'), 'a session that nobody uses does not end');
}

async function removes(page) {
  await visit(page, '/admin/administrators');
  const row = page.locator('tbody tr', { hasText: 'Otto Officer' }).first();
  await row.getByRole('button', { name: 'Remove', exact: true }).click();
  await go(page, () => page.locator('dialog[open] button[type=submit]').click());
  if (await page.locator('form[data-passkey=get]').count() > 0) await prove(page, 'removing an administrator');
  await look(page, 'administrators', '/admin/administrators');
  expect((await page.locator('tbody tr', { hasText: 'Otto Officer' }).first().innerText()).includes('Removed'), 'nobody is removed');
}

await run(launch, async browser => {
  const operator = await part('the first operator joins', () => firstOperator(browser));
  const [officerLink, auditorLink] = await part('two others are invited', async () => {
    const officer = await invite(operator.page, 'Otto Officer', 'privacy_officer');
    note(await inspect(operator.page, 'link-made'));
    return [officer, await invite(operator.page, 'Audrey Auditor', 'auditor')];
  });
  const officer = await part('an officer joins', () => join(browser, officerLink, 'Otto Officer'));
  const reader = await part('an auditor joins', () => join(browser, auditorLink, 'Audrey Auditor'));
  await part('each sees what they may', async () => {
    await sees(operator.page, 'operator');
    await sees(officer.page, 'privacy_officer');
    await sees(reader.page, 'auditor');
  });
  await part('by keyboard', () => keyboard(operator.page));
  await part('relying parties', () => relyingParties(operator.page));
  await part('forgeries', async () => {
    await refusesForgeries(operator.page, '/admin/relying-parties/new', 'name=Evil&audience=https://evil.example');
    await refusesForgeries(operator.page, '/admin/administrators/links', 'name=Evil&role=operator');
    await visit(operator.page, '/admin/relying-parties');
    expect(!(await operator.page.locator('main').innerText()).includes('Evil'), 'a forged form was taken');
  });
  await part('rights requests', () => rightsRequests(officer.page));
  await part('credentials', () => credentials(officer.page));
  await part('one’s account', () => account(officer.page));
  await part('the log', () => verified(operator.page));
  await part('a log that lies', () => detects(browser, operator));
  const subject = await part('an auditor reads everything', () => auditor(reader.page));
  await part('colours', () => recolour(reader.page));
  await part('every language', async () => {
    const notice = await reader.page.goto('/admin/notices').then(() => reader.page.locator('tbody a').first().getAttribute('href'));
    await read(reader.page, [...NAVIGATION.auditor, subject, notice, '/admin/account']);
    await visit(officer.page, '/admin');
    await read(officer.page, ['/admin/relying-parties/new', `/admin/rights-requests/new?subject=${encodeURIComponent(given.subject)}`]);
  });
  await part('sessions end', () => ends(browser, officer));
  await part('an administrator is removed', async () => {
    const { page } = operator;
    await visit(page, '/admin');
    if (page.url().includes('sign-in')) await go(page, () => button(page, 'Sign in with a passkey').click());
    await removes(page);
  });
  for (const person of [operator, officer, reader]) await person.close();
});
