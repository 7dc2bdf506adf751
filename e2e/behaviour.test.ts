// How the dashboard behaves under a hand, a keyboard, a bad network and a second tab. The page is the real one; where a
// healthy server would never answer so, its answer is made up.
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openBrowser, signedInState } from './browser.ts';
import { ROWS, SECRET, USAGE, answer, broken, cut, json, problem, silence, withBoot } from './fixtures.ts';
import { startServer } from './server.ts';
import type { Server } from './server.ts';

const ZONE = '/developer-zone?organisation=acme';
const TOKENS = 'organisations/acme/tokens';
const organisations = [
  { id: 'acme', name: 'Acme Events', plan: 'enterprise' },
  { id: 'hooli', name: 'Hooli Summits', plan: 'enterprise' },
  { id: 'globex', name: 'Globex Runs', plan: 'pro' },
];
const member = { session: { member: { email: 'owner@example.com' }, organisations } };
const table = { tokens: { organisation: 'acme', tokens: ROWS, limit: 10 } };
const newRow = { ...ROWS[0], id: 'id-new', preview: SECRET.slice(0, 5), name: null };
const receipt = (row: object) => ({ token: row, effectiveAt: new Date().toISOString() });

let server: Server;
let browser: Browser;
let owner: Awaited<ReturnType<typeof signedInState>>;
let context: BrowserContext;
let complaints: string[] = [];

beforeAll(async () => {
  [server, browser] = await Promise.all([startServer(), openBrowser()]);
  owner = await signedInState(browser, server.origin);
});
afterAll(async () => {
  await browser?.close();
  await server?.stop();
});
afterEach(async () => {
  await context?.close();
  expect(complaints).toEqual([]);
});

type Given = {
  path?: string;
  boot?: Record<string, unknown>;
  options?: BrowserContextOptions;
  anonymous?: boolean;
  before?: (page: Page) => Promise<unknown>;
};

/** A page of a signed-in owner with four tokens; whatever it complains about fails the test. */
async function open({ path = ZONE, boot = table, options = {}, anonymous = false, before }: Given = {}) {
  context = await browser.newContext({
    ...(anonymous ? {} : { storageState: owner }),
    permissions: ['clipboard-read', 'clipboard-write'],
    ...options,
  });
  context.setDefaultTimeout(10_000);
  complaints = [];
  const page = await context.newPage();
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) {
      complaints.push(message.text());
    }
  });
  await answer(page, 'organisations/*/usage', json(USAGE));
  await withBoot(page, boot);
  await before?.(page);
  await page.goto(server.origin + path);
  return page;
}

const switches = (page: Page) => page.getByRole('switch');
const trash = (page: Page) => page.getByRole('button', { name: /^Delete token/ });
const createButton = (page: Page) => page.getByRole('button', { name: 'Create Token', exact: true });
const confirmButton = (page: Page) => page.getByRole('dialog').getByRole('button', { name: 'Create Token' });
const field = (page: Page) => page.getByLabel('API token', { exact: true });
const focused = (page: Page) =>
  page.evaluate(() => {
    const node = document.activeElement;
    return node?.getAttribute('aria-label') ?? node?.textContent?.trim() ?? '';
  });
const count = (page: Page, path: string, method: string): string[] => {
  const asked: string[] = [];
  page.on('request', (request) => {
    const { pathname } = new URL(request.url());
    if (pathname === path && request.method() === method) asked.push(pathname);
  });
  return asked;
};

async function showSecret(page: Page): Promise<void> {
  await createButton(page).click();
  await confirmButton(page).click();
  await field(page).waitFor();
}
/** What moves on the page from now on, after a hand's touch as well: its answer reads the sum (CLS). */
async function watchShifts(page: Page): Promise<() => Promise<number>> {
  await page.evaluate(() => {
    const shifts = { total: 0 };
    Object.assign(globalThis, { shifts });
    new PerformanceObserver((list) => {
      // Layout shifts are not in the DOM library's types yet.
      for (const entry of list.getEntries() as (PerformanceEntry & { value: number })[])
        shifts.total += entry.value;
    }).observe({ type: 'layout-shift', buffered: false });
  });
  // A shift is reported after the picture that it spoilt.
  return () =>
    page.evaluate(async () => {
      await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
      return (globalThis as unknown as { shifts: { total: number } }).shifts.total;
    });
}
const created = (page: Page) => answer(page, TOKENS, json({ token: newRow, secret: SECRET }, 201));

describe('the frame', () => {
  it('begins with a skip link, and has one heading, its landmarks and the current page marked', async () => {
    const page = await open();
    await page.keyboard.press('Tab');
    expect(await focused(page)).toBe('Skip to content');
    await page.keyboard.press('Enter');
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('content');
    expect(await page.getByRole('heading', { level: 1 }).count()).toBe(1);
    expect(await page.getByRole('navigation').count()).toBe(1);
    expect(await page.getByRole('main').count()).toBe(1);
    expect(await page.locator('[aria-current=page]').innerText()).toBe('Developer Zone');
    expect(await page.locator('html').getAttribute('lang')).toBe('en');
  });

  it('keeps the organisation in the address: a reload, Back, the title and the focus follow it', async () => {
    const page = await open({ path: '/developer-zone', boot: {} });
    await page.getByLabel('Organisation').selectOption('globex');
    await page.getByRole('heading', { name: 'Enterprise Plan Required' }).waitFor();
    await expect.poll(() => page.title()).toBe('Developer Zone · Globex Runs · 9Pic');
    expect(page.url()).toContain('?organisation=globex');
    await page.reload();
    await page.getByRole('heading', { name: 'Enterprise Plan Required' }).waitFor();
    await page.getByLabel('Organisation').selectOption('acme');
    await page.getByRole('link', { name: 'Activity' }).click();
    await expect.poll(() => focused(page)).toBe('Activity');
    await expect.poll(() => page.title()).toBe('Activity · Acme Events · 9Pic');
    await page.goBack();
    await expect.poll(() => page.title()).toBe('Developer Zone · Acme Events · 9Pic');
    await page.goBack();
    await page.getByRole('heading', { name: 'Enterprise Plan Required' }).waitFor();
    expect(await page.getByLabel('Organisation').inputValue()).toBe('globex');
  });

  it('asks once for each change of organisation, and a late answer of the one before never paints', async () => {
    let release: () => void = () => {};
    const page = await open({
      path: '/developer-zone',
      boot: member,
      before: async (opened) => {
        await answer(opened, TOKENS, async (route) => {
          await new Promise<void>((done) => {
            release = done;
          });
          await route.fulfill({ json: { tokens: ROWS, limit: 10 } }).catch(() => {});
        });
        await answer(opened, 'organisations/hooli/tokens', json({ tokens: [], limit: 10 }));
      },
    });
    const asked = count(page, '/api/organisations/hooli/tokens', 'GET');
    const failed: string[] = [];
    page.on('requestfailed', (request) => failed.push(new URL(request.url()).pathname));
    await page.getByLabel('Organisation').selectOption('acme');
    await page.getByLabel('Organisation').selectOption('hooli');
    await page.getByText('No API tokens yet').waitFor();
    release();
    await expect.poll(() => failed).toEqual(['/api/organisations/acme/tokens']);
    expect(await page.getByText('No API tokens yet').isVisible()).toBe(true);
    expect(asked).toHaveLength(1);
  });

  it('keeps the menu of a phone behind a button that Esc closes', async () => {
    const page = await open({ options: { viewport: { width: 390, height: 844 } } });
    const menu = page.getByRole('button', { name: 'Menu' });
    expect(await page.getByRole('link', { name: 'Activity' }).isVisible()).toBe(false);
    await menu.click();
    await page.getByRole('link', { name: 'Activity' }).waitFor();
    await page.getByLabel('Organisation').focus();
    await page.keyboard.press('Escape');
    await page.getByRole('link', { name: 'Activity' }).waitFor({ state: 'hidden' });
    expect(await focused(page)).toBe('Menu');
    await menu.click();
    await page.getByRole('link', { name: 'Activity' }).click();
    await page.getByRole('heading', { name: 'Activity', level: 1 }).waitFor();
    await page.getByRole('link', { name: 'Activity' }).waitFor({ state: 'hidden' });
  });

  it('closes the menu of a phone when an organisation was chosen in it', async () => {
    const page = await open({
      options: { viewport: { width: 390, height: 844 } },
      boot: { ...table, ...member },
    });
    await page.getByRole('button', { name: 'Menu' }).click();
    await page.getByLabel('Organisation').selectOption('globex');
    await page.getByRole('heading', { name: 'Enterprise Plan Required' }).waitFor();
    await page.getByLabel('Organisation').waitFor({ state: 'hidden' });
    expect(await focused(page)).toBe('Menu');
  });

  it('lets a member choose the organisation on a phone without opening the menu', async () => {
    const page = await open({
      path: '/developer-zone',
      boot: member,
      options: { viewport: { width: 390, height: 844 } },
    });
    await page.getByRole('link', { name: 'Globex Runs' }).click();
    await page.getByRole('heading', { name: 'Enterprise Plan Required' }).waitFor();
    expect(page.url()).toContain('?organisation=globex');
  });
});

describe('the table', () => {
  it('has five columns in their order, and masks of five characters in monospace', async () => {
    const page = await open();
    expect(await page.getByRole('columnheader').allInnerTexts()).toEqual([
      'Token',
      'Status',
      'Created By',
      'Created At',
      'Actions',
    ]);
    const mask = page.locator('.mask').first();
    expect(await mask.innerText()).toBe(`${ROWS[0]?.preview}***`);
    expect(await mask.evaluate((node) => getComputedStyle(node).fontFamily)).toContain('monospace');
  });

  it('tells the status by word and shape, and the date in the locale of the reader', async () => {
    const page = await open({ options: { locale: 'de-DE', timezoneId: 'Europe/Berlin' } });
    expect(await page.locator('.badge').allInnerTexts()).toEqual(['Active', 'Active', 'Inactive', 'Active']);
    const dots = await page
      .locator('.badge')
      .evaluateAll((nodes) => nodes.map((node) => getComputedStyle(node, '::before').backgroundColor));
    expect(dots[0]).not.toBe(dots[2]);
    const time = page.locator('td time').first();
    expect(await time.getAttribute('datetime')).toBe(ROWS[0]?.createdAt);
    expect(await time.innerText()).toMatch(/^\d{1,2}\. \S+ \d{4}$/);
    expect(await time.getAttribute('title')).toMatch(/MEZ|MESZ/);
    expect(await page.getByRole('main').innerText()).not.toMatch(/\d{4}-\d\d-\d\dT/);
  });

  it('has a switch whose name stays, that Space turns and that keeps the focus', async () => {
    const page = await open({
      before: (opened) => answer(opened, `${TOKENS}/*`, json(receipt({ ...ROWS[0], active: false }))),
    });
    const one = page.getByRole('switch', { name: `Token ${ROWS[0]?.preview}*** active` });
    expect(await one.isChecked()).toBe(true);
    await one.focus();
    await page.keyboard.press('Space');
    await page.getByText(/Refused everywhere since/).waitFor();
    expect(await one.isChecked()).toBe(false);
    expect(await focused(page)).toBe(`Token ${ROWS[0]?.preview}*** active`);
  });

  it('says how many calls each token had, in words as well', async () => {
    const page = await open();
    await expect
      .poll(() =>
        page
          .getByRole('img', { name: /^Last 24 hours: [\d,]+ accepted, 90 refused calls$/ })
          .first()
          .count(),
      )
      .toBe(1);
  });

  it('renames in place: Enter keeps, Esc leaves the old name, and the focus returns', async () => {
    const page = await open({
      before: (opened) =>
        answer(opened, `${TOKENS}/*`, (route) =>
          route.fulfill({ json: receipt({ ...ROWS[0], ...route.request().postDataJSON() }) }),
        ),
    });
    const rename = page.getByRole('button', { name: /^Rename token/ }).first();
    await rename.click();
    await page.getByLabel(/^Name of token/).fill('Thrown away');
    await page.keyboard.press('Escape');
    expect(await rename.innerText()).toContain('Website');
    await expect.poll(() => focused(page)).toContain('Website');
    await rename.click();
    await page.getByLabel(/^Name of token/).fill('Shop');
    await page.keyboard.press('Enter');
    await expect.poll(() => rename.innerText()).toContain('Shop');
  });

  it('shows bars of a row’s height only when loading takes longer than a moment, and shifts nothing', async () => {
    let release: () => void = () => {};
    const page = await open({
      path: '/developer-zone',
      boot: {},
      before: (opened) =>
        answer(opened, TOKENS, async (route) => {
          await new Promise<void>((done) => {
            release = done;
          });
          await route.fulfill({ json: { tokens: ROWS.slice(0, 3), limit: 10 } });
        }),
    });
    await page.getByLabel('Organisation').selectOption('acme');
    const card = page.locator('section.card');
    await card.waitFor();
    expect(await card.getAttribute('aria-busy')).toBe('true');
    expect(await createButton(page).getAttribute('aria-disabled')).toBe('true');
    await page.getByText('Loading tokens').waitFor({ state: 'attached' });
    const bar = (await page.locator('.bar-row').first().boundingBox())?.height ?? 0;
    const shifted = await watchShifts(page);
    release();
    await switches(page).first().waitFor();
    const height = (await page.getByRole('row').nth(1).boundingBox())?.height ?? 0;
    expect(Math.abs(height - bar)).toBeLessThanOrEqual(4);
    expect(await shifted()).toBeLessThan(0.01);
  });
});

describe('creating', () => {
  it('begins at Cancel, and Esc, Cancel and the backdrop leave nothing behind', async () => {
    const page = await open();
    const asked = count(page, `/api/${TOKENS}`, 'POST');
    // At once, not after the next picture: whoever types ahead would else have the focus taken away under an Enter.
    const begins = await createButton(page).evaluate(async (node) => {
      (node as HTMLElement).focus();
      (node as HTMLElement).click();
      await new Promise((done) => setTimeout(done));
      return document.activeElement?.textContent;
    });
    expect(begins).toBe('Cancel');
    expect(await page.getByRole('dialog').innerText()).toContain('shown only once');
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await expect.poll(() => focused(page)).toBe('Create Token');
    await createButton(page).click();
    // A bare click waits for nothing: the dialog must be there.
    await page.getByRole('dialog').waitFor();
    await page.mouse.click(5, 5);
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(asked).toEqual([]);
  });

  it('asks once however often Enter is pressed, and cannot be left while it waits', async () => {
    const page = await open({ before: (opened) => answer(opened, TOKENS, silence) });
    const asked = count(page, `/api/${TOKENS}`, 'POST');
    await createButton(page).click();
    await page.getByLabel('Name (optional)').focus();
    for (let press = 0; press < 4; press++) await page.keyboard.press('Enter');
    await page.getByText('Creating…').waitFor();
    await page.keyboard.press('Escape');
    expect(await page.getByRole('dialog').isVisible()).toBe(true);
    expect(asked).toHaveLength(1);
  });

  it('stays open on a failure with an alert inside, and the next try has the same key', async () => {
    const page = await open({ before: (opened) => answer(opened, TOKENS, broken) });
    const keys: (string | undefined)[] = [];
    page.on('request', (request) => {
      if (request.method() === 'POST') keys.push(request.headers()['idempotency-key']);
    });
    await createButton(page).click();
    expect(await page.getByRole('dialog').getByRole('alert').count()).toBe(1);
    await confirmButton(page).click();
    await page.getByRole('dialog').getByRole('alert').filter({ hasText: 'Not created.' }).waitFor();
    expect(await confirmButton(page).getAttribute('aria-disabled')).toBe('false');
    expect(await switches(page).count()).toBe(ROWS.length);
    await answer(page, TOKENS, cut);
    await confirmButton(page).click();
    await page.getByText(/no second token is made/).waitFor();
    await created(page);
    await confirmButton(page).click();
    await field(page).waitFor();
    expect(keys).toHaveLength(3);
    expect(new Set(keys).size).toBe(1);
  });

  it('says that a token whose answer was lost cannot be shown, and deletes it on request', async () => {
    const page = await open({
      before: async (opened) => {
        await answer(opened, TOKENS, (route) =>
          route.request().method() === 'GET'
            ? route.fulfill({ json: { tokens: ROWS, limit: 10 } })
            : route.fulfill({ status: 200, json: { token: newRow, secret: null } }),
        );
        await answer(opened, `${TOKENS}/*`, json(receipt(newRow)));
      },
    });
    await createButton(page).click();
    await confirmButton(page).click();
    await page.getByText(/cannot be shown again/).waitFor();
    await page
      .getByRole('dialog')
      .getByRole('button', { name: /^Delete 9p/ })
      .click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(await switches(page).count()).toBe(ROWS.length);
  });

  it('shows the limit of the server in the same words when another tab was faster', async () => {
    const page = await open({
      before: (opened) => answer(opened, TOKENS, problem(409, 'token-limit-reached')),
    });
    await createButton(page).click();
    await confirmButton(page).click();
    await expect
      .poll(() =>
        page
          .getByRole('dialog')
          .getByText('You’ve reached the limit of 10 tokens. Delete an existing token to create a new one.')
          .count(),
      )
      .toBe(1);
  });
});

describe('the secret', () => {
  it('is in a read-only field that is selected, in monospace, and that no helper of the browser may keep', async () => {
    const page = await open({ before: created, options: { viewport: { width: 390, height: 844 } } });
    await showSecret(page);
    const facts = await field(page).evaluate((node: HTMLTextAreaElement) => ({
      readOnly: node.readOnly,
      selected: node.value.slice(node.selectionStart, node.selectionEnd),
      mono: getComputedStyle(node).fontFamily.includes('monospace'),
      whole: node.scrollHeight <= node.clientHeight + 1 && node.scrollWidth <= node.clientWidth,
      autocomplete: node.autocomplete,
      spellcheck: node.spellcheck,
      ignored: node.hasAttribute('data-1p-ignore'),
    }));
    expect(facts).toEqual({
      readOnly: true,
      selected: SECRET,
      mono: true,
      whole: true,
      autocomplete: 'off',
      spellcheck: false,
      ignored: true,
    });
  });

  it('is copied without a shift, and the dialog itself says so', async () => {
    const page = await open({ before: created });
    await showSecret(page);
    const dialog = page.getByRole('dialog');
    expect(await dialog.getByRole('status').allInnerTexts()).toContain('');
    const button = dialog.getByRole('button', { name: /^Cop(y|ied)$/ });
    await dialog.evaluate((node) => Promise.all(node.getAnimations().map(({ finished }) => finished)));
    const before = await button.boundingBox();
    await button.click();
    await dialog.getByRole('status').filter({ hasText: 'Copied to clipboard' }).waitFor();
    expect(await button.innerText()).toBe('Copied');
    expect(await button.boundingBox()).toEqual(before);
    await expect.poll(() => button.innerText(), { timeout: 5000 }).toBe('Copy');
  });

  it('is selected when the clipboard is refused, and then Done still asks', async () => {
    const page = await open({ before: created });
    await showSecret(page);
    await page.evaluate(() => {
      navigator.clipboard.writeText = () => Promise.reject(new Error('refused'));
    });
    await page.getByRole('button', { name: 'Copy', exact: true }).click();
    await page.getByText(/press Ctrl\+C/).waitFor();
    expect(await field(page).evaluate((node: HTMLTextAreaElement) => node === document.activeElement)).toBe(
      true,
    );
    await page.getByRole('button', { name: 'Done' }).click();
    await page.getByText(/Not copied yet/).waitFor();
  });

  it('counts as copied when it was copied by hand', async () => {
    const page = await open({ before: created });
    await showSecret(page);
    await field(page).focus();
    await page.keyboard.press('Control+C');
    await page.getByRole('button', { name: 'Done' }).click();
    await expect.poll(() => page.getByRole('dialog').count()).toBe(0);
  });

  it('comes with a first call for this deployment in three languages, by arrow keys, with a copy button', async () => {
    const page = await open({ before: created });
    await showSecret(page);
    await page.getByRole('tab', { name: 'cURL' }).focus();
    const seen: string[] = [];
    for (const name of ['cURL', 'JavaScript', 'Python']) {
      expect(await focused(page)).toBe(name);
      seen.push(await page.getByRole('tabpanel', { name }).innerText());
      await page.keyboard.press('ArrowRight');
    }
    for (const text of seen) {
      expect(text).toContain(SECRET);
      expect(text).toContain(`${server.origin}/v1/ping`);
    }
    await page.getByRole('button', { name: 'Copy the example' }).click();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(seen[0]);
  });

  it('is closed by Done onto one polite message and the Create Token button', async () => {
    const page = await open({ before: created });
    await showSecret(page);
    await page.getByRole('button', { name: 'Copy', exact: true }).click();
    await page.getByRole('button', { name: 'Done' }).click();
    await page
      .getByRole('status')
      .getByText(/created\./)
      .waitFor();
    await expect.poll(() => focused(page)).toBe('Create Token');
    expect(await page.locator('.toast').count()).toBe(1);
    expect(await switches(page).count()).toBe(ROWS.length + 1);
    expect(await page.locator('.badge').first().innerText()).toBe('Active');
  });

  it('outlives a session that ends in the background, and Done then leads to the sign-in', async () => {
    const page = await open({ before: created });
    await showSecret(page);
    await answer(page, TOKENS, problem(401, 'sign-in-required'));
    await page.evaluate(() => dispatchEvent(new Event('online')));
    await page.getByText('Your session has ended').waitFor();
    expect(await field(page).inputValue()).toBe(SECRET);
    await page.getByRole('button', { name: 'Copy', exact: true }).click();
    await page.getByRole('button', { name: 'Done' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    expect(await page.content()).not.toContain(SECRET);
  });
});

describe('switching', () => {
  it('moves the thumb at once, marks the row busy, and takes no second click until the receipt comes', async () => {
    let release: () => void = () => {};
    const page = await open({
      before: (opened) =>
        answer(opened, `${TOKENS}/*`, async (route) => {
          await new Promise<void>((done) => {
            release = done;
          });
          await route.fulfill({ json: receipt({ ...ROWS[0], active: false }) });
        }),
    });
    const asked = count(page, `/api/${TOKENS}/${ROWS[0]?.id}`, 'PATCH');
    const one = switches(page).first();
    await one.click();
    expect(await one.isChecked()).toBe(false);
    const row = page.getByRole('row').nth(1);
    expect(await row.getAttribute('aria-busy')).toBe('true');
    expect(await row.innerText()).toContain('Deactivating…');
    await one.click();
    expect(await one.isChecked()).toBe(false);
    release();
    await page.getByText(/Refused everywhere since \d\d:\d\d:\d\d/).waitFor();
    expect(await row.getAttribute('aria-busy')).toBe('false');
    expect(await one.isChecked()).toBe(false);
    expect(asked).toHaveLength(1);
  });

  it('rolls back on a failure, says what is still true, and tries again on request', async () => {
    const page = await open({ before: (opened) => answer(opened, `${TOKENS}/*`, broken) });
    await switches(page).first().click();
    await page
      .getByRole('alert')
      .getByText(/It is still active\./)
      .waitFor();
    expect(await switches(page).first().isChecked()).toBe(true);
    await answer(page, `${TOKENS}/*`, json(receipt({ ...ROWS[0], active: false })));
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByText(/Refused everywhere since/).waitFor();
    expect(await switches(page).first().isChecked()).toBe(false);
  });

  it('is answered by messages that come, sink and go without moving the page', async () => {
    const page = await open({
      before: async (opened) => {
        await opened.clock.install();
        await answer(opened, `${TOKENS}/*`, (route) => {
          const id = new URL(route.request().url()).pathname.split('/').pop();
          const row = ROWS.find((one) => one.id === id);
          return id === ROWS[2]?.id
            ? broken(route)
            : route.fulfill({ json: receipt({ ...row, ...route.request().postDataJSON() }) });
        });
      },
    });
    const messages = page.locator('.toast');
    const shifted = await watchShifts(page);
    // From the lowest up. They slide into place; the page's own clock stands still meanwhile.
    const places = async () => {
      await page.evaluate(() => Promise.all(document.getAnimations().map(({ finished }) => finished)));
      const boxes = await messages.evaluateAll((nodes) =>
        nodes.map((node) => {
          const { top, bottom } = node.getBoundingClientRect();
          return { top, bottom, text: node.querySelector('p')?.textContent ?? '' };
        }),
      );
      return boxes.toSorted((a, b) => b.bottom - a.bottom);
    };
    for (const [index, at] of [0, 1, 2].entries()) {
      await switches(page).nth(at).click();
      await expect.poll(() => messages.count()).toBe(index + 1);
      await page.clock.runFor(2000);
    }
    const three = await places();
    expect(three.map(({ text }) => text.includes('still'))).toEqual([false, false, true]);
    for (const [upper, lower] of [
      [three[1], three[0]],
      [three[2], three[1]],
    ])
      expect(upper?.bottom).toBeLessThan(lower?.top ?? 0);
    // The first two run out; what failed stays, and sinks.
    await page.clock.runFor(9000);
    await expect.poll(() => messages.count()).toBe(1);
    const [last] = await places();
    expect(last?.bottom).toBe(three[0]?.bottom);
    expect(await shifted()).toBe(0);
  });

  it('offers Undo for ten seconds, longer while someone looks at it, and an error until it is dismissed', async () => {
    const page = await open({
      before: async (opened) => {
        await opened.clock.install();
        await answer(opened, `${TOKENS}/*`, (route) =>
          route.fulfill({ json: receipt({ ...ROWS[0], ...route.request().postDataJSON() }) }),
        );
      },
    });
    const undo = page.getByRole('button', { name: 'Undo' });
    await switches(page).first().click();
    await undo.waitFor();
    await page.clock.runFor(9500);
    expect(await undo.isVisible()).toBe(true);
    await undo.hover();
    await page.clock.runFor(20_000);
    expect(await undo.isVisible()).toBe(true);
    await undo.click();
    await page.getByText(/Accepted everywhere since/).waitFor();
    expect(await switches(page).first().isChecked()).toBe(true);
    await page.mouse.move(5, 5);
    await page.clock.runFor(7000);
    await page.locator('.toast').waitFor({ state: 'detached' });
    await answer(page, `${TOKENS}/*`, broken);
    await switches(page).first().click();
    await page.getByText(/It is still active/).waitFor();
    await page.clock.runFor(120_000);
    expect(await page.getByText(/It is still active/).isVisible()).toBe(true);
    await page.getByRole('button', { name: 'Dismiss' }).click();
    await page.getByText(/It is still active/).waitFor({ state: 'detached' });
  });

  it('says why it takes long when a region is slow', async () => {
    const page = await open({
      before: async (opened) => {
        await opened.clock.install();
        await answer(opened, `${TOKENS}/*`, silence);
      },
    });
    await switches(page).first().click();
    await page.getByText('Deactivating…').waitFor();
    await page.clock.runFor(3100);
    await expect.poll(() => page.getByRole('status').filter({ hasText: 'A region is slow' }).count()).toBe(1);
  });
});

describe('deleting', () => {
  const gone = (opened: Page) => answer(opened, `${TOKENS}/*`, json(receipt({})));

  it('is confirmed in an alert dialog that begins at Cancel and suggests the switch for an active token', async () => {
    const page = await open();
    await trash(page).first().click();
    const dialog = page.getByRole('alertdialog', { name: `Delete token ${ROWS[0]?.preview}***?` });
    await expect.poll(() => focused(page)).toBe('Cancel');
    expect(await dialog.innerText()).toMatch(/permanent.*immediately.*deactivate it with the switch/s);
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    await expect.poll(() => focused(page)).toBe(`Delete token ${ROWS[0]?.preview}***`);
    await trash(page).nth(2).click();
    expect(await page.getByRole('alertdialog').innerText()).not.toContain('with the switch');
  });

  it('moves the focus to the next row, else the one before, else Create Token', async () => {
    const page = await open({
      boot: { tokens: { ...table.tokens, tokens: ROWS.slice(0, 3) } },
      before: gone,
    });
    const remove = async (index: number) => {
      const rows = await trash(page).count();
      await trash(page).nth(index).click();
      await page.getByRole('alertdialog').getByRole('button', { name: 'Delete' }).click();
      await expect.poll(() => trash(page).count()).toBe(rows - 1);
    };
    await remove(0);
    await expect.poll(() => focused(page)).toBe(`Delete token ${ROWS[1]?.preview}***`);
    await remove(1);
    await expect.poll(() => focused(page)).toBe(`Delete token ${ROWS[1]?.preview}***`);
    await remove(0);
    await expect.poll(() => focused(page)).toBe('Create Token');
  });

  it('of a token that is gone already is as good as done', async () => {
    const page = await open({
      before: (opened) => answer(opened, `${TOKENS}/*`, problem(404, 'token-not-found')),
    });
    await trash(page).first().click();
    await page.getByRole('alertdialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByText(/was deleted already/).waitFor();
    expect(await trash(page).count()).toBe(ROWS.length - 1);
  });

  it('that fails says so inside the dialog and leaves the row', async () => {
    const page = await open({ before: (opened) => answer(opened, `${TOKENS}/*`, broken) });
    await trash(page).first().click();
    await page.getByRole('alertdialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('alertdialog').getByRole('alert').filter({ hasText: 'It is unchanged.' }).waitFor();
    await page.keyboard.press('Escape');
    expect(await trash(page).count()).toBe(ROWS.length);
  });
});

describe('trouble', () => {
  it('in loading says that tokens keep working, and Try again tries again', async () => {
    const page = await open({
      path: '/developer-zone',
      boot: {},
      before: (opened) => answer(opened, TOKENS, broken),
    });
    await page.getByLabel('Organisation').selectOption('acme');
    await page.getByText('Your tokens keep working.').waitFor();
    await page.getByRole('button', { name: 'Copy the request id' }).click();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('01JDG7Q9M3XW5K2R8T4V6Y0ZAB');
    await answer(page, TOKENS, json({ tokens: ROWS, limit: 10 }));
    await page.getByRole('button', { name: 'Try again' }).click();
    await switches(page).first().waitFor();
  });

  it('in refreshing keeps the old rows and marks them', async () => {
    const page = await open({ before: (opened) => answer(opened, TOKENS, broken) });
    await page.evaluate(() => dispatchEvent(new Event('online')));
    await page.getByRole('status').filter({ hasText: 'could not be loaded again' }).waitFor();
    expect(await switches(page).count()).toBe(ROWS.length);
  });

  it('with the network is answered at once, and over when the network is back', async () => {
    const page = await open();
    const asked = count(page, `/api/${TOKENS}`, 'GET');
    await context.setOffline(true);
    await page.getByRole('status').filter({ hasText: 'changes wait until you are back' }).waitFor();
    const act = [createButton(page), switches(page).first(), trash(page).first()];
    for (const control of act) {
      await control.click();
      await page.getByRole('alert').getByText('You’re offline.').waitFor();
      await page.getByRole('button', { name: 'Dismiss' }).click();
    }
    expect(await page.getByRole('dialog').count()).toBe(0);
    expect(await switches(page).first().isChecked()).toBe(true);
    await context.setOffline(false);
    await page.getByText('changes wait until you are back').waitFor({ state: 'detached' });
    await expect.poll(() => asked.length).toBe(1);
  });

  it('of too many changes says how long to wait', async () => {
    const page = await open({
      before: (opened) =>
        answer(opened, `${TOKENS}/*`, problem(429, 'too-many-requests', { 'retry-after': '42' })),
    });
    await switches(page).first().click();
    await expect.poll(() => page.getByText(/Wait 42 seconds/).count()).toBe(1);
  });

  it('with the plan shows the upgrade page, not an error', async () => {
    const page = await open({
      before: (opened) => answer(opened, `${TOKENS}/*`, problem(403, 'enterprise-plan-required')),
    });
    await switches(page).first().click();
    await page.getByRole('heading', { name: 'Enterprise Plan Required' }).waitFor();
    expect(await page.locator('.toast').count()).toBe(0);
  });

  it('with the session is one message, whatever was clicked', async () => {
    const page = await open({
      before: (opened) => answer(opened, `${TOKENS}/*`, problem(401, 'sign-in-required')),
    });
    await switches(page).first().click();
    await switches(page)
      .nth(1)
      .click({ timeout: 500 })
      .catch(() => {});
    await page.getByText('Your session has ended. Sign in again to continue.').waitFor();
    expect(await page.getByText(/session has ended/).count()).toBe(1);
    expect(await page.locator('.toast').count()).toBe(0);
    expect(page.url()).toBe(server.origin + ZONE);
  });

  it('of another tab is seen when this one is looked at again, at most every ten seconds', async () => {
    const page = await open({ before: (opened) => opened.clock.install() });
    const asked = count(page, `/api/${TOKENS}`, 'GET');
    await answer(page, TOKENS, json({ tokens: ROWS.slice(1), limit: 10 }));
    const look = () =>
      page.evaluate(() => document.dispatchEvent(new Event('visibilitychange', { bubbles: true })));
    await look();
    expect(asked).toEqual([]);
    await page.clock.runFor(11_000);
    await look();
    await look();
    await expect.poll(() => switches(page).count()).toBe(ROWS.length - 1);
    expect(asked).toHaveLength(1);
  });
});

describe('the sign-in', () => {
  it('has a labelled e-mail field, ties its error to it, and Enter sends', async () => {
    const page = await open({ path: '/sign-in', boot: {}, anonymous: true });
    const email = page.getByLabel('Email');
    expect(await email.getAttribute('autocomplete')).toBe('email');
    await email.fill('nobody');
    await page.keyboard.press('Enter');
    const id = await email.getAttribute('aria-describedby');
    expect(await page.locator(`#${id}`).innerText()).toBe('Enter an email address, like you@example.com.');
    expect(await email.getAttribute('aria-invalid')).toBe('true');
    await answer(page, 'sign-in/link', json({}, 202));
    await email.fill('nobody@example.com');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Check your inbox' }).waitFor();
    // No hint whether the address is known.
    await page.getByText(/^If nobody@example\.com belongs to an organisation/).waitFor();
  });

  it('sends again after thirty seconds, not before', async () => {
    const page = await open({
      path: '/sign-in',
      boot: {},
      anonymous: true,
      before: async (opened) => {
        await opened.clock.install();
        await answer(opened, 'sign-in/link', json({}, 202));
      },
    });
    const asked = count(page, '/api/sign-in/link', 'POST');
    await page.getByLabel('Email').fill('owner@example.com');
    await page.keyboard.press('Enter');
    const again = page.getByRole('button', { name: /^Send again/ });
    await again.waitFor();
    expect(await again.innerText()).toMatch(/^Send again in (29|30) s$/);
    await again.click({ force: true });
    expect(asked).toHaveLength(1);
    await page.clock.runFor(31_000);
    await expect.poll(() => again.innerText()).toBe('Send again');
    await again.click();
    await expect.poll(() => asked.length).toBe(2);
  });

  it('offers single sign-on where it is configured, and comes back to where it began', async () => {
    const page = await open({
      boot: { methods: { link: true, oidc: { name: 'Example Identity' } } },
      anonymous: true,
    });
    const link = page.getByRole('link', { name: 'Continue with Example Identity' });
    expect(await link.getAttribute('href')).toBe(`/api/sign-in/oidc?return_to=${encodeURIComponent(ZONE)}`);
  });
});

describe('everywhere', () => {
  it('every control shows where the keyboard is, and no single letter does anything', async () => {
    const page = await open();
    const bare: string[] = [];
    for (let step = 0; step < 24; step++) {
      await page.keyboard.press('Tab');
      const ring = await page.evaluate(() => {
        const node = document.activeElement;
        if (node === null || node === document.body) return null;
        const { outlineStyle, outlineWidth } = getComputedStyle(node);
        return {
          name: node.textContent || node.tagName,
          seen: outlineStyle !== 'none' && outlineWidth !== '0px',
        };
      });
      if (ring !== null && !ring.seen) bare.push(ring.name);
    }
    expect(bare).toEqual([]);
    await page.getByRole('heading', { level: 1 }).focus();
    for (const key of 'abcdefghijklmnopqrstuvwxyz?/') await page.keyboard.press(key);
    expect(await page.getByRole('dialog').count()).toBe(0);
    expect(page.url()).toBe(server.origin + ZONE);
  });

  it('a token is created, copied, switched off and deleted by keyboard alone', async () => {
    const page = await open({
      before: async (opened) => {
        await created(opened);
        await answer(opened, `${TOKENS}/*`, json(receipt({ ...newRow, active: false })));
      },
    });
    const press = async (name: string, key = 'Enter') => {
      for (let step = 0; step < 40 && (await focused(page)) !== name; step++)
        await page.keyboard.press('Tab');
      expect(await focused(page)).toBe(name);
      await page.keyboard.press(key);
    };
    await press('Create Token');
    // The button in the dialog has the same name.
    await page.getByRole('dialog').waitFor();
    await press('Create Token');
    await field(page).waitFor();
    await press('Copy');
    await page.getByText('Copied to clipboard').waitFor();
    await press('Done');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await press(`Token ${newRow.preview}*** active`, 'Space');
    await page.getByText(/Refused everywhere since/).waitFor();
    await press(`Delete token ${newRow.preview}***`);
    await press('Delete');
    await page.getByText(/deleted\. Refused everywhere since/).waitFor();
  });

  it('targets are at least 36 pixels on a phone, the small rename button 24', async () => {
    const page = await open({ options: { viewport: { width: 320, height: 640 } } });
    const small = await page.locator('main button, main a.button').evaluateAll((nodes) =>
      nodes
        .map((node) => ({ node, box: node.getBoundingClientRect() }))
        .filter(({ node, box }) => Math.min(box.width, box.height) < (node.matches('.rename') ? 24 : 36))
        .map(({ node }) => node.textContent),
    );
    expect(small).toEqual([]);
  });

  it('a dialog fits 320 by 480 and scrolls inside', async () => {
    const page = await open({ before: created, options: { viewport: { width: 320, height: 480 } } });
    await showSecret(page);
    const box = await page.getByRole('dialog').boundingBox();
    expect(box?.y).toBeGreaterThanOrEqual(0);
    expect((box?.y ?? 0) + (box?.height ?? 0)).toBeLessThanOrEqual(480);
    await page.getByRole('button', { name: 'Done' }).scrollIntoViewIfNeeded();
    expect(await page.getByRole('button', { name: 'Done' }).isVisible()).toBe(true);
  });

  it('the theme is a cookie that the Worker knows at the first byte', async () => {
    const page = await open({ options: { colorScheme: 'light' } });
    const scheme = () => page.evaluate(() => getComputedStyle(document.documentElement).colorScheme);
    const button = page.getByRole('button', { name: /^Theme: / });
    await button.click();
    await button.click();
    expect(await button.innerText()).toContain('Dark theme');
    expect(await scheme()).toBe('dark');
    const html = await (await page.request.get(server.origin + ZONE)).text();
    expect(html).toMatch(/<html[^>]* data-theme="dark"/);
    await page.reload();
    expect(await scheme()).toBe('dark');
    await button.click();
    expect(await scheme()).toBe('light dark');
    expect((await context.cookies()).some(({ name }) => name === 'theme')).toBe(false);
  });

  it('forced colours leave every control visible, and reduced motion stops what moves', async () => {
    const page = await open({
      options: { forcedColors: 'active', reducedMotion: 'reduce' },
      before: (opened) => answer(opened, `${TOKENS}/*`, silence),
    });
    const thumb = (index: number) =>
      switches(page)
        .nth(index)
        .evaluate((node) => {
          const [own, knob] = [getComputedStyle(node), getComputedStyle(node, '::after')];
          return { border: own.borderTopStyle, differs: own.backgroundColor !== knob.backgroundColor };
        });
    expect(await thumb(0)).toEqual({ border: 'solid', differs: true });
    expect(await thumb(2)).toEqual({ border: 'solid', differs: true });
    await switches(page).first().click();
    await page.getByText('Deactivating…').waitFor();
    expect(await page.evaluate(() => document.getAnimations().length)).toBe(0);
  });

  it.each([
    ['at 200 % zoom', { viewport: { width: 640, height: 400 }, deviceScaleFactor: 2 }],
    ['with the text spacing of WCAG 1.4.12', { viewport: { width: 390, height: 844 } }],
  ])('nothing is cut %s', async (name, options) => {
    const page = await open({ before: created, options });
    if (name.includes('spacing')) {
      await page.evaluate(() => {
        const sheet = new CSSStyleSheet();
        sheet.replaceSync(
          '* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important } p { margin-bottom: 2em !important }',
        );
        document.adoptedStyleSheets = [sheet];
      });
    }
    const cutOff = () =>
      page.evaluate(() => {
        const found = [
          ...document.querySelectorAll('main button, main a, main td, main h1, main h2, dialog *'),
        ]
          .filter((node) => node.closest('.hidden, svg, .rename, textarea, pre, select') === null)
          .filter(
            (node) => node.scrollWidth > node.clientWidth + 1 && getComputedStyle(node).display !== 'inline',
          )
          .map((node) => `${node.tagName}.${node.className} ${node.textContent.slice(0, 40)}`);
        if (document.documentElement.scrollWidth > innerWidth) found.push('the page');
        return found;
      });
    expect(await cutOff()).toEqual([]);
    await showSecret(page);
    expect(await cutOff()).toEqual([]);
  });

  it.each(['/sign-in', '/developer-zone', '/activity', '/sessions', '/nowhere'])(
    '%s has a strict policy with Trusted Types',
    async (path) => {
      const policy = (await fetch(server.origin + path)).headers.get('content-security-policy') ?? '';
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("require-trusted-types-for 'script'");
      expect(policy).not.toContain('unsafe');
    },
  );

  it('a script of an older deployment is an honest 404, not a page', async () => {
    const missing = await fetch(`${server.origin}/assets/app-older.js`);
    expect(missing.status).toBe(404);
    expect((await fetch(`${server.origin}/nowhere`)).status).toBe(404);
  });
});
