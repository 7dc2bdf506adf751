// The panel of tokens by mouse, by keyboard and on a bad network: the table, creating, the secret, switching, deleting.
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import {
  TOKENS,
  confirmButton,
  count,
  createButton,
  created,
  field,
  focused,
  labelOf,
  newRow,
  openToken,
  receipt,
  renameButton,
  rowAt,
  showSecret,
  switches,
  table,
  trash,
  useDashboard,
  watchShifts,
} from './dashboard.ts';
import {
  RETIRING,
  ROWS,
  SECRET,
  TEN,
  USAGE,
  after,
  answer,
  broken,
  cut,
  dropped,
  json,
  problem,
  silence,
} from './fixtures.ts';

const { open, here } = useDashboard();

describe('the table', () => {
  it('has five columns in their order, and masks of five characters in monospace', async () => {
    const page = await open();
    expect(await page.getByRole('columnheader').allInnerTexts()).toEqual([
      // The calls are a part of the token's own column.
      expect.stringMatching(/^Token\s+Calls, 24 hours$/),
      'Status',
      'Created By',
      'Created At',
      'Actions',
    ]);
    const mask = page.locator('.mask').first();
    expect(await mask.innerText()).toBe(`${ROWS[0]?.preview}***`);
    expect(await mask.evaluate((node) => getComputedStyle(node).fontFamily)).toContain('monospace');
    const made = await page
      .getByRole('row')
      .locator('.cell-at time')
      .evaluateAll((nodes) => nodes.map((node) => node.getAttribute('datetime') ?? ''));
    expect(made).toHaveLength(ROWS.length);
    expect(made).toEqual(made.toSorted().toReversed());
  });

  it('shows the status by word and shape, and the date in the locale of the reader', async () => {
    const page = await open({ options: { locale: 'de-DE', timezoneId: 'Europe/Berlin' } });
    expect(await page.locator('.state').allInnerTexts()).toEqual(['Active', 'Active', 'Inactive', 'Active']);
    const dots = await page
      .locator('.state')
      .evaluateAll((nodes) => nodes.map((node) => getComputedStyle(node, '::before').backgroundColor));
    expect(dots[0]).not.toBe(dots[2]);
    const time = page.locator('td time').first();
    expect(await time.getAttribute('datetime')).toBe(ROWS[0]?.createdAt);
    expect(await time.innerText()).toMatch(/^\d{1,2}\. \S+ \d{4}$/);
    expect(await time.getAttribute('title')).toMatch(/MEZ|MESZ/);
    expect(await page.getByRole('main').innerText()).not.toMatch(/\d{4}-\d\d-\d\dT/);
  });

  it('has a switch whose name does not change; Space turns it, and it keeps the focus', async () => {
    const page = await open({
      before: (opened) => answer(opened, `${TOKENS}/*`, json(receipt({ ...ROWS[0], active: false }))),
    });
    const one = page.getByRole('switch', { name: `Token ${labelOf(rowAt(0))} active` });
    expect(await one.isChecked()).toBe(true);
    await one.focus();
    await page.keyboard.press('Space');
    await page.getByText(/Refused since/).waitFor();
    expect(await one.isChecked()).toBe(false);
    expect(await focused(page)).toBe(`Token ${labelOf(rowAt(0))} active`);
  });

  it('shows the number of calls of each token, also in words', async () => {
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

  it('says one unusual thing of a token at most, the gravest', async () => {
    const days = (ago: number) => new Date(Date.now() - ago * 86_400_000).toISOString();
    const old = { createdAt: days(200), lastUsedAt: days(94) };
    const page = await open({
      boot: {
        tokens: {
          organisation: 'acme',
          limit: 10,
          tokens: [
            { ...rowAt(0), active: true },
            { ...rowAt(1), ...old },
            // Called while it is off, and unused for long: the first is graver.
            { ...rowAt(2), ...old, active: false },
            { ...rowAt(3), createdAt: days(120) },
            // Called while it is off, and unused for long, with two values.
            { ...rowAt(2), id: 'id-two', ...old, active: false, retiring: RETIRING },
            // Its new value was not used yet, the old one was.
            {
              ...rowAt(3),
              id: 'id-replaced',
              createdAt: days(120),
              retired: [{ preview: '9pOld', retiredAt: days(1), lastUsedAt: days(1) }],
            },
          ],
        },
      },
    });
    await page.getByText('Still called: 12 refused').waitFor();
    expect(await page.locator('.remark').allInnerTexts()).toEqual([
      '',
      'Unused for 94 days',
      'Still called: 12 refused',
      'Unused for 120 days',
      'Two values live',
      '',
    ]);
  });

  it('renames in place: Enter saves, Esc keeps the old name, and the focus returns', async () => {
    const page = await open({
      before: (opened) =>
        answer(opened, `${TOKENS}/*`, (route) =>
          route.fulfill({ json: receipt({ ...ROWS[0], ...route.request().postDataJSON() }) }),
        ),
    });
    await openToken(page);
    const heading = page.getByRole('heading', { level: 1 });
    const rename = renameButton(page);
    await rename.click();
    await page.getByLabel(/^Name of token/).fill('Thrown away');
    await page.keyboard.press('Escape');
    expect(await heading.innerText()).toBe('Website');
    await expect.poll(() => focused(page)).toBe(`Rename token ${rowAt(0).preview}***`);
    await rename.click();
    await page.getByLabel(/^Name of token/).fill('Shop');
    await page.keyboard.press('Enter');
    await expect.poll(() => heading.innerText()).toBe('Shop');
  });

  it('keeps a name that was refused in its field, with the reason', async () => {
    const refusal = problem(422, 'invalid-body', {}, 'Field "name": has a control character');
    const page = await open({ before: (opened) => answer(opened, `${TOKENS}/*`, refusal) });
    const asked = count(page, `/api/${TOKENS}/${rowAt(0).id}`, 'PATCH');
    const name = page.getByLabel(/^Name of token/);
    await openToken(page);
    await renameButton(page).click();
    await name.fill('Shop\u200b');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('Not renamed. Field "name": has a control character.').waitFor();
    expect(await name.inputValue()).toBe('Shop\u200b');
    expect(await name.getAttribute('aria-invalid')).toBe('true');
    // Leaving the field does not send the name again.
    await switches(page).first().focus();
    expect(await name.inputValue()).toBe('Shop\u200b');
    await answer(page, `${TOKENS}/*`, json(receipt({ ...rowAt(0), name: 'Shop' })));
    await name.fill('Shop');
    await page.keyboard.press('Enter');
    await name.waitFor({ state: 'detached' });
    expect(asked).toHaveLength(2);
  });

  it('shows bars with the height of a row only when loading takes more than 150 ms, without a layout shift', async () => {
    const held = Promise.withResolvers<void>();
    const page = await open({
      path: '/developer-zone',
      boot: {},
      before: (opened) =>
        answer(opened, TOKENS, after(held.promise, json({ tokens: ROWS.slice(0, 3), limit: 10 }))),
    });
    await page.getByLabel('Organisation').selectOption('acme');
    const card = page.locator('section.card');
    await card.waitFor();
    expect(await card.getAttribute('aria-busy')).toBe('true');
    expect(await createButton(page).getAttribute('aria-disabled')).toBe('true');
    await page.getByText('Loading tokens').waitFor({ state: 'attached' });
    const bar = (await page.locator('.bar-row').first().boundingBox())?.height ?? 0;
    const shifted = await watchShifts(page);
    held.resolve();
    await switches(page).first().waitFor();
    const height = (await page.getByRole('row').nth(1).boundingBox())?.height ?? 0;
    expect(Math.abs(height - bar)).toBeLessThanOrEqual(4);
    expect(await shifted()).toBeLessThan(0.01);
  });
});

describe.each([320, 360, 390, 768, 1280])('a page %s wide', (width) => {
  it('does not shift when the call counts arrive', async () => {
    const held = Promise.withResolvers<void>();
    const page = await open({
      options: { viewport: { width, height: 800 } },
      before: (opened) => answer(opened, 'organisations/*/usage', after(held.promise, json(USAGE))),
    });
    await switches(page).first().waitFor();
    const shifted = await watchShifts(page);
    held.resolve();
    // A phone has no room for them: they are on the token's own page.
    await page.locator('.calls svg').first().waitFor({ state: 'attached' });
    expect(await shifted()).toBe(0);
  });
});

describe('creating', () => {
  it('has its focus on the name, and Esc, Cancel and the backdrop close it without a request', async () => {
    const page = await open();
    const asked = count(page, `/api/${TOKENS}`, 'POST');
    // The first dialog may have to wait for its script.
    await createButton(page).click();
    await page.getByLabel('What will use it?').waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
    // The focus must move at once: after the next frame it could move while a person already presses Enter.
    const begins = await createButton(page).evaluate(async (node) => {
      (node as HTMLElement).focus();
      (node as HTMLElement).click();
      await new Promise((done) => setTimeout(done));
      return document.activeElement?.id;
    });
    expect(begins).toBe('create-name');
    expect(await page.getByRole('dialog').innerText()).toContain('shown only once');
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await expect.poll(() => focused(page)).toBe('Create Token');
    await createButton(page).click();
    // A click at a position does not wait, so the dialog must be open.
    await page.getByRole('dialog').waitFor();
    await page.mouse.click(5, 5);
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(asked).toEqual([]);
  });

  it('sends one request, however often Enter is pressed, and cannot be closed while it waits', async () => {
    const held = Promise.withResolvers<void>();
    const page = await open({ before: (opened) => answer(opened, TOKENS, after(held.promise, broken)) });
    const asked = count(page, `/api/${TOKENS}`, 'POST');
    await createButton(page).click();
    await page.getByLabel('What will use it?').focus();
    for (let press = 0; press < 4; press++) await page.keyboard.press('Enter');
    await page.getByText('Creating…').waitFor();
    // Chromium closes a dialog on a later Esc in spite of a cancelled `cancel`.
    for (let press = 0; press < 5; press++) await page.keyboard.press('Escape');
    expect(await page.getByRole('dialog').isVisible()).toBe(true);
    expect(asked).toHaveLength(1);
    // The dialog shows the result, and can then be closed.
    held.resolve();
    await page.getByText('Something went wrong on our side.').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  });

  it('stays open on a failure with an alert inside, and the next try has the same key', async () => {
    const page = await open({
      before: (opened) => answer(opened, TOKENS, problem(429, 'too-many-requests')),
    });
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
    // Without an answer, or after a server error, the token may have been created.
    for (const [trouble, said] of [
      [cut, 'No answer came.'],
      [broken, 'Something went wrong on our side.'],
    ] as const) {
      await answer(page, TOKENS, trouble);
      await confirmButton(page).click();
      await page.getByText(`It may have been created. Trying again makes no second token. ${said}`).waitFor();
    }
    await created(page);
    await confirmButton(page).click();
    await field(page).waitFor();
    expect(keys).toHaveLength(4);
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

  it('shows the limit in the same words when another tab has reached it first', async () => {
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
  it('is in a read-only field that is selected, in monospace, and excluded from autofill and password managers', async () => {
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

  it.each([1280, 390, 320])(
    'is copied without a layout shift, and the dialog says so, %s wide',
    async (width) => {
      const page = await open({ before: created, options: { viewport: { width, height: 800 } } });
      await showSecret(page);
      const dialog = page.getByRole('dialog');
      expect(await dialog.getByRole('status').allInnerTexts()).toContain('');
      const button = dialog.getByRole('button', { name: /^Cop(y|ied)$/ });
      await dialog.evaluate((node) => Promise.all(node.getAnimations().map(({ finished }) => finished)));
      const before = await button.boundingBox();
      const done = dialog.getByRole('button', { name: 'Done' });
      const doneBefore = await done.boundingBox();
      await button.click();
      await dialog.getByRole('status').filter({ hasText: 'Copied to clipboard' }).waitFor();
      expect(await button.innerText()).toBe('Copied');
      expect(await button.boundingBox()).toEqual(before);
      expect(await done.boundingBox()).toEqual(doneBefore);
      await expect.poll(() => button.innerText(), { timeout: 5000 }).toBe('Copy');
    },
  );

  it('is selected when the clipboard is refused, and Done still asks', async () => {
    const page = await open({ before: created });
    await showSecret(page);
    await page.evaluate(() => {
      navigator.clipboard.writeText = () => Promise.reject(new Error('refused'));
    });
    await page.getByRole('button', { name: 'Copy', exact: true }).click();
    await page.getByText(/copy it by hand/).waitFor();
    expect(await field(page).evaluate((node: HTMLTextAreaElement) => node === document.activeElement)).toBe(
      true,
    );
    await page.getByRole('button', { name: 'Done' }).click();
    await page.getByRole('button', { name: 'Close anyway' }).waitFor();
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
    // Folded: most people copy the token and go.
    expect(await page.getByRole('tab', { name: 'cURL' }).isVisible()).toBe(false);
    await page.getByText('First call').click();
    await page.getByRole('tab', { name: 'cURL' }).focus();
    const seen: string[] = [];
    for (const name of ['cURL', 'JavaScript', 'Python']) {
      expect(await focused(page)).toBe(name);
      seen.push(await page.getByRole('tabpanel', { name }).innerText());
      await page.keyboard.press('ArrowRight');
    }
    for (const text of seen) {
      expect(text).toContain(SECRET);
      expect(text).toContain(`${here()}/v1/ping`);
    }
    await page.getByRole('button', { name: 'Copy the example' }).click();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(seen[0]);
  });

  it('is closed by Done, with one polite message and the focus on Create Token', async () => {
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
    expect(await page.locator('.state').first().innerText()).toBe('Active');
  });

  it('stays open when the session ends in the background, and Done then leads to the sign-in', async () => {
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
  it('moves the thumb at once, marks the row busy, and ignores clicks until the receipt arrives', async () => {
    const held = Promise.withResolvers<void>();
    const page = await open({
      before: (opened) =>
        answer(opened, `${TOKENS}/*`, after(held.promise, json(receipt({ ...ROWS[0], active: false })))),
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
    held.resolve();
    await page.getByText(/Refused since \d\d:\d\d:\d\d/).waitFor();
    expect(await row.getAttribute('aria-busy')).toBe('false');
    expect(await one.isChecked()).toBe(false);
    expect(asked).toHaveLength(1);
  });

  it('rolls back on a failure, says which state still holds, and tries again on request', async () => {
    const page = await open({ before: (opened) => answer(opened, `${TOKENS}/*`, broken) });
    await switches(page).first().click();
    await page
      .getByRole('alert')
      .getByText(/It is still active\./)
      .waitFor();
    expect(await switches(page).first().isChecked()).toBe(true);
    await answer(page, `${TOKENS}/*`, json(receipt({ ...ROWS[0], active: false })));
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByText(/Refused since/).waitFor();
    expect(await switches(page).first().isChecked()).toBe(false);
  });

  it('shows the request id of a failure on our side, with a button to copy it', async () => {
    const page = await open({ before: (opened) => answer(opened, `${TOKENS}/*`, broken) });
    await switches(page).first().click();
    await page.getByRole('alert').getByText('01JDG7Q9M3XW5K2R8T4V6Y0ZAB').waitFor();
    await page.getByRole('button', { name: 'Copy the request id' }).click();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('01JDG7Q9M3XW5K2R8T4V6Y0ZAB');
  });

  it('claims nothing about a change whose answer was lost, and shows the state of the list', async () => {
    const page = await open({
      before: async (opened) => {
        await answer(opened, `${TOKENS}/*`, cut);
        await answer(opened, TOKENS, json({ tokens: [{ ...ROWS[0], active: false }], limit: 10 }));
      },
    });
    await switches(page).first().click();
    await page.getByText(/Couldn’t confirm the change of Website 9pW4k\*\*\*\. No answer came\./).waitFor();
    expect(await switches(page).first().isChecked()).toBe(false);
    await answer(page, `${TOKENS}/*`, json(receipt({ ...ROWS[0], active: false })));
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByText(/Refused since/).waitFor();
  });

  it('is not overwritten by a list that was requested before it', async () => {
    const held = Promise.withResolvers<void>();
    const page = await open({
      before: async (opened) => {
        await answer(opened, `${TOKENS}/*`, json(receipt({ ...ROWS[0], active: false })));
        await answer(opened, TOKENS, after(held.promise, dropped(json({ tokens: ROWS, limit: 10 }))));
      },
    });
    const list = page.waitForEvent('requestfailed', (request) => request.url().endsWith(`/api/${TOKENS}`));
    await page.evaluate(() => dispatchEvent(new Event('online')));
    await switches(page).first().click();
    await page.getByText(/Refused since/).waitFor();
    held.resolve();
    await list;
    expect(await switches(page).first().isChecked()).toBe(false);
  });

  it('shows its result in its row, and messages come and go without a layout shift', async () => {
    const page = await open({
      before: async (opened) => {
        await opened.clock.install();
        await answer(opened, `${TOKENS}/*`, (route) => {
          const id = new URL(route.request().url()).pathname.split('/').pop();
          const one = ROWS.find((each) => each.id === id);
          return id === ROWS[2]?.id
            ? broken(route)
            : route.fulfill({ json: receipt({ ...one, ...route.request().postDataJSON() }) });
        });
      },
    });
    const news = page.locator('.receipt');
    // What stops is said where the calls are known.
    await page.locator('.calls svg').first().waitFor();
    const shifted = await watchShifts(page);
    for (const [at, calls] of ['5,599', '843'].entries()) {
      await switches(page).nth(at).click();
      await expect.poll(() => news.count()).toBe(at + 1);
      expect(
        await page
          .getByRole('row')
          .nth(at + 1)
          .locator('.receipt')
          .innerText(),
      ).toMatch(
        new RegExp(`^Refused since \\d\\d:\\d\\d:\\d\\d\\.\\s+${calls} calls a day stop\\.\\s+Undo$`),
      );
    }
    await page.clock.runFor(11_000);
    await expect.poll(() => news.count()).toBe(0);
    expect(await shifted()).toBe(0);
    // An error stays under its row: no row above it moves, and no message covers the page.
    const tops = () =>
      page.getByRole('switch').evaluateAll((nodes) => nodes.map((node) => node.getBoundingClientRect().top));
    const before = await tops();
    await switches(page).nth(2).click();
    await page.getByText(/It is still inactive/).waitFor();
    await page.clock.runFor(60_000);
    expect((await tops()).slice(0, 3)).toEqual(before.slice(0, 3));
    expect(await page.locator('.toast').count()).toBe(0);
    expect(await page.getByText(/It is still inactive/).isVisible()).toBe(true);
  });

  it('offers Undo as the next Tab stop after the switch, and returns the focus to the switch', async () => {
    const page = await open({
      before: (opened) =>
        answer(opened, `${TOKENS}/*`, (route) =>
          route.fulfill({ json: receipt({ ...rowAt(0), ...route.request().postDataJSON() }) }),
        ),
    });
    await switches(page).first().focus();
    await page.keyboard.press('Space');
    await page.getByText(/Refused since/).waitFor();
    await page.keyboard.press('Tab');
    expect(await focused(page)).toBe('Undo');
    await page.keyboard.press('Shift+Tab');
    expect(await focused(page)).toBe(`Token ${labelOf(rowAt(0))} active`);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    expect(await focused(page)).toBe(`Delete token ${labelOf(rowAt(0))}`);
    await page.getByRole('button', { name: 'Undo' }).press('Enter');
    await page.getByText(/Accepted since/).waitFor();
    expect(await focused(page)).toBe(`Token ${labelOf(rowAt(0))} active`);
  });

  it('offers Undo for ten seconds, longer while it has the pointer or the focus, and shows an error until it is dismissed', async () => {
    const page = await open({
      before: async (opened) => {
        await opened.clock.install();
        await answer(opened, `${TOKENS}/*`, (route) =>
          route.fulfill({ json: receipt({ ...ROWS[0], ...route.request().postDataJSON() }) }),
        );
      },
    });
    const undo = page.getByRole('button', { name: 'Undo' });
    const clock = () => page.evaluate(() => Date.now());
    const clickedAt = await clock();
    await switches(page).first().click();
    await undo.waitFor();
    // The clock of the page stands still, so that no real time is added to the 9.5 seconds.
    const stoppedAt = (await clock()) + 500;
    await page.clock.pauseAt(stoppedAt);
    await page.clock.runFor(9500 - (stoppedAt - clickedAt));
    expect(await undo.isVisible()).toBe(true);
    await undo.hover();
    await page.clock.resume();
    await page.clock.runFor(20_000);
    expect(await undo.isVisible()).toBe(true);
    await undo.focus();
    await page.mouse.move(5, 5);
    await page.clock.runFor(20_000);
    expect(await undo.isVisible()).toBe(true);
    await trash(page).first().click();
    await page.clock.runFor(20_000);
    await page.keyboard.press('Escape');
    await page.getByRole('alertdialog').waitFor({ state: 'detached' });
    expect(await undo.isVisible()).toBe(true);
    await undo.press('Enter');
    await page.getByText(/Accepted since/).waitFor();
    expect(await switches(page).first().isChecked()).toBe(true);
    await page.clock.runFor(7000);
    await page.locator('.receipt').waitFor({ state: 'detached' });
    await answer(page, `${TOKENS}/*`, broken);
    await switches(page).first().click();
    await page.getByText(/It is still active/).waitFor();
    await page.clock.runFor(120_000);
    expect(await page.getByText(/It is still active/).isVisible()).toBe(true);
    await page.getByRole('button', { name: 'Dismiss' }).click();
    await page.getByText(/It is still active/).waitFor({ state: 'detached' });
  });

  it.each([
    [1280, 800],
    [390, 844],
  ])('says on the visible screen that a region is slow, %s wide', async (width, height) => {
    const page = await open({
      boot: { tokens: { organisation: 'acme', tokens: TEN } },
      options: { viewport: { width, height } },
      before: async (opened) => {
        await opened.clock.install();
        await answer(opened, `${TOKENS}/*`, silence);
      },
    });
    await switches(page).first().click();
    await page.getByText('Deactivating…').waitFor();
    await page.clock.runFor(3100);
    const said = page.getByRole('status').filter({ hasText: 'A region is slow' });
    await expect.poll(() => said.count()).toBe(1);
    const box = await said.boundingBox();
    expect((box?.y ?? Infinity) + (box?.height ?? 0)).toBeLessThanOrEqual(height);
  });
});

describe('deleting', () => {
  const gone = (opened: Page) => answer(opened, `${TOKENS}/*`, json(receipt({})));

  it('is confirmed in an alert dialog that has its focus on Cancel and suggests the switch for an active token', async () => {
    const page = await open();
    const colour = await trash(page)
      .first()
      .evaluate((node) => getComputedStyle(node).color);
    const [red = 0, green = 0, blue = 0] = colour.match(/\d+/g)?.map(Number) ?? [];
    expect(red).toBeGreaterThan(3 * Math.max(green, blue));
    await trash(page).first().click();
    const dialog = page.getByRole('alertdialog', { name: 'Delete “Website”?' });
    await expect.poll(() => focused(page)).toBe('Cancel');
    // The dialog names the token and says what stops, and its button says what it deletes.
    expect(await dialog.innerText()).toMatch(
      /9pW4k\*\*\* · used .*5,599 calls in the last 24 hours.*permanent.*immediately.*deactivate it with the switch/s,
    );
    expect(await dialog.getByRole('button').last().innerText()).toBe('Delete “Website”');
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    await expect.poll(() => focused(page)).toBe(`Delete token ${labelOf(rowAt(0))}`);
    await trash(page).nth(2).click();
    expect(await page.getByRole('alertdialog').innerText()).not.toContain('with the switch');
  });

  it('moves the focus to the next row, otherwise to the previous one, otherwise to Create Token', async () => {
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
    await expect.poll(() => focused(page)).toBe(`Delete token ${labelOf(rowAt(1))}`);
    await remove(1);
    await expect.poll(() => focused(page)).toBe(`Delete token ${labelOf(rowAt(1))}`);
    await remove(0);
    await expect.poll(() => focused(page)).toBe('Create Token');
  });

  it('of a token that is already deleted counts as done when the list confirms it', async () => {
    const page = await open({
      before: async (opened) => {
        await answer(opened, TOKENS, json({ tokens: ROWS.slice(1), limit: 10 }));
        await answer(opened, `${TOKENS}/*`, problem(404, 'token-not-found'));
      },
    });
    await trash(page).first().click();
    await page.getByRole('alertdialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByText(/was deleted already/).waitFor();
    expect(await trash(page).count()).toBe(ROWS.length - 1);
  });

  it('that fails says so inside the dialog and keeps the row', async () => {
    const page = await open({ before: (opened) => answer(opened, `${TOKENS}/*`, broken) });
    await trash(page).first().click();
    await page.getByRole('alertdialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('alertdialog').getByRole('alert').filter({ hasText: 'It is unchanged.' }).waitFor();
    await page.keyboard.press('Escape');
    expect(await trash(page).count()).toBe(ROWS.length);
  });
});
