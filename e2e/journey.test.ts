// The product document in a real browser, with the real `npm run dev` and a separate state folder.
import type { Page } from 'playwright-core';
import { beforeEach, describe, expect, it } from 'vitest';
import { signIn } from './browser.ts';
import { useProduct } from './dashboard.ts';
import { statusOf } from './ping.ts';
import { startServer } from './server.ts';

const SECRET = /9p[0-9A-Za-z]{3}_dz[0-9A-Za-z]_[0-9A-Za-z]{47}/;

// A change is answered when the leases have run out: short ones keep the suite short.
const start = () => startServer({ flags: ['--var', 'REVOCATION_LEASE_MS:200'] });
const { here, owner, newPage } = useProduct(start);

beforeEach(async () => {
  const cookie = owner()
    .cookies.map(({ name, value }) => `${name}=${value}`)
    .join('; ');
  const headers = { cookie, origin: here() };
  const path = `${here()}/api/organisations/acme/tokens`;
  const list = (await (await fetch(path, { headers })).json()) as { tokens: { id: string }[] };
  await Promise.all(list.tokens.map(({ id }) => fetch(`${path}/${id}`, { method: 'DELETE', headers })));
});

/** A page of a signed-in owner, at the path. */
async function open(path: string, state: ReturnType<typeof owner> | null = owner()): Promise<Page> {
  const page = await newPage(state === null ? {} : { storageState: state });
  await page.goto(here() + path);
  return page;
}

const zone = (organisation = 'acme'): string => `/developer-zone?organisation=${organisation}`;
const rows = (page: Page) =>
  page
    .getByRole('table')
    .getByRole('row')
    .filter({ has: page.getByRole('switch') });

async function create(page: Page, name = ''): Promise<string> {
  await page.getByRole('button', { name: 'Create Token', exact: true }).click();
  const dialog = page.getByRole('dialog');
  if (name !== '') await dialog.getByLabel('What will use it?').fill(name);
  await dialog.getByRole('button', { name: 'Create Token' }).click();
  const field = page.getByRole('dialog').getByLabel('API token', { exact: true });
  await field.waitFor();
  return field.inputValue();
}

async function createAndClose(page: Page, name = ''): Promise<string> {
  const secret = await create(page, name);
  await page.getByRole('button', { name: 'Copy', exact: true }).click();
  await page.getByRole('button', { name: 'Done' }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  return secret;
}

describe('the whole journey', () => {
  it('signs in, creates, calls, deactivates, reactivates and deletes a token', async () => {
    const page = await open('/developer-zone', null);
    await signIn(page, here(), 'member@example.com');
    await page.getByLabel('Organisation').selectOption('Acme Events');
    await expect.poll(() => page.url()).toBe(here() + zone());
    await page.getByText('No API tokens yet').waitFor();

    const secret = await create(page, 'Website');
    expect(secret).toMatch(SECRET);
    await page.getByRole('button', { name: 'Copy', exact: true }).click();
    await page.getByText('Copied to clipboard').waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(secret);
    await page.getByRole('button', { name: 'Test the connection' }).click();
    await page.getByText('"status": "ok"').waitFor();
    await page.getByRole('button', { name: 'Done' }).click();

    const row = rows(page).first();
    expect(await row.getByRole('rowheader').innerText()).toContain(`${secret.slice(0, 5)}***`);
    expect(await row.getByRole('cell').allInnerTexts()).toEqual([
      expect.stringMatching(/^Active\s*$/),
      'member@example.com',
      expect.stringMatching(/\d{4}/),
      expect.anything(),
    ]);
    expect(await statusOf(here(), secret)).toBe(200);

    await row.getByRole('switch').click();
    await page.getByText(/Refused since/).waitFor({ timeout: 20_000 });
    expect(await statusOf(here(), secret)).toBe(401);
    expect(await row.getByRole('cell').first().innerText()).toMatch(/^Inactive\s/);

    await row.getByRole('switch').click();
    await page.getByText(/Accepted since/).waitFor({ timeout: 20_000 });
    expect(await statusOf(here(), secret)).toBe(200);

    await row.getByRole('button', { name: /^Delete token/ }).click();
    const dialog = page.getByRole('alertdialog');
    await dialog.getByText('Deletion is permanent.').waitFor();
    await dialog.getByRole('button', { name: 'Delete' }).click();
    await page.getByText('No API tokens yet').waitFor({ timeout: 20_000 });
    expect(await statusOf(here(), secret)).toBe(401);

    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await page.goto(here() + zone());
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  });

  it('returns to the page that asked for the sign-in', async () => {
    const page = await open('/activity?organisation=acme', null);
    await page.getByLabel('Email').fill('member@example.com');
    await page.getByRole('button', { name: 'Send sign-in link' }).click();
    await page.getByRole('link', { name: 'Open the sign-in link' }).click();
    await page.getByRole('heading', { name: 'Activity' }).waitFor();
    expect(page.url()).toBe(`${here()}/activity?organisation=acme`);
  });

  it('refuses a link that was used already, and says why', async () => {
    const page = await open('/sign-in', null);
    await page.getByLabel('Email').fill('stranger@example.com');
    await page.getByRole('button', { name: 'Send sign-in link' }).click();
    const link = await page.getByRole('link', { name: 'Open the sign-in link' }).getAttribute('href');
    await page.goto(link ?? '');
    // A member of one organisation does not choose one.
    await page.waitForURL('**/developer-zone?organisation=*');
    expect(page.url()).not.toContain('code=');
    await page.context().clearCookies({ name: 'local-session' });
    await page.goto('about:blank');
    await page.goto(link ?? '');
    await page.getByText(/This link was used already/).waitFor();
    expect(page.url()).not.toContain('code=');
  });
});

describe('the sidebar', () => {
  it.each([
    ['initech', 'Initech Weddings', 'Trial'],
    ['umbrella', 'Umbrella Races', 'Pay As You Go'],
    ['globex', 'Globex Runs', 'Pro'],
  ])('fades Developer Zone with a lock for %s and shows Enterprise Plan Required', async (id, name, plan) => {
    const page = await open('/developer-zone');
    const asked: string[] = [];
    page.on('request', (request) => asked.push(new URL(request.url()).pathname));
    await page.getByLabel('Organisation').selectOption(name);
    const item = page.getByRole('link', { name: 'Developer Zone (locked)' });
    await item.waitFor();
    expect(await item.locator('svg').count()).toBe(2);
    expect(await item.evaluate((node) => Number(getComputedStyle(node).opacity))).toBeLessThan(1);
    await item.hover();
    await page.getByRole('tooltip', { name: 'Enterprise plan required' }).waitFor();
    await page.keyboard.press('Tab');
    await item.focus();
    await page.keyboard.press('Escape');
    await page.getByRole('tooltip').waitFor({ state: 'hidden' });
    await item.click();
    await page.getByRole('heading', { name: 'Enterprise Plan Required' }).waitFor();
    await page.getByText(`${name} is on the ${plan} plan.`).waitFor();
    await page.getByRole('link', { name: 'Contact 9Pic to upgrade' }).waitFor();
    expect(page.url()).toBe(here() + zone(id));
    expect(asked.filter((path) => path.endsWith('/tokens'))).toEqual([]);
  });

  it('asks to choose an organisation when none is selected', async () => {
    const page = await open('/developer-zone');
    expect(await page.getByRole('main').innerText()).toContain(
      'Choose an organisation from the sidebar to manage its API tokens.',
    );
  });

  it('asks once for the tokens of an organisation that was chosen', async () => {
    const page = await open('/developer-zone');
    const asked: string[] = [];
    page.on('request', (request) => asked.push(new URL(request.url()).pathname));
    await page.getByLabel('Organisation').selectOption('Acme Events');
    await page.getByRole('heading', { name: 'Admin API Tokens' }).waitFor();
    await page.waitForLoadState('networkidle');
    expect(asked.filter((path) => path.endsWith('/tokens'))).toHaveLength(1);
  });

  it('opens the API documentation in a new tab', async () => {
    const page = await open(zone());
    const link = page.getByRole('link', { name: 'API documentation (opens in a new tab)' });
    expect(await link.getAttribute('target')).toBe('_blank');
    expect(await link.getAttribute('rel')).toBe('noopener');
  });
});

describe('the dialogs', () => {
  it('explains before it creates or deletes, and does neither on Cancel', async () => {
    const page = await open(zone());
    await page.getByRole('button', { name: 'Create Token', exact: true }).click();
    const creating = page.getByRole('dialog');
    await creating.getByText(/only once/).waitFor();
    await creating.getByRole('button', { name: 'Cancel' }).click();
    await creating.waitFor({ state: 'detached' });
    await page.getByText('No API tokens yet').waitFor();

    const secret = await createAndClose(page);
    await rows(page)
      .first()
      .getByRole('button', { name: /^Delete token/ })
      .click();
    const deleting = page.getByRole('alertdialog');
    await deleting.getByText('Deletion is permanent.').waitFor();
    await deleting.getByRole('button', { name: 'Cancel' }).click();
    await deleting.waitFor({ state: 'detached' });
    expect(await rows(page).count()).toBe(1);
    expect(await statusOf(here(), secret)).toBe(200);
  });
});

describe('a second member', () => {
  it('lets any member deactivate and delete a token of another member, and does not affect the other tokens', async () => {
    const page = await open(zone());
    const website = await createAndClose(page, 'Website');
    const partner = await createAndClose(page, 'Partner app');
    await page.context().close();
    const colleague = await open('/developer-zone', null);
    await signIn(colleague, here(), 'member@example.com');
    await colleague.goto(here() + zone());
    const row = rows(colleague).filter({ hasText: 'Website' });
    expect(await row.getByRole('cell').nth(1).innerText()).toBe('owner@example.com');
    await row.getByRole('switch').click();
    await colleague.getByText(/Refused since/).waitFor({ timeout: 20_000 });
    expect([await statusOf(here(), website), await statusOf(here(), partner)]).toEqual([401, 200]);
    await row.getByRole('button', { name: /^Delete token/ }).click();
    await colleague.getByRole('alertdialog').getByRole('button', { name: 'Delete' }).click();
    await row.waitFor({ state: 'detached', timeout: 20_000 });
    expect(await rows(colleague).count()).toBe(1);
    expect([await statusOf(here(), website), await statusOf(here(), partner)]).toEqual([401, 200]);
  });
});

describe('the secret', () => {
  it('is shown once: not after Done, a reload, the back button, or in any storage', async () => {
    const page = await open(zone());
    const secret = await createAndClose(page);
    const bodies: string[] = [];
    page.on('response', async (response) => bodies.push(await response.text().catch(() => '')));
    const traces = () =>
      page.evaluate(() =>
        JSON.stringify([
          document.documentElement.outerHTML,
          [...document.querySelectorAll('input, textarea')].map((field) => (field as HTMLInputElement).value),
          Object.entries(localStorage),
          Object.entries(sessionStorage),
          document.cookie,
          location.href,
          document.title,
          JSON.stringify(history.state),
        ]),
      );
    expect(await traces()).not.toContain(secret);
    await page.reload();
    await rows(page).first().waitFor();
    expect(await traces()).not.toContain(secret);
    await page.goto(`${here()}/sessions`);
    await page.goBack();
    await rows(page).first().waitFor();
    expect(await traces()).not.toContain(secret);
    expect(bodies.join('')).not.toContain(secret);
  });

  it('survives Esc, the backdrop, the back button and a reload, and asks before it is closed without a copy', async () => {
    const page = await open('/developer-zone');
    await page.getByLabel('Organisation').selectOption('Acme Events');
    const secret = await create(page);
    const field = page.getByLabel('API token', { exact: true });
    for (let press = 0; press < 5; press++) await page.keyboard.press('Escape');
    await page.mouse.click(5, 5);
    await page.evaluate(() => history.back());
    const asked = page.waitForEvent('dialog');
    await page.evaluate(() => setTimeout(() => location.reload()));
    const question = await asked;
    expect(question.type()).toBe('beforeunload');
    await question.dismiss();
    expect(await field.inputValue()).toBe(secret);
    expect(page.url()).toBe(here() + zone());
    await page.getByRole('button', { name: 'Done' }).click();
    await page.getByText('Not copied yet. It cannot be shown again.').waitFor();
    await page.getByRole('button', { name: 'Copy and close' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(secret);
  });

  it('is created once, however often the button is pressed', async () => {
    const page = await open(zone());
    await page.getByRole('button', { name: 'Create Token', exact: true }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Create Token' }).dblclick();
    await page.getByLabel('API token', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Copy', exact: true }).click();
    await page.getByRole('button', { name: 'Done' }).click();
    await page.reload();
    await rows(page).first().waitFor();
    expect(await rows(page).count()).toBe(1);
  });
});

describe('the limit', () => {
  it('disables Create Token at ten tokens and says to delete one first', async () => {
    const page = await open(zone());
    for (let count = 0; count < 10; count++) {
      const answer = await page.evaluate(
        async () =>
          (
            await fetch('/api/organisations/acme/tokens', {
              method: 'POST',
              headers: { 'content-type': 'application/json' },
              body: '{}',
            })
          ).status,
      );
      expect(answer).toBe(201);
    }
    await page.reload();
    await page.getByText('10 of 10 tokens used').waitFor({ state: 'attached' });
    const button = page.getByRole('button', { name: 'Create Token', exact: true });
    expect(await button.getAttribute('aria-disabled')).toBe('true');
    await page.getByText('Delete an existing token to create a new one.').waitFor();
    await button.click({ force: true });
    expect(await page.getByRole('dialog').count()).toBe(0);
    await rows(page)
      .first()
      .getByRole('button', { name: /^Delete token/ })
      .click();
    await page.getByRole('alertdialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByText('9 of 10 tokens used').waitFor({ state: 'attached', timeout: 20_000 });
    expect(await button.getAttribute('aria-disabled')).toBe('false');
  });
});

describe('two tabs', () => {
  it('show two organisations, and each acts on its own', async () => {
    const first = await open(zone());
    const second = await first.context().newPage();
    await second.goto(here() + zone('globex'));
    await second.getByRole('heading', { name: 'Enterprise Plan Required' }).waitFor();
    await first.getByRole('button', { name: 'Create Token', exact: true }).click();
    expect(await first.getByRole('dialog').innerText()).toContain('Acme Events');
    expect(await second.getByLabel('Organisation').inputValue()).toBe('globex');
  });

  it('agree that a token is gone when one of them deletes it', async () => {
    const first = await open(zone());
    await createAndClose(first);
    const second = await first.context().newPage();
    await second.goto(here() + zone());
    await rows(second).first().waitFor();
    await rows(first)
      .first()
      .getByRole('button', { name: /^Delete token/ })
      .click();
    await first.getByRole('alertdialog').getByRole('button', { name: 'Delete' }).click();
    await first.getByText('No API tokens yet').waitFor({ timeout: 20_000 });
    await rows(second).first().getByRole('switch').click();
    await second.getByText(/was deleted meanwhile/).waitFor();
    expect(await rows(second).count()).toBe(0);
  });
});

describe('a session that ends while the dashboard is open', () => {
  it('asks for one sign-in and leads back to the same page', async () => {
    const page = await open(zone());
    await createAndClose(page);
    await page.context().clearCookies({ name: 'local-session' });
    await rows(page).first().getByRole('switch').click();
    await page.getByText('Your session has ended. Sign in again to continue.').waitFor();
    expect(await page.getByRole('alert').filter({ hasText: /\S/ }).count()).toBe(0);
    await page.getByLabel('Email').fill('owner@example.com');
    await page.getByRole('button', { name: 'Send sign-in link' }).click();
    await page.getByRole('link', { name: 'Open the sign-in link' }).click();
    await rows(page).first().waitFor();
    expect(page.url()).toBe(here() + zone());
  });
});
