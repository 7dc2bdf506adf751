// npm run screenshots: takes a screenshot of every state of the dashboard. All go into a folder that Git ignores; the
// four pictures for the documents go into docs/images. Arguments: the names of the states to photograph.
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Browser, BrowserContextOptions } from 'playwright-core';
import { openBrowser, signedInState } from '../e2e/browser.ts';
import { startServer } from '../e2e/server.ts';
import { STATES, enter } from '../e2e/states.ts';
import type { State } from '../e2e/states.ts';

type Look = { name: string; width: number; height: number; options: BrowserContextOptions };
const LOOKS: Look[] = [
  { name: 'light', width: 1280, height: 800, options: {} },
  { name: 'dark', width: 1280, height: 800, options: { colorScheme: 'dark' } },
  { name: 'phone', width: 390, height: 844, options: {} },
  { name: 'narrow-dark', width: 320, height: 640, options: { colorScheme: 'dark' } },
  { name: 'forced-colours', width: 1280, height: 800, options: { forcedColors: 'active' } },
];
const IMAGES: [file: string, state: string, look: Look][] = [
  ['dashboard', 'toggle-done', { name: '', width: 1280, height: 690, options: {} }],
  ['dashboard-dark', 'toggle-done', { name: '', width: 1280, height: 690, options: { colorScheme: 'dark' } }],
  ['create', 'secret-copied', { name: '', width: 1280, height: 720, options: {} }],
  ['phone', 'table', { name: '', width: 390, height: 844, options: {} }],
];
// Sharp enough for a README, and small enough for Git.
const SCALE = 1.2;
const IMAGE_LIMIT_BYTES = 150_000;

const root = resolve(import.meta.dirname, '..');
const folder = join(root, '.tmp/screenshots');
const images = join(root, 'docs/images');
const wanted = process.argv.slice(2);

useFonts();
const server = await startServer();
const browser = await openBrowser();
try {
  const cookies = await signedInState(browser, server.origin);
  mkdirSync(images, { recursive: true });
  const photograph = (state: State, look: Look, scale: number, path: string): Promise<void> =>
    take(browser, state, look, { deviceScaleFactor: scale, storageState: cookies }, path);
  for (const state of STATES) {
    if (wanted.length > 0 && !wanted.includes(state.name)) continue;
    for (const look of LOOKS) {
      if (state.widths?.includes(look.width) === false) continue;
      await photograph(state, look, 1, join(folder, `${state.name}-${look.name}.png`));
    }
  }
  for (const [file, name, look] of IMAGES) {
    const state = STATES.find((one) => one.name === name);
    const path = join(images, `${file}.png`);
    if (state === undefined) throw new Error(`No state is called ${name}`);
    if (wanted.length > 0 && !wanted.includes('docs')) continue;
    await photograph(state, look, SCALE, path);
    const { size } = statSync(path);
    if (size > IMAGE_LIMIT_BYTES)
      throw new Error(`${path} has ${size} bytes, more than ${IMAGE_LIMIT_BYTES}`);
    console.log(`${path}: ${size} bytes`);
  }
  console.log(`The whole set: ${folder}`);
} finally {
  await browser.close();
  await server.stop();
}

/** The packaged browser has one sans-serif font; code uses the monospace font of the machine, if it has one. */
function useFonts(): void {
  const file = join(folder, 'fonts.conf');
  mkdirSync(folder, { recursive: true });
  const alias = (family: string, chosen: string): string =>
    `<alias binding="same"><family>${family}</family><prefer><family>${chosen}</family></prefer></alias>`;
  writeFileSync(
    file,
    `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>
<dir>${join(tmpdir(), 'fonts')}</dir><dir>/usr/share/fonts</dir><cachedir>${join(folder, 'fonts')}</cachedir>
${alias('sans-serif', 'Open Sans')}${alias('system-ui', 'Open Sans')}${alias('monospace', 'DejaVu Sans Mono')}
</fontconfig>`,
  );
  process.env['FONTCONFIG_FILE'] ??= file;
}

async function take(
  chromium: Browser,
  state: State,
  look: Look,
  given: BrowserContextOptions,
  path: string,
): Promise<void> {
  const { storageState, ...options } = { ...given, ...look.options };
  const context = await chromium.newContext({
    ...options,
    ...(state.anonymous === true || storageState === undefined ? {} : { storageState }),
    locale: 'en-GB',
    viewport: { width: look.width, height: look.height },
    permissions: ['clipboard-read', 'clipboard-write'],
    reducedMotion: 'reduce',
  });
  context.setDefaultTimeout(15_000);
  try {
    const page = await context.newPage();
    await enter(page, server.origin, state);
    await page.screenshot({ path });
  } catch (error) {
    throw new Error(`${state.name} at ${look.name || 'docs'}`, { cause: error });
  } finally {
    await context.close();
  }
}
