// A real Chromium from an npm package, with the web security of a normal browser.
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type Packaged from '@sparticuz/chromium';
import { chromium } from 'playwright-core';
import type { Browser, BrowserContext, Page } from 'playwright-core';

const BROWSER = 'chromium';
const UNPACK = "await (await import('@sparticuz/chromium')).default.executablePath()";

let loading: Promise<{ packaged: typeof Packaged; env: Record<string, string> }> | undefined;

/**
 * Unpacks the browser, its libraries and its fonts into the folder where the package looks for them. Several processes may do so at
 * the same time. The package alone takes a file that another process still writes for a whole one. So each process unpacks into a
 * folder of its own and moves the parts, the browser last: where it is, the others are.
 */
async function unpack(): Promise<void> {
  if (existsSync(join(tmpdir(), BROWSER))) return;
  const own = mkdtempSync(join(tmpdir(), 'browser-'));
  try {
    await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', UNPACK], {
      cwd: resolve(import.meta.dirname, '..'),
      env: { ...process.env, TMPDIR: own },
    });
    const parts = readdirSync(own).filter((part) => part !== BROWSER);
    for (const part of [...parts, BROWSER]) {
      try {
        renameSync(join(own, part), join(tmpdir(), part));
      } catch (error) {
        // Another process was faster: a folder cannot take the place of one that holds files.
        if (!existsSync(join(tmpdir(), part))) throw error;
      }
    }
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
}

/**
 * The package, and the environment that it makes for its browser: the libraries and fonts that a bare machine lacks. The package
 * changes the environment of this process. We restore it, because other browsers that are started here need their own.
 */
function loadPackaged(): NonNullable<typeof loading> {
  loading ??= (async () => {
    const before = { ...process.env };
    // The package reads this at import and then unpacks the libraries and fonts.
    process.env['AWS_EXECUTION_ENV'] ??= 'AWS_Lambda_nodejs24.x';
    if (!process.env['CHROME_PATH']) await unpack();
    const { default: packaged } = await import('@sparticuz/chromium');
    const env = Object.fromEntries(
      Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
    );
    for (const name of ['FONTCONFIG_PATH', 'LD_LIBRARY_PATH']) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
    return { packaged, env };
  })();
  return loading;
}

/** `port` lets a second client, such as Lighthouse, connect to the browser. */
export async function openBrowser(port?: number): Promise<Browser> {
  const { packaged, env } = await loadPackaged();
  return chromium.launch({
    env,
    // An empty setting counts as not set.
    executablePath: process.env['CHROME_PATH'] || (await packaged.executablePath()),
    // Nothing else: the package's own default flags would switch web security off and hide CSP and CORS faults.
    args: [
      '--no-sandbox',
      '--headless=shell',
      ...(port === undefined ? [] : [`--remote-debugging-port=${port}`]),
    ],
  });
}

/** Signs in through the page itself, by the link that local mode shows. */
export async function signIn(page: Page, origin: string, email = 'owner@example.com'): Promise<void> {
  await page.goto(`${origin}/sign-in`);
  await page.getByLabel('Email').fill(email);
  await page.getByRole('button', { name: 'Send sign-in link' }).click();
  await page.getByRole('link', { name: 'Open the sign-in link' }).click();
  await page.waitForURL('**/developer-zone*');
}

/** The cookies of a signed-in member, so that a suite signs each one in once (sign-in links are limited). */
export async function signedInState(
  browser: Browser,
  origin: string,
  email?: string,
): Promise<Awaited<ReturnType<BrowserContext['storageState']>>> {
  const context = await browser.newContext();
  await signIn(await context.newPage(), origin, email);
  const state = await context.storageState();
  await context.close();
  return state;
}
