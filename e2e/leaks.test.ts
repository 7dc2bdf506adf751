// What members see of a leak, and of pauses: a token that was found in public, all tokens paused together, an organisation that the
// operator has paused, and who still calls with what has ended.
import type { Page, Route } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import {
  TOKENS,
  focused,
  labelOf,
  member,
  newRow,
  receipt,
  rowAt,
  switches,
  useDashboard,
} from './dashboard.ts';
import { EXPOSED, ROWS, SECRET, STILL, after, answer, broken, cut, json, problem } from './fixtures.ts';
import type { Row } from './fixtures.ts';

const { open, here } = useDashboard();
const pageOf = ({ id }: { id: string }): string => `/developer-zone/tokens/${id}?organisation=acme`;
const boot = (rows: Row[]) => ({ tokens: { organisation: 'acme', tokens: rows } });
const list = (page: Page, rows: Row[]) => answer(page, TOKENS, json({ tokens: rows, limit: 10 }));
const rest = ROWS.slice(1);
const found: Row = { ...rowAt(0), active: false, exposed: EXPOSED };
const bodies = (page: Page, method: string): unknown[] => {
  const sent: unknown[] = [];
  page.on('request', (request) => {
    if (request.method() === method) sent.push(request.postDataJSON());
  });
  return sent;
};
const asked = (page: Page) => page.getByRole('alertdialog');
const strip = (page: Page) => page.locator('.strip');
const escape = async (page: Page, times: number): Promise<void> => {
  for (let press = 0; press < times; press++) await page.keyboard.press('Escape');
};

describe('a token that was found in public', () => {
  it('is named above the table and in its row, and its page says where it was found, as text', async () => {
    const where = 'javascript:alert(1)//<b>https://pastebin.example/\u202Ekcab';
    const rows = [{ ...found, exposed: { ...EXPOSED, where }, expiresAt: new Date().toISOString() }, ...rest];
    const page = await open({ boot: boot(rows) });
    await strip(page)
      .getByText(/“Website” was found in public and paused at .*\. Nobody can use it now\./)
      .waitFor();
    expect(await strip(page).count()).toBe(1);
    // More serious than its end.
    expect(await page.locator('.remark').first().innerText()).toMatch(/^Found in public (?:at|on) /);
    await page.getByRole('link', { name: 'Website', exact: true }).click();
    const block = page.getByRole('region', { name: 'Found in public' });
    await block.getByText(where, { exact: true }).waitFor();
    expect(await block.locator('a, b').count()).toBe(0);
    await block.getByText(/Somebody reported on .* UTC that they found this token\./).waitFor();
    await block.getByText('It was paused at once: every call with the value is refused.').waitFor();
    expect(await block.getByRole('button').allInnerTexts()).toEqual([
      'Replace it…',
      'Resume anyway…',
      'Delete it…',
    ]);
  });

  it('is replaced with an end of the old value “Now”, and works again', async () => {
    const page = await open({
      boot: boot([found, ...rest]),
      before: (opened) =>
        answer(opened, `${TOKENS}/*/rotate`, (route) =>
          json({ ...receipt({ ...newRow, id: found.id, name: found.name }), secret: SECRET }, 201)(route),
        ),
    });
    const sent = bodies(page, 'POST');
    await page.getByRole('button', { name: 'Replace it…' }).click();
    const dialog = page.getByRole('dialog');
    const now = dialog.getByRole('radio', { name: 'Now' });
    await now.waitFor();
    expect(await now.isChecked()).toBe(true);
    expect(await now.evaluate((node) => node === document.activeElement)).toBe(true);
    await dialog.getByRole('button', { name: 'Rotate', exact: true }).click();
    await dialog.getByRole('button', { name: 'Copy', exact: true }).click();
    await dialog.getByRole('button', { name: 'Done' }).click();
    expect(sent).toEqual([{ retire: 'now', preview: found.preview }]);
    await page.getByText(/Old value refused since/).waitFor();
    expect(await strip(page).count()).toBe(0);
    expect(await switches(page).first().isChecked()).toBe(true);
  });

  it('is resumed only after a question, also by its switch, and the warning ends', async () => {
    const page = await open({
      path: pageOf(found),
      boot: boot([found, ...rest]),
      before: async (opened) => {
        await list(opened, [found, ...rest]);
        await answer(opened, `${TOKENS}/*`, json(receipt({ ...found, active: true, exposed: null })));
      },
    });
    const sent = bodies(page, 'PATCH');
    const toggler = switches(page);
    for (const opener of [toggler, page.getByRole('button', { name: 'Resume anyway…' })]) {
      await opener.focus();
      await page.keyboard.press('Space');
      await asked(page).waitFor();
      expect(await focused(page)).toBe('Cancel');
      await escape(page, 1);
      await asked(page).waitFor({ state: 'detached' });
      expect(await opener.evaluate((node) => node === document.activeElement)).toBe(true);
    }
    expect(await toggler.isChecked()).toBe(false);
    expect(sent).toEqual([]);
    await toggler.click();
    await asked(page).getByRole('button', { name: 'Resume anyway' }).dblclick();
    await page.getByText(/Accepted since/).waitFor();
    expect(sent).toEqual([{ active: true }]);
    expect(await toggler.isChecked()).toBe(true);
    expect(await page.getByRole('region', { name: 'Found in public' }).count()).toBe(0);
    expect(await focused(page)).toBe(`Token ${labelOf(found)} active`);
  });

  it('says after a failure what is true, and counts as resumed where the list has it active', async () => {
    const page = await open({
      path: pageOf(found),
      boot: boot([found, ...rest]),
      before: async (opened) => {
        await list(opened, [found, ...rest]);
        await answer(opened, `${TOKENS}/*`, problem(429, 'too-many-requests', { 'retry-after': '42' }));
      },
    });
    const confirm = async () => asked(page).getByRole('button', { name: 'Resume anyway' }).click();
    await page.getByRole('button', { name: 'Resume anyway…' }).click();
    await confirm();
    await asked(page)
      .getByText(/It is still paused\. .*42 s/)
      .waitFor();
    await answer(page, `${TOKENS}/*`, cut);
    await confirm();
    await asked(page)
      .getByText(/Couldn’t confirm the change/)
      .waitFor();
    await list(page, [{ ...found, active: true, exposed: null }, ...rest]);
    await confirm();
    await asked(page).waitFor({ state: 'detached' });
    expect(await switches(page).isChecked()).toBe(true);
  });
});

describe('all tokens', () => {
  const at = new Date().toISOString();
  const paused = ROWS.map((row) =>
    row.active ? { ...row, active: false, pausedTogether: { at, by: 'owner@example.com' } } : row,
  );
  const openPause = async (page: Page): Promise<void> => {
    await page.getByRole('button', { name: 'More', exact: true }).click();
    await page.getByRole('button', { name: 'Pause all tokens…' }).click();
    await asked(page).waitFor();
  };
  const confirm = (page: Page) => asked(page).getByRole('button', { name: 'Pause 3 tokens' });
  const changed = (rows: Row[]) =>
    json({ tokens: rows.filter((_, index) => ROWS[index]?.active), effectiveAt: new Date().toISOString() });

  it('are paused from the menu by keyboard, after a list of what will stop', async () => {
    const page = await open({ before: (opened) => answer(opened, `${TOKENS}/pause`, changed(paused)) });
    const menu = page.getByRole('button', { name: 'More', exact: true });
    const item = page.getByRole('button', { name: 'Pause all tokens…' });
    await page
      .getByRole('img', { name: /accepted/ })
      .first()
      .waitFor();
    await menu.focus();
    await page.keyboard.press('Enter');
    await item.waitFor();
    await escape(page, 1);
    await item.waitFor({ state: 'hidden' });
    expect(await focused(page)).toBe('More');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await asked(page).waitFor();
    expect(await focused(page)).toBe('Cancel');
    // A call that is refused anyway does not stop.
    await asked(page).getByText('In the last 24 hours: 6,442 calls.').waitFor();
    expect(await asked(page).locator('li').allInnerTexts()).toEqual([
      expect.stringMatching(/^Website 9pW4k\*\*\*\s+5,599 calls · used \d+ min ago$/),
      expect.stringMatching(/^Partner app 9p7Qa\*\*\*\s+[\d,]+ calls · used 3 h ago$/),
      expect.stringMatching(/^9pz8R\*\*\*\s+no calls · never used$/),
    ]);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByText(/^3 tokens paused\. Refused everywhere since \d\d:\d\d:\d\d\.$/).waitFor();
    await strip(page)
      .getByText(/^3 tokens were paused together at \d\d:\d\d by owner@example\.com\.$/)
      .waitFor();
    expect(await page.getByRole('switch', { checked: true }).count()).toBe(0);
    // The calls of the first token that were refused while it was active are no calls after its end.
    expect(await page.getByText(/^Still called/).allInnerTexts()).toEqual(['Still called: 12 refused']);
    expect(await focused(page)).toBe('More');
    // There is nothing left to pause.
    await page.keyboard.press('Enter');
    expect(await item.getAttribute('aria-disabled')).toBe('true');
  });

  it('are paused once, however often the button is pressed, and the dialog stays until the answer', async () => {
    const held = Promise.withResolvers<void>();
    const page = await open({
      before: (opened) => answer(opened, `${TOKENS}/pause`, after(held.promise, changed(paused))),
    });
    const sent = bodies(page, 'POST');
    await openPause(page);
    await confirm(page).dblclick();
    await asked(page).getByText('Pausing…').waitFor();
    await escape(page, 5);
    expect(await asked(page).count()).toBe(1);
    held.resolve();
    await asked(page).waitFor({ state: 'detached' });
    expect(sent.length).toBe(1);
  });

  it('are said to work as before when the pause was refused; a lost answer is not claimed, until the list has it', async () => {
    const page = await open({
      before: (opened) =>
        answer(opened, `${TOKENS}/pause`, problem(429, 'too-many-requests', { 'retry-after': '42' })),
    });
    await openPause(page);
    await confirm(page).click();
    await asked(page)
      .getByText(/^Not paused: the tokens work as before\. .*42 s/)
      .waitFor();
    await answer(page, `${TOKENS}/pause`, cut);
    await confirm(page).click();
    await asked(page)
      .getByText(/^Couldn’t confirm the pause/)
      .waitFor();
    await list(page, paused);
    await confirm(page).click();
    await asked(page).waitFor({ state: 'detached' });
    await page.getByText('No token is active any more.').waitFor();
    expect(await strip(page).innerText()).toMatch(/^3 tokens were paused together/);
  });

  it('that were paused together are resumed together, and one that was exposed since is named', async () => {
    const held = Promise.withResolvers<void>();
    const exposed = ROWS.map((row, index) =>
      index === 0 ? { ...rowAt(0), active: false, exposed: EXPOSED } : row,
    );
    const page = await open({
      boot: boot(paused),
      before: async (opened) => {
        await list(opened, paused);
        await answer(
          opened,
          `${TOKENS}/resume`,
          after(held.promise, (route: Route) =>
            json({ tokens: [rowAt(1), rowAt(3)], effectiveAt: new Date().toISOString() })(route),
          ),
        );
      },
    });
    const sent = bodies(page, 'POST');
    await page.getByRole('button', { name: 'Resume them' }).click();
    await page.getByRole('button', { name: 'Resuming…' }).dispatchEvent('click');
    await list(page, exposed);
    held.resolve();
    await page
      .getByText(/^2 tokens resumed\. Accepted since .* “Website” stays paused: it was exposed\.$/)
      .waitFor();
    expect(sent.length).toBe(1);
    expect(await page.getByRole('switch', { checked: true }).count()).toBe(2);
    await strip(page)
      .getByText(/“Website” was found in public/)
      .waitFor();
  });

  it('stay paused when resuming fails, and the page says so', async () => {
    const page = await open({
      boot: boot(paused),
      before: async (opened) => {
        await list(opened, paused);
        await answer(opened, `${TOKENS}/resume`, broken);
      },
    });
    const resume = page.getByRole('button', { name: 'Resume them' });
    await resume.click();
    await page
      .getByRole('alert')
      .getByText(/^Couldn’t confirm that the tokens were resumed/)
      .waitFor();
    await answer(page, `${TOKENS}/resume`, problem(429, 'too-many-requests', { 'retry-after': '42' }));
    await resume.click();
    await page
      .getByRole('alert')
      .getByText(/^Not resumed: the tokens are still paused\./)
      .waitFor();
    await list(page, ROWS);
    await resume.click();
    await page.getByText('The tokens were resumed already.').waitFor();
    expect(await strip(page).count()).toBe(0);
  });
});

describe('an organisation that the operator has paused', () => {
  const [acme, ...others] = member.session.organisations;
  const session = {
    ...member.session,
    organisations: [{ ...acme, pausedAt: new Date().toISOString() }, ...others],
  };

  it('is named above the table, on the page of a token and in the sidebar, and its tokens can be managed', async () => {
    const page = await open({
      boot: { ...boot([found, ...rest]), session },
      before: (opened) => answer(opened, `${TOKENS}/*`, json(receipt({ ...rowAt(1), active: false }))),
    });
    const told = page.getByText(/^9Pic paused this organisation on .* UTC\. All its calls are refused\.$/);
    await told.waitFor();
    // One strip, although a token was found in public too.
    expect(await strip(page).count()).toBe(1);
    expect(await page.getByRole('link', { name: 'Contact 9Pic' }).getAttribute('href')).toMatch(
      /^(?:mailto|https):/,
    );
    await page.locator('.place-name').getByText('Enterprise, paused').waitFor();
    await switches(page).nth(1).click();
    await page.getByText(/Refused since/).waitFor();
    await page.getByRole('link', { name: 'Website', exact: true }).click();
    await page.getByRole('heading', { level: 1, name: 'Website' }).waitFor();
    expect(await told.count()).toBe(1);
  });
});

describe('what has ended and is still called', () => {
  const path = '/activity?organisation=acme';
  const section = (page: Page) => page.getByRole('region', { name: 'Still calling' });

  it('is a section of the activity, with who ended it and who calls', async () => {
    const page = await open({
      path,
      before: (opened) => answer(opened, 'organisations/acme/still-calling', json(STILL)),
    });
    await section(page).waitFor();
    const rows = await section(page).locator('li').allInnerTexts();
    expect(rows.map((row) => row.replaceAll(/\s+/g, ' '))).toEqual([
      'Website of the marketing department, spring campaign 9pAbc*** 12 calls today, 214 yesterday Deleted 3 days ago by priya.ramachandran-venkataraman@acme.example.com Hetzner Online GmbH (DE), python-requests; unknown network, unknown',
      'Website 9pQq1*** 1 call today Replaced value, ended yesterday Amazon.com, Inc. (IE), via gateway',
      expect.stringMatching(/^9pK0d\*\*\* Last call 4 days ago Deleted 8 days ago ?$/),
    ]);
    await section(page).getByRole('button', { name: 'Show 3 more' }).click();
    expect(await section(page).locator('li').count()).toBe(STILL.stillCalling.length);
    await section(page).getByRole('link', { name: 'Website' }).click();
    await page.getByRole('heading', { level: 1, name: 'Website' }).waitFor();
    expect(page.url()).toBe(here() + pageOf(rowAt(0)));
  });

  it('is on the page of a token whose replaced value is still called', async () => {
    const retired = [
      { preview: '9pQq1', retiredAt: EXPOSED.at, lastUsedAt: null },
      { preview: '9pQq2', retiredAt: EXPOSED.at, lastUsedAt: null },
    ];
    const page = await open({
      path: pageOf(rowAt(0)),
      boot: boot([{ ...rowAt(0), retired }, ...rest]),
      before: (opened) => answer(opened, 'organisations/acme/still-calling', json(STILL)),
    });
    const values = page.getByRole('region', { name: 'Values that have ended' });
    await values.getByText('1 call today.').waitFor();
    expect(await values.getByRole('link', { name: 'Who calls' }).count()).toBe(1);
    await values.getByRole('link', { name: 'Who calls' }).click();
    await section(page).waitFor();
  });

  it('is not mentioned where nobody calls, and is unknown where it cannot be loaded', async () => {
    for (const [how, shown] of [
      [json({ stillCalling: [] }), []],
      [broken, [/Unknown: it could not be loaded/]],
      [cut, [/Unknown: it could not be loaded/]],
    ] as const) {
      const page = await open({
        path,
        before: (opened) => answer(opened, 'organisations/acme/still-calling', how),
      });
      const answered = page.waitForRequest('**/still-calling');
      await page.reload();
      await answered;
      await page.getByLabel('Action').waitFor();
      if (shown.length > 0) await section(page).waitFor();
      expect(await section(page).allInnerTexts()).toEqual(
        shown.map((text) => expect.stringMatching(text) as string),
      );
      expect(await page.getByRole('alert').allInnerTexts()).toEqual(['']);
      await page.close();
    }
  });
});
