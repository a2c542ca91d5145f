// What holds for every page: it can be used by anybody, in every language, on every screen.

import { readFile, readdir } from 'node:fs/promises';
import { DESK, PHONE, inspect, overflows } from './browser.mjs';
import { expect, note } from './program.mjs';

export const LANGUAGES = ['en', 'de', 'fr', 'es'];
const CATALOGUES = new URL('../../server/locales/en/', import.meta.url);

// The names of all texts: none of them is ever shown.
async function keys() {
  const all = [];
  for (const file of await readdir(CATALOGUES)) {
    let table = '';
    for (const line of (await readFile(new URL(file, CATALOGUES), 'utf8')).split('\n')) {
      const heading = /^\[(.+)\]$/.exec(line.trim());
      const entry = /^([A-Za-z0-9_-]+) = /.exec(line);
      if (heading) table = heading[1];
      else if (entry) all.push(table ? `${table}.${entry[1]}` : entry[1]);
    }
  }
  expect(all.length > 500, 'the catalogues of texts are not where they were');
  return new Set(all);
}

const KEYS = await keys();

// Opens a page and sees that it answers as it should.
export async function visit(page, path, status = 200) {
  const response = await page.goto(path);
  expect(response.status() === status, `${path} answers ${response.status()}, not ${status}`);
  await page.waitForLoadState('load');
}

// Opens a page and looks at it as everybody might.
export async function look(page, name, path, status = 200) {
  await visit(page, path, status);
  note(await inspect(page, name));
}

// Words on a page that are names of texts, where texts should be.
async function unnamed(page) {
  const words = await page.evaluate(() => {
    const found = [document.title];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      // Code is data.
      if (!walker.currentNode.parentElement.closest('code, pre, .mono')) found.push(walker.currentNode.data.trim());
    }
    for (const element of document.querySelectorAll('[aria-label], [title], [alt], [data-text], [data-done]')) {
      for (const name of ['aria-label', 'title', 'alt', 'data-text', 'data-done']) found.push(element.getAttribute(name) ?? '');
    }
    return found;
  });
  return words.filter(word => KEYS.has(word) && word.includes('.'));
}

// Every page in every language on a phone, where words are longest and screens are narrowest.
export async function read(page, paths) {
  await page.setViewportSize(PHONE);
  for (const language of LANGUAGES) {
    await Promise.all([
      page.waitForNavigation(),
      page.locator(`.preferences button[value="${language}"]`).click(),
    ]);
    for (const path of paths) {
      await visit(page, path);
      const said = await page.locator('html').getAttribute('lang');
      if (said !== language) note([`${path} is in ${said}, not in ${language}`]);
      const pressed = await page.locator(`.preferences button[value="${language}"]`).getAttribute('aria-pressed');
      if (pressed !== 'true') note([`${path} does not say that it is in ${language}`]);
      for (const key of await unnamed(page)) note([`${path} in ${language} shows ${key}`]);
      if (await overflows(page)) note([`${path} in ${language} is wider than a phone`]);
    }
  }
  await Promise.all([page.waitForNavigation(), page.locator('.preferences button[value="en"]').click()]);
  await page.setViewportSize(DESK);
}

// Colours stay as they were chosen, also on the next page.
export async function recolour(page) {
  for (const theme of ['dark', 'light', 'system']) {
    await Promise.all([
      page.waitForNavigation(),
      page.locator(`.preferences button[value="${theme}"]`).click(),
    ]);
    await page.reload();
    const said = await page.locator('html').getAttribute('data-theme');
    expect(theme === 'system' ? said === null : said === theme, `${theme} colours do not stay`);
  }
}

// A form that a page of somebody else could send, or one without the session's token, changes nothing.
export async function refusesForgeries(page, path, body) {
  const status = await page.evaluate(async ({ path, body }) => {
    const response = await fetch(path, {
      method: 'POST', body, headers: { 'content-type': 'application/x-www-form-urlencoded' }, redirect: 'manual',
    });
    return response.status;
  }, { path, body });
  expect(status >= 400 && status < 500, `${path} without a token answers ${status}`);
  const forged = await page.context().request.post(path, {
    data: body, maxRedirects: 0,
    headers: { 'content-type': 'application/x-www-form-urlencoded', origin: 'https://evil.example' },
  });
  expect(forged.status() >= 400 && forged.status() < 500, `${path} from elsewhere answers ${forged.status()}`);
}

// The file that a click brings: its name and content.
export async function download(page, click) {
  const [file] = await Promise.all([page.waitForEvent('download'), click()]);
  return { name: file.suggestedFilename(), content: await readFile(await file.path()) };
}

// Goes to the next thing with the keyboard until it is `wanted`, a selector; tells how far it was.
export async function tabTo(page, wanted, most = 60) {
  for (let steps = 1; steps <= most; steps += 1) {
    await page.keyboard.press('Tab');
    if (await page.evaluate(wanted => document.activeElement.matches(wanted), wanted)) return steps;
  }
  throw new Error(`the keyboard does not reach ${wanted}`);
}
