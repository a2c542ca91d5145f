// Debian's Chromium, as a person at a desk or with a phone has it.

import { readFile, mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { chromium } from 'playwright-core';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const EXECUTABLE = process.env.CHROMIUM ?? '/usr/bin/chromium';
// Where screenshots go, for a person to look at; none are taken without it.
const SCREENSHOTS = process.env.BLINDPRINT_SCREENSHOTS;

export const DESK = { width: 1280, height: 860 };
export const PHONE = { width: 390, height: 844 };

// A browser that runs as root too, where its sandbox cannot.
export function launch() {
  const root = process.getuid() === 0;
  return chromium.launch({ executablePath: EXECUTABLE, args: root ? ['--no-sandbox'] : [] });
}

// A page whose every error is a failure: uncaught exceptions, refused resources, violations of the
// content security policy. `close` tells them.
export async function open(browser, { viewport = DESK, colorScheme = 'light', locale = 'en', url } = {}) {
  const context = await browser.newContext({
    viewport, colorScheme, locale, baseURL: url, ignoreHTTPSErrors: true, reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  const faults = [];
  page.on('pageerror', error => faults.push(`uncaught: ${error.message}`));
  page.on('console', message => {
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) faults.push(message.text());
  });
  page.on('response', response => {
    if (response.status() >= 500) faults.push(`${response.status()} ${response.url()}`);
  });
  const close = async () => {
    await context.close();
    if (faults.length > 0) throw new Error(faults.join('\n'));
  };
  return { context, page, close };
}

// A passkey in this page's device, which says yes to everything.
export async function passkey(page) {
  const session = await page.context().newCDPSession(page);
  await session.send('WebAuthn.enable');
  const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true,
      isUserVerified: true, automaticPresenceSimulation: true,
    },
  });
  return { session, authenticatorId };
}

// What axe-core finds wrong, as one line a fault. The page's own policy forbids foreign scripts, so axe
// is evaluated from outside of it.
export async function axe(page) {
  await page.evaluate(await readFile(AXE, 'utf8'));
  const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ['violations'] }));
  return violations.flatMap(rule => rule.nodes.map(node => `${rule.id}: ${rule.help}: ${node.target} ${node.html.slice(0, 160)}`));
}

// Whether the page is wider than the screen.
export function overflows(page) {
  return page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
}

export async function screenshot(page, name) {
  if (!SCREENSHOTS) return;
  await mkdir(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: path.join(SCREENSHOTS, `${name}.png`), fullPage: true });
}

// One page at a desk and on a phone, light and dark: no fault of accessibility, nothing cut off.
export async function inspect(page, name) {
  const faults = [];
  for (const [device, viewport] of Object.entries({ desk: DESK, phone: PHONE })) {
    await page.setViewportSize(viewport);
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await screenshot(page, `${name}-${device}-${colorScheme}`);
      for (const fault of await axe(page)) faults.push(`${name}, ${device}, ${colorScheme}: ${fault}`);
    }
    if (await overflows(page)) faults.push(`${name}, ${device}: wider than the screen`);
  }
  await page.setViewportSize(DESK);
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
  return faults;
}
