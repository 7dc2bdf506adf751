// Navigation during an action. A change of a token is sent to the organisation of its row, also when the address has changed.
// Undo and Try again disappear with the page that offered them. A deletion is reported only when the list confirms it.
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import {
  TOKENS,
  ZONE,
  confirmButton,
  createButton,
  field,
  labelOf,
  member,
  newRow,
  openToken,
  receipt,
  renameButton,
  rowAt,
  switches,
  trash,
  useDashboard,
  sessionOnPlan,
} from './dashboard.ts';
import { ROWS, SECRET, after, answer, broken, cut, json, problem } from './fixtures.ts';

const { open } = useDashboard();

const HOOLI = { ...rowAt(1), id: 'id-hooli', preview: '9pHoo', name: 'Of Hooli' };
const off = json(receipt({ ...rowAt(0), active: false }));
const undo = (page: Page) => page.getByRole('button', { name: 'Undo' });
const again = (page: Page) => page.getByRole('button', { name: 'Try again' });
const select = (page: Page) => page.getByRole('complementary').getByRole('combobox');

/** A page at Acme, reached from Hooli, and the writes that it sends. */
async function atAcme(before: (page: Page) => Promise<unknown> = async () => {}) {
  const writes: string[] = [];
  const page = await open({
    path: '/developer-zone?organisation=hooli',
    boot: { ...member, tokens: { organisation: 'hooli', tokens: [HOOLI] } },
    before: async (opened) => {
      await answer(opened, 'session', json(member.session));
      await answer(opened, 'organisations/hooli/tokens', json({ tokens: [HOOLI], limit: 10 }));
      await answer(
        opened,
        'organisations/*/activity**',
        json({ events: [], next: null, people: [], more: false }),
      );
      opened.on('request', (request) => {
        if (request.method() !== 'GET')
          writes.push(
            `${request.method()} ${new URL(request.url()).pathname.replace('/api/organisations/', '')}`,
          );
      });
      await before(opened);
    },
  });
  await select(page).selectOption('acme');
  await switches(page)
    .nth(ROWS.length - 1)
    .waitFor();
  return { page, writes };
}

const WAYS: [name: string, go: (page: Page) => Promise<unknown>][] = [
  ['Back', (page) => page.goBack()],
  ['another organisation', (page) => select(page).selectOption('hooli')],
  ['a link', (page) => page.getByRole('link', { name: 'Activity' }).click()],
];
/** The page has left Acme's tokens. */
const left = (page: Page) => expect.poll(() => page.url().includes(ZONE)).toBe(false);

describe.each(WAYS)('on the way out by %s', (_, leave) => {
  it('the receipt of an open switch names its organisation, and offers no Undo', async () => {
    const held = Promise.withResolvers<void>();
    const { page, writes } = await atAcme((opened) =>
      answer(opened, `${TOKENS}/*`, after(held.promise, off)),
    );
    await switches(page).first().click();
    await page.getByText('Deactivating…').waitFor();
    await leave(page);
    await left(page);
    held.resolve();
    await page.getByText(/^Acme Events: Refused since/).waitFor();
    expect(await undo(page).count()).toBe(0);
    expect(writes).toEqual([`PATCH acme/tokens/${rowAt(0).id}`]);
  });

  it('Undo disappears, and nothing is sent', async () => {
    const { page, writes } = await atAcme((opened) => answer(opened, `${TOKENS}/*`, off));
    await switches(page).first().click();
    await undo(page).waitFor();
    await leave(page);
    await left(page);
    await undo(page).waitFor({ state: 'detached' });
    expect(writes).toEqual([`PATCH acme/tokens/${rowAt(0).id}`]);
  });

  it('Try again of a failed switch disappears', async () => {
    const { page } = await atAcme((opened) => answer(opened, `${TOKENS}/*`, broken));
    await switches(page).first().click();
    await again(page).waitFor();
    await leave(page);
    await left(page);
    await expect.poll(() => again(page).count()).toBe(0);
  });

  it('a half-typed name is sent to its own token or not at all', async () => {
    const { page, writes } = await atAcme((opened) =>
      answer(opened, `${TOKENS}/*`, json(receipt({ ...rowAt(0), name: 'Half' }))),
    );
    await openToken(page);
    await renameButton(page).click();
    await page.getByLabel(/^Name of token/).fill('Half');
    await leave(page);
    await expect.poll(() => page.url().includes('/tokens/')).toBe(false);
    await page.getByLabel(/^Name of token/).waitFor({ state: 'detached' });
    expect(writes.filter((path) => path !== `PATCH acme/tokens/${rowAt(0).id}`)).toEqual([]);
  });
});

describe('Back', () => {
  it('closes the dialog of a deletion, and deletes nothing', async () => {
    const { page, writes } = await atAcme();
    await trash(page).first().click();
    await page.getByRole('alertdialog').waitFor();
    await page.goBack();
    await page.getByRole('alertdialog').waitFor({ state: 'detached' });
    await page.getByText('Of Hooli').waitFor();
    expect(writes).toEqual([]);
  });

  it('closes the dialog of a creation, keeps the name for that organisation, and creates nothing in another one', async () => {
    const { page, writes } = await atAcme();
    await createButton(page).click();
    await page.getByLabel('What will use it?').fill('Half typed');
    await page.goBack();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.getByText('Of Hooli').waitFor();
    await createButton(page).click();
    expect(await page.getByLabel('What will use it?').inputValue()).toBe('');
    await page.keyboard.press('Escape');
    await page.goForward();
    await expect.poll(() => switches(page).count()).toBe(ROWS.length);
    await createButton(page).click();
    expect(await page.getByLabel('What will use it?').inputValue()).toBe('Half typed');
    // A click beside a form that is not empty does not close it.
    await page.mouse.click(5, 5);
    expect(await page.getByRole('dialog').isVisible()).toBe(true);
    expect(writes).toEqual([]);
  });

  it('waits for an open deletion', async () => {
    const held = Promise.withResolvers<void>();
    const { page, writes } = await atAcme((opened) =>
      answer(opened, `${TOKENS}/*`, after(held.promise, json(receipt(rowAt(0))))),
    );
    await trash(page).first().click();
    await page.getByRole('alertdialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByText('Deleting…').waitFor();
    await page.evaluate(() => history.back());
    held.resolve();
    await page.getByText(/deleted\. Refused everywhere since/).waitFor();
    expect(page.url()).toContain(ZONE);
    expect(writes).toEqual([`DELETE acme/tokens/${rowAt(0).id}`]);
  });

  it('waits for an open creation, and the secret is shown', async () => {
    const held = Promise.withResolvers<void>();
    const { page, writes } = await atAcme((opened) =>
      answer(opened, TOKENS, (route) =>
        route.request().method() === 'GET'
          ? route.fulfill({ json: { tokens: ROWS, limit: 10 } })
          : after(held.promise, json({ token: newRow, secret: SECRET }, 201))(route),
      ),
    );
    await createButton(page).click();
    await confirmButton(page).click();
    await page.getByText('Creating…').waitFor();
    await page.evaluate(() => history.back());
    held.resolve();
    await field(page).waitFor();
    expect(await field(page).inputValue()).toBe(SECRET);
    expect(page.url()).toContain(ZONE);
    expect(writes).toEqual(['POST acme/tokens']);
    await page.getByRole('button', { name: 'Copy', exact: true }).click();
    await page.getByRole('button', { name: 'Done' }).click();
  });
});

describe('without a certain answer', () => {
  const remove = async (page: Page) => {
    await trash(page).first().click();
    await page.getByRole('alertdialog').getByRole('button', { name: 'Delete' }).click();
  };

  it('a 404 is not reported as a deletion while the list has the token', async () => {
    const { page } = await atAcme((opened) => answer(opened, `${TOKENS}/*`, problem(404, 'token-not-found')));
    await remove(page);
    await page.getByRole('alertdialog').getByRole('alert').filter({ hasText: 'It is unchanged.' }).waitFor();
    await page.keyboard.press('Escape');
    await switches(page).first().click();
    await page.getByText(/It is still active\./).waitFor();
    expect(await page.getByText(/was deleted/).count()).toBe(0);
    expect(await switches(page).count()).toBe(ROWS.length);
  });

  it('when the list cannot be loaded, the page says that the change is not confirmed', async () => {
    const { page } = await atAcme((opened) => answer(opened, `${TOKENS}/*`, problem(404, 'token-not-found')));
    await answer(page, TOKENS, cut);
    await remove(page);
    await page
      .getByRole('alertdialog')
      .getByRole('alert')
      .filter({ hasText: `Couldn’t confirm the change of ${labelOf(rowAt(0))}.` })
      .waitFor();
    await page.keyboard.press('Escape');
    await answer(page, `${TOKENS}/*`, broken);
    await switches(page).first().click();
    await page.getByText(`Couldn’t confirm the change of ${labelOf(rowAt(0))}.`).waitFor();
    expect(await page.getByText(/still active/).count()).toBe(0);
    // The page shows old rows and marks them as old.
    await page.getByText(/could not be loaded again/).waitFor();
  });

  it('the answer to a rename changes only the name, and the answer to a switch only the switch', async () => {
    const [named, switched] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const { page } = await atAcme((opened) =>
      answer(opened, `${TOKENS}/*`, async (route) => {
        const change = route.request().postDataJSON() as { name?: string };
        // Each answer has the row as it was before the other change.
        if (change.name === undefined) await after(switched.promise, off)(route);
        else await after(named.promise, json(receipt({ ...rowAt(0), name: change.name })))(route);
      }),
    );
    await openToken(page);
    await renameButton(page).click();
    await page.getByLabel(/^Name of token/).fill('Shop');
    await page.keyboard.press('Enter');
    await switches(page).first().click();
    switched.resolve();
    await page.getByText(/Refused since/).waitFor();
    named.resolve();
    await expect.poll(() => page.getByRole('heading', { level: 1 }).innerText()).toBe('Shop');
    expect(await page.locator('.state').first().innerText()).toBe('Inactive');
    expect(await switches(page).first().isChecked()).toBe(false);
  });

  it('after a refusal because of the plan, the page loads the new plan, and later its return', async () => {
    const { page } = await atAcme(async (opened) => {
      await opened.clock.install();
      await answer(opened, `${TOKENS}/*`, problem(403, 'enterprise-plan-required'));
    });
    await answer(page, 'session', json(sessionOnPlan('trial')));
    await switches(page).first().click();
    await page.getByText('Acme Events is on the Trial plan.').waitFor();
    await answer(page, 'session', json(member.session));
    await page.clock.runFor(31_000);
    await expect.poll(() => switches(page).count()).toBe(ROWS.length);
  });

  it('a removed member is told so, and sees no error', async () => {
    const { page } = await atAcme((opened) =>
      answer(opened, `${TOKENS}/*`, problem(404, 'organisation-not-found')),
    );
    await answer(
      page,
      'session',
      json({ ...member.session, organisations: member.session.organisations.slice(1) }),
    );
    await switches(page).first().click();
    await page.getByText(/You are not a member of that organisation/).waitFor();
    expect(await page.getByText(/wrong on our side|still active/).count()).toBe(0);
  });
});
