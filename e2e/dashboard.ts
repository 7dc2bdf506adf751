// A member's dashboard in a browser, for the suites of its behaviour. The page is the real one. Answers that a healthy
// server never gives are made up.
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { openBrowser, signedInState } from './browser.ts';
import { startSeeded } from './deployment.ts';
import { ROWS, SECRET, USAGE, answer, calls, json, withBoot } from './fixtures.ts';
import type { Row } from './fixtures.ts';

export const ZONE = '/developer-zone?organisation=acme';
export const TOKENS = 'organisations/acme/tokens';
const organisations = [
  { id: 'acme', name: 'Acme Events', plan: 'enterprise', pausedAt: null },
  { id: 'hooli', name: 'Hooli Summits', plan: 'enterprise', pausedAt: null },
  { id: 'globex', name: 'Globex Runs', plan: 'pro', pausedAt: null },
];
export const member = { session: { member: { email: 'owner@example.com' }, organisations } };
/** The member's session when the first organisation is on another plan. */
export const sessionOnPlan = (plan: string) => ({
  ...member.session,
  organisations: [{ ...organisations[0], plan }, ...organisations.slice(1)],
});
/** One of the four tokens of the page. */
export function rowAt(index: number): Row {
  const found = ROWS[index];
  if (found === undefined) throw new Error(`no row ${index}`);
  return found;
}
export const table = { tokens: { organisation: 'acme', tokens: ROWS } };
export const newRow = { ...rowAt(0), id: 'id-new', preview: SECRET.slice(0, 5), name: null };
/** The token's part of the names of its controls: its name, then its mask. */
export const labelOf = ({ name, preview }: { name: string | null; preview: string }): string =>
  name === null ? `${preview}***` : `${name} ${preview}***`;
export const receipt = (row: object) => ({ token: row, effectiveAt: new Date().toISOString() });

export type Given = {
  path?: string;
  boot?: Record<string, unknown>;
  options?: BrowserContextOptions;
  anonymous?: boolean;
  before?: (page: Page) => Promise<unknown>;
};

type Product = {
  /** The Worker's origin, once it runs. */
  here: () => string;
  browser: () => Browser;
  /** The cookies of a signed-in owner. */
  owner: () => StorageState;
  /** A page in a context of its own, closed after the test. The test fails when the page reported an error. */
  newPage: (options: BrowserContextOptions) => Promise<Page>;
};
type Zone = { origin: string; stop(): Promise<unknown> };
type StorageState = Awaited<ReturnType<typeof signedInState>>;

/** A Worker and a browser for one file of tests. */
export function useProduct(start: () => Promise<Zone> = () => startSeeded()): Product {
  let zone: Zone;
  let browser: Browser;
  let owner: StorageState;
  let context: BrowserContext | undefined;
  let complaints: string[] = [];

  beforeAll(async () => {
    [zone, browser] = await Promise.all([start(), openBrowser()]);
    owner = await signedInState(browser, zone.origin);
  });
  afterAll(async () => {
    await browser?.close();
    await zone?.stop();
  });
  afterEach(async () => {
    await context?.close();
    expect(complaints).toEqual([]);
  });

  async function newPage(options: BrowserContextOptions): Promise<Page> {
    context = await browser.newContext({ permissions: ['clipboard-read', 'clipboard-write'], ...options });
    context.setDefaultTimeout(10_000);
    complaints = [];
    const page = await context.newPage();
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      // The browser itself reports every answer of 400 and above; these tests cause such answers on purpose.
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) {
        complaints.push(message.text());
      }
    });
    return page;
  }

  return { here: () => zone.origin, browser: () => browser, owner: () => owner, newPage };
}

/** The same with a member's page, which has four tokens. `here` is the Worker's origin, once it runs. */
export function useDashboard(start?: () => Promise<Zone>): {
  open: (given?: Given) => Promise<Page>;
  here: () => string;
} {
  const { here, owner, newPage } = useProduct(start);

  async function open({ path = ZONE, boot = table, options = {}, anonymous = false, before }: Given = {}) {
    const page = await newPage({ ...(anonymous ? {} : { storageState: owner() }), ...options });
    await answer(page, 'organisations/*/usage', json(USAGE));
    await answer(page, 'organisations/*/tokens/*/calls', (route) => json(calls())(route));
    await answer(page, 'organisations/*/still-calling', json({ stillCalling: [] }));
    await answer(page, TOKENS, json({ tokens: ROWS, limit: 10 }));
    await withBoot(page, boot);
    await before?.(page);
    await page.goto(here() + path);
    return page;
  }

  return { open, here };
}

/** The first token's own page, where it is renamed; reached from the table by its name. */
export const openToken = (page: Page) => page.getByRole('link', { name: 'Website', exact: true }).click();
export const renameButton = (page: Page) => page.getByRole('button', { name: /^Rename token/ });
export const switches = (page: Page) => page.getByRole('switch');
export const trash = (page: Page) => page.getByRole('button', { name: /^Delete token/ });
export const createButton = (page: Page) => page.getByRole('button', { name: 'Create Token', exact: true });
export const confirmButton = (page: Page) =>
  page.getByRole('dialog').getByRole('button', { name: 'Create Token' });
export const field = (page: Page) => page.getByLabel('API token', { exact: true });
export const focused = (page: Page) =>
  page.evaluate(() => {
    const node = document.activeElement;
    return node?.getAttribute('aria-label') ?? node?.textContent?.trim() ?? '';
  });
export const count = (page: Page, path: string, method: string): string[] => {
  const asked: string[] = [];
  page.on('request', (request) => {
    const { pathname } = new URL(request.url());
    if (pathname === path && request.method() === method) asked.push(pathname);
  });
  return asked;
};

export async function showSecret(page: Page): Promise<void> {
  await createButton(page).click();
  await confirmButton(page).click();
  await field(page).waitFor();
}
/** Measures layout shifts from now on, also those after user input. The returned function reads their sum (CLS). */
export async function watchShifts(page: Page): Promise<() => Promise<number>> {
  await page.evaluate(() => {
    const shifts = { total: 0 };
    Object.assign(globalThis, { shifts });
    new PerformanceObserver((list) => {
      // Layout shifts are not in the DOM library's types yet.
      for (const entry of list.getEntries() as (PerformanceEntry & { value: number })[])
        shifts.total += entry.value;
    }).observe({ type: 'layout-shift', buffered: false });
  });
  // A shift is reported after the frame in which it happened.
  return () =>
    page.evaluate(async () => {
      await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
      return (globalThis as unknown as { shifts: { total: number } }).shifts.total;
    });
}
export const created = (page: Page) => answer(page, TOKENS, json({ token: newRow, secret: SECRET }, 201));
