// What the programs here have of the test that runs them: its first line, what it does when asked, and the
// command line of somebody's wallet. Faults are gathered, so that one run tells all of them.

import { execFile } from 'node:child_process';
import { createInterface } from 'node:readline';
import { screenshot } from './browser.mjs';

const input = createInterface({ input: process.stdin });
const lines = input[Symbol.asyncIterator]();
const faults = [];

async function line() {
  const { value, done } = await lines.next();
  if (done) throw new Error('the test has ended');
  return JSON.parse(value);
}

// Addresses, links, the wallet's environment: what is there before the first page is opened.
export const given = await line();

// Has every session last used this many seconds earlier than it was.
export async function age(seconds) {
  process.stdout.write(`${JSON.stringify({ age: seconds })}\n`);
  await line();
}

// What the wallet answers, and its exit status.
export function wallet(...command) {
  const { program, environment } = given.wallet;
  return new Promise(resolve => {
    execFile(program, [...command, '--json'], { env: environment }, (error, stdout, stderr) => {
      let json = null;
      try { json = JSON.parse(stdout); } catch { /* it said nothing that is JSON */ }
      resolve({ code: error ? (error.code ?? -1) : 0, json, stderr });
    });
  });
}

// The same; it has to succeed.
export async function does(...command) {
  const { code, json, stderr } = await wallet(...command);
  if (code !== 0) throw new Error(`the wallet does not ${command[0]}: ${stderr}`);
  return json;
}

export function expect(right, what) {
  if (!right) throw new Error(what);
}

export function note(found) {
  faults.push(...found);
}

// One part of the story, by name in whatever is thrown.
export async function part(name, work) {
  const start = Date.now();
  try {
    return await work();
  } catch (error) {
    error.message = `${name}: ${error.message}`;
    throw error;
  } finally {
    console.error(`${name}: ${Date.now() - start} ms`);
  }
}

// Runs all of it and ends the browser, whatever happens.
export async function run(launch, story) {
  const browser = await launch();
  try {
    await story(browser);
  } catch (error) {
    faults.push(error.stack ?? String(error));
    const pages = browser.contexts().flatMap(context => context.pages());
    for (const [number, page] of pages.entries()) {
      faults.push(`open: ${page.url()}`);
      await screenshot(page, `failed-${number}`);
    }
  } finally {
    await browser.close();
    input.close();
  }
  if (faults.length > 0) {
    console.error(`\n${faults.join('\n')}`);
    process.exitCode = 1;
  } else {
    process.stdout.write('{"done":true}\n');
  }
}
