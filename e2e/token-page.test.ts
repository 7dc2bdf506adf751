// A token's own page: it has an address, says what the list says, and leads back to it.
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import {
  TOKENS,
  ZONE,
  openToken,
  receipt,
  renameButton,
  rowAt,
  switches,
  table,
  trash,
  useDashboard,
} from './dashboard.ts';
import { EVENTS, ROWS, USAGE, answer, broken, json } from './fixtures.ts';

const { open, here } = useDashboard();
const addressOf = ({ id }: { id: string }): string => `/developer-zone/tokens/${id}?organisation=acme`;
const heading = (page: Page) => page.getByRole('heading', { level: 1 });

/** The record of the token that is asked for. */
const recorded = (page: Page) =>
  answer(page, 'organisations/acme/activity*', (route) => {
    const token = new URL(route.request().url()).searchParams.get('token');
    return json({ events: EVENTS.events.filter(({ tokenId }) => tokenId === token), next: null })(route);
  });

describe('the page of a token', () => {
  it('is opened by its name, has an address, and Back leads to the list', async () => {
    const page = await open({ before: recorded });
    await openToken(page);
    await heading(page).filter({ hasText: 'Website' }).waitFor();
    expect(page.url()).toBe(here() + addressOf(rowAt(0)));
    expect(await page.title()).toContain('Website');
    expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('H1');
    expect(
      await page.getByRole('link', { name: 'Developer Zone' }).first().getAttribute('aria-current'),
    ).toBe('true');
    await page.reload();
    await heading(page).filter({ hasText: 'Website' }).waitFor();
    await page.goBack();
    await expect.poll(() => switches(page).count()).toBe(ROWS.length);
    expect(page.url()).toBe(here() + ZONE);
  });

  it('says how often it was called and refused, what happened to it, and by whom it was made', async () => {
    const page = await open({ path: addressOf(rowAt(0)), before: recorded });
    const { accepted, refused } = USAGE.usage['id-9pW4k'];
    const all = (calls: number[]): string =>
      calls.reduce((sum, value) => sum + value, 0).toLocaleString('en');
    await expect
      .poll(() => page.locator('.figures dd').allInnerTexts())
      .toEqual([all(accepted), all(refused)]);
    await expect
      .poll(() => page.locator('.events p').allInnerTexts())
      .toEqual(['owner@example.com created Website 9pW4k***']);
    expect(await page.locator('.about dd').allInnerTexts()).toEqual([
      rowAt(0).createdBy,
      expect.stringMatching(/\d{4}/),
    ]);
    await page.getByRole('link', { name: 'All of it' }).click();
    await expect.poll(() => page.url()).toBe(`${here()}/activity?organisation=acme&token=${rowAt(0).id}`);
  });

  it('switches, says so under the state, and has Undo as the next Tab', async () => {
    const page = await open({
      path: addressOf(rowAt(0)),
      before: async (opened) => {
        await recorded(opened);
        await answer(opened, `${TOKENS}/*`, (route) =>
          route.fulfill({ json: receipt({ ...rowAt(0), ...route.request().postDataJSON() }) }),
        );
      },
    });
    await switches(page).press('Space');
    await page.getByText(/Refused since/).waitFor();
    expect(await page.locator('.state').innerText()).toBe('Inactive');
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Undo');
    await page.keyboard.press('Enter');
    await page.getByText(/Accepted since/).waitFor();
    expect(await switches(page).isChecked()).toBe(true);
    await answer(page, `${TOKENS}/*`, broken);
    await switches(page).press('Space');
    await page
      .getByRole('alert')
      .getByText(/It is still active\./)
      .waitFor();
  });

  it('gives a name to a token without one, from the list', async () => {
    const page = await open({
      before: async (opened) => {
        await recorded(opened);
        await answer(opened, `${TOKENS}/*`, (route) =>
          route.fulfill({ json: receipt({ ...rowAt(3), ...route.request().postDataJSON() }) }),
        );
      },
    });
    await page.getByRole('link', { name: 'Add a name' }).click();
    const field = page.getByLabel(/^Name of token/);
    await expect.poll(() => field.evaluate((node) => node === document.activeElement)).toBe(true);
    await page.keyboard.type('Kiosk');
    await page.keyboard.press('Enter');
    await expect.poll(() => heading(page).innerText()).toBe('Kiosk');
    await renameButton(page).waitFor();
    await page.goBack();
    await page.getByRole('link', { name: 'Kiosk' }).waitFor();
  });

  it('leads back to the list when the token was deleted, which says so', async () => {
    const page = await open({
      path: addressOf(rowAt(0)),
      before: async (opened) => {
        await recorded(opened);
        await answer(opened, `${TOKENS}/*`, json(receipt({})));
        await answer(opened, TOKENS, json({ tokens: ROWS.slice(1), limit: 10 }));
      },
    });
    await page.getByRole('button', { name: 'Delete this token…' }).click();
    await page
      .getByRole('alertdialog')
      .getByRole('button', { name: /^Delete/ })
      .click();
    await page.getByText(/deleted\. Refused everywhere since/).waitFor();
    expect(page.url()).toBe(here() + ZONE);
    expect(await trash(page).count()).toBe(ROWS.length - 1);
    expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('H1');
  });

  it('of a token that the list does not have says so, and leads to the list', async () => {
    const page = await open({ path: addressOf({ id: 'nowhere' }), boot: table, before: recorded });
    await page.getByRole('heading', { name: 'This token doesn’t exist' }).waitFor();
    await page.getByRole('link', { name: 'Go to Developer Zone' }).click();
    await expect.poll(() => switches(page).count()).toBe(ROWS.length);
  });
});
