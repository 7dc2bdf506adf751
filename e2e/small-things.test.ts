// The dashboard on a phone, on paper, in a low window, and without scripts.
import { describe, expect, it } from 'vitest';
import {
  TOKENS,
  createButton,
  created,
  field,
  newRow,
  openToken,
  receipt,
  renameButton,
  showSecret,
  switches,
  useDashboard,
} from './dashboard.ts';
import { ROWS, SECRET, SESSIONS, TEN, answer, broken, json } from './fixtures.ts';

const { open, here } = useDashboard();

describe('the secret', () => {
  it('is tested without the cookies of the member, and then counts as used', async () => {
    const page = await open({
      before: async (opened) => {
        await created(opened);
        await opened.route('**/v1/ping', (route) => route.fulfill({ json: { status: 'ok' } }));
      },
    });
    await showSecret(page);
    const [call] = await Promise.all([
      page.waitForRequest('**/v1/ping'),
      page.getByRole('button', { name: 'Test the connection' }).click(),
    ]);
    const headers = await call.allHeaders();
    expect(headers['authorization']).toBe(`Bearer ${SECRET}`);
    expect(headers['cookie']).toBeUndefined();
    // The page has cookies to send.
    expect((await page.context().cookies()).length).toBeGreaterThan(0);
    await page.getByText('200 {').waitFor();
    await page.getByRole('button', { name: 'Copy', exact: true }).click();
    await page.getByRole('button', { name: 'Done' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(await page.getByRole('row').nth(1).innerText()).toContain('used just now');
  });

  it('still counts as never used when the test call was refused', async () => {
    const page = await open({
      before: async (opened) => {
        await answer(opened, TOKENS, json({ token: { ...newRow, lastUsedAt: null }, secret: SECRET }, 201));
        await opened.route('**/v1/ping', (route) => route.fulfill({ status: 503, json: {} }));
      },
    });
    await showSecret(page);
    await page.getByRole('button', { name: 'Test the connection' }).click();
    await page.getByText('503 {').waitFor();
    await page.getByRole('button', { name: 'Copy', exact: true }).click();
    await page.getByRole('button', { name: 'Done' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(await page.getByRole('row').nth(1).innerText()).toContain('never used');
  });

  it('counts as copied when the example was copied by hand', async () => {
    const page = await open({ before: created });
    await showSecret(page);
    await page.getByText('First call').click();
    await page.getByRole('tabpanel').evaluate((node) => {
      node.focus();
      getSelection()?.selectAllChildren(node);
    });
    await page.keyboard.press('Control+C');
    await page.getByRole('button', { name: 'Done' }).click();
    await expect.poll(() => page.getByRole('dialog').count()).toBe(0);
  });
});

describe('a dialog', () => {
  // 1280 by 800 at 400 %.
  const low = { viewport: { width: 320, height: 200 } };

  it('shows its beginning in a window that is too low for it', async () => {
    const page = await open({ before: created, options: low });
    const isInSight = (selector: string) =>
      page.locator(selector).evaluate((node) => {
        const { top, bottom } = node.getBoundingClientRect();
        return top >= 0 && top < innerHeight && bottom > 0;
      });
    await createButton(page).click();
    expect(await isInSight('#create-title')).toBe(true);
    expect(await isInSight('#create-body')).toBe(true);
    await page.getByRole('dialog').getByRole('button', { name: 'Create Token' }).click();
    await field(page).waitFor();
    expect(await isInSight('#secret-title')).toBe(true);
  });

  it('keeps the page below it from scrolling', async () => {
    const page = await open({
      boot: { tokens: { organisation: 'acme', tokens: TEN.slice(0, 9) } },
      options: { viewport: { width: 800, height: 400 } },
    });
    await page.mouse.move(400, 380);
    await page.mouse.wheel(0, 100);
    await expect.poll(() => page.evaluate(() => scrollY)).toBe(100);
    await createButton(page).evaluate((node: HTMLButtonElement) => node.click());
    await page.getByRole('dialog').waitFor();
    await page.mouse.move(20, 380);
    await page.mouse.wheel(0, 200);
    // Two frames: the page scrolls in the frame after a wheel event.
    await page.evaluate(
      () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))),
    );
    expect(await page.evaluate(() => scrollY)).toBe(100);
  });
});

describe('the page', () => {
  it('has text of 16 pixels in every field on a phone, because a phone zooms into smaller text', async () => {
    const page = await open({
      before: created,
      options: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
    });
    const sizes = () =>
      page
        .locator('input:not([type=checkbox], [type=radio]):visible, textarea:visible, select:visible')
        .evaluateAll((nodes) => nodes.map((node) => getComputedStyle(node).fontSize));
    await openToken(page);
    await renameButton(page).click();
    expect(await sizes()).toEqual(['16px']);
    await page.keyboard.press('Escape');
    await page.goBack();
    await showSecret(page);
    expect(await sizes()).toEqual(['16px']);
    const isWhole = await field(page).evaluate(
      (node) => node.scrollHeight <= node.clientHeight + 1 && node.scrollWidth <= node.clientWidth,
    );
    expect(isWhole).toBe(true);
  });

  it('prints its table, without controls that only a screen can use', async () => {
    const page = await open();
    await page.emulateMedia({ media: 'print' });
    expect(await page.getByRole('table').isVisible()).toBe(true);
    for (const gone of ['.sidebar', '#create', '.switch', '[data-delete]'])
      expect([gone, await page.locator(gone).first().isVisible()]).toEqual([gone, false]);
  });

  it.each(['/sign-in', '/developer-zone', '/activity', '/sessions'])(
    'says at %s that it needs JavaScript when scripts are off',
    async (path) => {
      const page = await open({ path, options: { javaScriptEnabled: false } });
      await page.getByRole('heading', { name: 'This page needs JavaScript' }).waitFor();
      expect(await page.getByRole('link').getAttribute('href')).toBe('/docs');
    },
  );

  it('tells the browser its colours, and has an icon for a home screen', async () => {
    const page = await open();
    const colours = page.locator('meta[name=theme-color]');
    for (const [index, colorScheme] of (['light', 'dark'] as const).entries()) {
      await page.emulateMedia({ colorScheme });
      const ground = await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
      const rgb = (await colours.nth(index).getAttribute('content'))
        ?.match(/[\da-f]{2}/g)
        ?.map((part) => Number.parseInt(part, 16));
      expect(`rgb(${rgb?.join(', ')})`).toBe(ground);
    }
    const icon = await page.request.get(`${here()}/apple-touch-icon.png`);
    expect([icon.status(), icon.headers()['content-type']]).toEqual([200, 'image/png']);
  });

  it('lists this browser first among the sessions', async () => {
    const page = await open({
      path: '/sessions',
      before: (opened) => answer(opened, 'sessions', json({ sessions: SESSIONS.sessions.toReversed() })),
    });
    await page.getByText('This browser').waitFor();
    expect(await page.getByRole('listitem').filter({ hasText: 'signed in' }).first().innerText()).toContain(
      'This browser',
    );
  });

  it('continues in the first tab when the link was opened in another one', async () => {
    const page = await open({
      path: '/sign-in',
      boot: {},
      anonymous: true,
      before: async (opened) => {
        await opened.clock.install();
        await answer(opened, 'sign-in/link', json({}, 202));
      },
    });
    await page.getByLabel('Email').fill('owner@example.com');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Check your inbox' }).waitFor();
    await answer(page, 'session', json({ member: { email: 'owner@example.com' }, organisations: [] }));
    await page.clock.runFor(11_000);
    await page.evaluate(() => dispatchEvent(new Event('focus')));
    await expect.poll(() => new URL(page.url()).pathname).toBe('/developer-zone');
  });

  it('says that the request id is copied, or selects it when the clipboard is refused', async () => {
    const page = await open({ before: (opened) => answer(opened, `${TOKENS}/*`, broken) });
    await switches(page).first().click();
    await page.getByRole('button', { name: 'Copy the request id' }).click();
    await page.getByRole('status').getByText('Request id copied').waitFor();
    await page.evaluate(() => {
      navigator.clipboard.writeText = () => Promise.reject(new Error('refused'));
    });
    await page.getByRole('button', { name: 'Copy the request id' }).click();
    await page.getByText('The request id is selected: copy it by hand.').waitFor();
    expect(await page.evaluate(() => getSelection()?.toString())).toBe('01JDG7Q9M3XW5K2R8T4V6Y0ZAB');
  });
});

it('the page does not say that a region is slow after a quick switch', async () => {
  const page = await open({
    before: async (opened) => {
      await opened.clock.install();
      await answer(opened, `${TOKENS}/*`, json(receipt({ ...ROWS[0], active: false })));
    },
  });
  await switches(page).first().click();
  await page.getByText(/Refused since/).waitFor();
  await page.clock.runFor(4000);
  expect(await page.getByText('A region is slow').count()).toBe(0);
});
