// What a token may do: its access, paths, networks, websites and end, chosen in the dialog that creates it and changed on its own page.
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
  receipt,
  rowAt,
  switches,
  useDashboard,
} from './dashboard.ts';
import { LIMITS, refusedCalls, RETIRING, ROWS, answer, broken, cut, json, problem } from './fixtures.ts';
import type { Row } from './fixtures.ts';

const { open, here } = useDashboard();

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const inHours = (hours: number): string => new Date(Date.now() + hours * HOUR_MS).toISOString();
const addressOf = ({ id }: { id: string }): string => `/developer-zone/tokens/${id}?organisation=acme`;
const listed = (rows: object[]) => ({ tokens: { organisation: 'acme', tokens: rows } });
const dialog = (page: Page) => page.getByRole('dialog');
const may = (page: Page) => page.locator('#create-may');
const unfold = (page: Page) => dialog(page).getByText('More limits').click();
const edit = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const save = (page: Page) => dialog(page).getByRole('button', { name: 'Save' });
const remark = (page: Page) => page.locator('.remark');
/** The bodies of the calls that create or change a token. */
function bodies(page: Page): unknown[] {
  const sent: unknown[] = [];
  page.on('request', (request) => {
    if (['POST', 'PATCH'].includes(request.method())) sent.push(request.postDataJSON());
  });
  return sent;
}
/** A token's own page, whose changes are made as they are asked for. */
async function openPage(row: Row, before: (page: Page) => Promise<unknown> = async () => {}): Promise<Page> {
  return open({
    path: addressOf(row),
    boot: listed([row, ...ROWS.slice(1)]),
    before: async (page) => {
      await answer(page, `${TOKENS}/*`, (route) =>
        json(receipt({ ...row, ...route.request().postDataJSON() }))(route),
      );
      await answer(page, TOKENS, json({ tokens: [row, ...ROWS.slice(1)], limit: 10 }));
      await answer(page, 'organisations/acme/activity*', json({ events: [], next: null }));
      await before(page);
    },
  });
}
const limited: Row = { ...rowAt(0), ...LIMITS };
const invalid = (detail: string) => problem(422, 'invalid-body', {}, detail);

describe('a new token', () => {
  it('is read only unless more is chosen, and the sentence about it is true at every moment', async () => {
    const page = await open({ before: created, options: { timezoneId: 'America/New_York' } });
    const sent = bodies(page);
    await createButton(page).click();
    expect(await dialog(page).getByRole('radio', { name: 'Read only' }).isChecked()).toBe(true);
    const all = 'the whole API for Acme Events';
    const forever = 'Until you deactivate or delete it';
    expect(await may(page).innerText()).toBe(`${forever}, it can read ${all}, and change nothing.`);
    await dialog(page).getByRole('radio', { name: 'Full access' }).check();
    expect(await may(page).innerText()).toBe(`${forever}, it can read and write ${all}.`);
    await unfold(page);
    await page.getByLabel('Only these paths').fill('/v1/events');
    expect(await may(page).innerText()).toBe(
      `${forever}, it can read and write /v1/events for Acme Events, and nothing else.`,
    );
    await page.getByLabel('Networks').fill('203.0.113.0/24, 2001:db8::/32');
    await page.getByLabel('Websites').fill('https://a.example\nhttps://b.example\nhttps://c.example');
    await page.getByLabel('Expires').selectOption('On a date…');
    await page.getByLabel('Date').fill('2099-03-14');
    // A date is the end of that day where the reader is.
    await page.getByText('The end of that day in your time zone: 14 Mar 2099, 23:59 GMT-4.').waitFor();
    expect(await may(page).innerText()).toBe(
      'Until 14 Mar 2099, 23:59 GMT-4, or until you deactivate or delete it, it can read and write /v1/events for Acme Events, and nothing else. ' +
        'It works only from 203.0.113.0/24 and 2001:db8::/32. In browsers it works only on 3 websites.',
    );
    await confirmButton(page).click();
    await field(page).waitFor();
    expect(sent).toEqual([
      {
        access: 'full',
        expiresAt: '2099-03-15T03:59:59.000Z',
        paths: ['/v1/events'],
        networks: ['203.0.113.0/24', '2001:db8::/32'],
        origins: ['https://a.example', 'https://b.example', 'https://c.example'],
      },
    ]);
  });

  it('takes two clicks, or a click and Enter, without a limit', async () => {
    const page = await open({ before: created });
    const sent = bodies(page);
    await createButton(page).click();
    await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe('create-name');
    await page.keyboard.press('Enter');
    await field(page).waitFor();
    expect(sent).toEqual([{ access: 'read', expiresAt: null, paths: [], networks: [], origins: [] }]);
  });

  it.each([
    ['In 30 days', 30],
    ['In 90 days', 90],
    ['In 1 year', 365],
  ])('ends exactly when the choice "%s" was made, so much later', async (choice, days) => {
    const page = await open({ before: created });
    const sent = bodies(page);
    await createButton(page).click();
    await unfold(page);
    await page.getByLabel('Expires').selectOption(choice);
    const at = await page.evaluate(() => Date.now());
    await page.getByText(/^Exactly: \d+ \w+ \d{4}, \d\d:\d\d \S+\.$/).waitFor();
    await confirmButton(page).click();
    await field(page).waitFor();
    const { expiresAt } = sent[0] as { expiresAt: string };
    // A year may have a day more, and clocks may change meanwhile.
    expect(Math.abs(Date.parse(expiresAt) - at - days * 24 * HOUR_MS)).toBeLessThanOrEqual(26 * HOUR_MS);
  });

  it('shows what is wrong at the field, unfolds it, gives it the focus, and keeps what was typed', async () => {
    const page = await open({
      before: (opened) =>
        answer(
          opened,
          TOKENS,
          invalid('Field "networks": 203.0.113.7/24 has bits beyond its length: write 203.0.113.0/24'),
        ),
    });
    await createButton(page).click();
    await unfold(page);
    const networks = page.getByLabel('Networks');
    await networks.fill('203.0.113.7/24');
    await unfold(page);
    await expect.poll(() => networks.isVisible()).toBe(false);
    await confirmButton(page).click();
    await page
      .getByRole('alert')
      .getByText('203.0.113.7/24 has bits beyond its length: write 203.0.113.0/24.', { exact: true })
      .waitFor();
    await expect.poll(() => networks.evaluate((node) => node === document.activeElement)).toBe(true);
    expect(await networks.inputValue()).toBe('203.0.113.7/24');
    expect(await networks.getAttribute('aria-invalid')).toBe('true');
    await networks.fill('203.0.113.0/24');
    expect(await networks.getAttribute('aria-invalid')).toBe('false');
    // The name is a field like the others.
    await answer(page, TOKENS, invalid('Field "name": has a control character'));
    await confirmButton(page).click();
    await page.getByRole('alert').getByText('Has a control character.').waitFor();
    await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe('create-name');
    await created(page);
    await confirmButton(page).click();
    await field(page).waitFor();
  });

  it('is not asked for while the date of its end is missing', async () => {
    const page = await open();
    const asked = count(page, `/api/${TOKENS}`, 'POST');
    await createButton(page).click();
    await unfold(page);
    await page.getByLabel('Expires').selectOption('On a date…');
    await confirmButton(page).click();
    await page.getByRole('alert').getByText('Choose a date, such as 2027-03-14.').waitFor();
    await expect.poll(() => focused(page)).toBe('Date');
    expect(asked).toEqual([]);
  });

  it('keeps its choices when the dialog is closed, and forgets them when it is created', async () => {
    const page = await open({ before: created });
    await createButton(page).click();
    await unfold(page);
    await page.getByLabel('Networks').fill('203.0.113.0/24');
    // A click beside a form that is not empty does not close it.
    await page.mouse.click(5, 5);
    expect(await dialog(page).isVisible()).toBe(true);
    await page.keyboard.press('Escape');
    await dialog(page).waitFor({ state: 'detached' });
    await createButton(page).click();
    expect(await page.getByLabel('Networks').inputValue()).toBe('203.0.113.0/24');
    await confirmButton(page).click();
    await page.getByRole('button', { name: 'Copy', exact: true }).click();
    await page.getByRole('button', { name: 'Done' }).click();
    await createButton(page).click();
    expect(await page.getByLabel('Networks').isVisible()).toBe(false);
    expect(await may(page).innerText()).not.toContain('203.0.113.0/24');
  });

  it('is asked for again with the same choices after a lost answer', async () => {
    const page = await open({ before: (opened) => answer(opened, TOKENS, cut) });
    const sent = bodies(page);
    await createButton(page).click();
    await unfold(page);
    await page.getByLabel('Networks').fill('203.0.113.0/24');
    await confirmButton(page).click();
    await page.getByText(/Trying again makes no second token/).waitFor();
    expect(await dialog(page).getByRole('radio', { name: 'Full access' }).isDisabled()).toBe(true);
    expect(await page.getByLabel('Networks').isEditable()).toBe(false);
    expect(await page.getByLabel('Expires').isDisabled()).toBe(true);
    // A refusal of the repeat does not tell what the first call did.
    await answer(page, TOKENS, problem(429, 'too-many-requests'));
    await confirmButton(page).click();
    await page.getByText(/It may have been created\..*Too many requests/).waitFor();
    expect(await dialog(page).getByRole('radio', { name: 'Full access' }).isDisabled()).toBe(true);
    await created(page);
    await confirmButton(page).click();
    await field(page).waitFor();
    expect(sent).toHaveLength(3);
    expect(new Set(sent.map((body) => JSON.stringify(body))).size).toBe(1);
  });

  it('says when its dialog cannot be loaded, and tries again', async () => {
    const page = await open({
      before: async (opened) => {
        await created(opened);
        await opened.route('**/assets/token-*', (route) => route.abort());
      },
    });
    const dialogs = page.getByRole('dialog');
    await createButton(page).click();
    await dialogs.getByRole('heading', { name: 'Couldn’t load the dialog' }).waitFor();
    expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('H2');
    await page.keyboard.press('Escape');
    await dialogs.waitFor({ state: 'detached' });
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('create');
    await page.unroute('**/assets/token-*');
    await createButton(page).click();
    // A browser may remember a failure, so the page loads again.
    await Promise.all([
      page.waitForEvent('load'),
      dialogs.getByRole('button', { name: 'Try again' }).click(),
    ]);
    await createButton(page).click();
    await page.getByLabel('What will use it?').press('Enter');
    await field(page).waitFor();
  });
});

describe('the table', () => {
  it('says first that a token has expired, then that it soon will, and nothing of other limits', async () => {
    const rows = [
      { ...rowAt(0), expiresAt: inHours(-70), retiring: RETIRING },
      { ...rowAt(2), id: 'id-off', expiresAt: inHours(-5) },
      { ...rowAt(1), expiresAt: inHours(5.5), retiring: RETIRING },
      { ...rowAt(1), id: 'id-days', expiresAt: inHours(24 * 13.9) },
      { ...limited, id: 'id-later', expiresAt: inHours(24 * 14.1) },
    ];
    const page = await open({ boot: listed(rows) });
    await switches(page).nth(4).waitFor();
    expect(await remark(page).allInnerTexts()).toEqual([
      'Ended 2 days ago',
      'Expired 5 h ago',
      'Expires in 5 hours',
      expect.stringMatching(/^Expires in 1[34] days$/),
      '',
    ]);
    expect(await page.locator('.state').allInnerTexts()).toEqual([
      'Expired',
      'Inactive',
      'Active',
      'Active',
      'Active',
    ]);
  });

  it('says that a token that is switched on is still expired', async () => {
    const row = { ...rowAt(0), active: false, expiresAt: inHours(-1) };
    const page = await open({
      boot: listed([row]),
      before: (opened) => answer(opened, `${TOKENS}/*`, json(receipt({ ...row, active: true }))),
    });
    await switches(page).first().click();
    await page.getByRole('status').getByText('Switched on, still expired').waitFor();
    expect(await page.locator('.state').innerText()).toBe('Expired');
  });
});

describe('the page of a token', () => {
  it('says what it may do, and offers only what can be changed', async () => {
    const page = await openPage(limited);
    const rows = page.locator('.limits > div');
    await rows.first().waitFor();
    await expect
      .poll(() => rows.allInnerTexts().then((all) => all.map((text) => text.split(/\s*\n\s*/))))
      .toEqual([
        ['Access', 'Read only'],
        ['Paths', ...LIMITS.paths, 'Edit'],
        ['Networks', ...LIMITS.networks, 'Edit'],
        ['Websites', ...LIMITS.origins, 'This limit restrains browsers only.', 'Edit'],
        [
          'Expires',
          expect.stringMatching(/^\d+ \w+ \d{4}$/),
          expect.stringMatching(/^\d\d:\d\d \S+, in 3 months$/),
          'Edit',
        ],
      ]);
  });

  it('makes a token read only, after a warning that this cannot be undone', async () => {
    const page = await openPage(rowAt(0));
    const sent = bodies(page);
    await edit(page, 'Narrow the access').click();
    await dialog(page)
      .getByText(/This cannot be undone/)
      .waitFor();
    expect(await focused(page)).toBe('Cancel');
    await dialog(page).getByRole('button', { name: 'Make it read only' }).click();
    await page
      .getByRole('status')
      .getByText(/^Read only since \d\d:\d\d:\d\d$/)
      .waitFor();
    expect(sent).toEqual([{ access: 'read' }]);
    expect(await edit(page, 'Narrow the access').count()).toBe(0);
    await expect.poll(() => focused(page)).toBe('Edit paths');
  });

  it.each([
    ['paths', 'Edit paths', 'Only these paths', '/v1/events', /^Other paths refused since/],
    ['networks', 'Edit networks', 'Networks', '203.0.113.0/24', /^Refused elsewhere since/],
    [
      'networks',
      'Edit networks',
      'Networks',
      `${LIMITS.networks.join('\n')}\n192.0.2.1`,
      /^New networks since/,
    ],
    ['networks', 'Edit networks', 'Networks', '', /^Any network since/],
    ['origins', 'Edit websites', 'Websites', 'https://other.example', /^Refused on others since/],
    ['origins', 'Edit websites', 'Websites', '', /^Any website since/],
  ])('changes the %s, with a receipt', async (of, button, label, text, said) => {
    const page = await openPage(limited);
    const sent = bodies(page);
    await edit(page, button).click();
    const box = dialog(page).getByLabel(label);
    expect(await box.inputValue()).toBe(limited[of as 'paths' | 'networks' | 'origins'].join('\n'));
    await box.fill(text);
    await save(page).click();
    await page.getByRole('status').getByText(said).waitFor();
    expect(sent).toEqual([{ [of]: text.split('\n').filter(Boolean) }]);
    // The focus is back where it came from.
    expect(await focused(page)).toBe(button);
  });

  it('says from where calls were refused because of the networks, and adds one of them', async () => {
    const networks = [...LIMITS.networks, '203.0.113.9/32'];
    const page = await openPage({ ...limited, networks }, (opened) =>
      answer(opened, 'organisations/*/usage', json(refusedCalls())),
    );
    const sent = bodies(page);
    const refused = page.locator('.limits > div').filter({ hasText: 'Refused' });
    await refused.first().waitFor();
    // Without the address that is in the list by now, and without another token's.
    await expect
      .poll(() => refused.allInnerTexts().then((all) => all.map((text) => text.split(/\s*\n\s*/))))
      .toEqual([
        ['Refused', '198.51.100.7', '3 min ago', 'Add'],
        ['Refused', '2001:db9::7', '2 h ago', 'Add'],
        ['Refused', '198.51.100.8', '3 h ago, and 1 more', 'Add'],
      ]);
    await edit(page, 'Add 198.51.100.7 to the networks').click();
    expect(await dialog(page).getByLabel('Networks').inputValue()).toBe(
      [...networks, '198.51.100.7'].join('\n'),
    );
    await save(page).click();
    await page.getByText(/^New networks since/).waitFor();
    expect(sent).toEqual([{ networks: [...networks, '198.51.100.7'] }]);
  });

  it('changes nothing when nothing was changed', async () => {
    const page = await openPage(limited);
    const sent = bodies(page);
    for (const button of ['Edit paths', 'Edit networks', 'Edit websites', 'Edit the end']) {
      await edit(page, button).click();
      await save(page).click();
      await dialog(page).waitFor({ state: 'detached' });
    }
    expect(sent).toEqual([]);
  });

  it('shows what is wrong at the field, and keeps what was typed', async () => {
    const page = await openPage(limited, (opened) =>
      answer(opened, `${TOKENS}/*`, invalid('Field "paths": can only be narrowed')),
    );
    await edit(page, 'Edit paths').click();
    const box = dialog(page).getByLabel('Only these paths');
    await box.fill('/v1/other');
    await save(page).click();
    await dialog(page).getByRole('alert').getByText('Can only be narrowed.').waitFor();
    await expect.poll(() => box.evaluate((node) => node === document.activeElement)).toBe(true);
    expect(await box.inputValue()).toBe('/v1/other');
  });

  it('says that an end in the past was refused, at the date', async () => {
    const page = await openPage(limited, (opened) =>
      answer(
        opened,
        `${TOKENS}/*`,
        invalid('Field "expiresAt": in the past (now it is 2026-11-29T03:40:00.000Z)'),
      ),
    );
    await edit(page, 'Edit the end').click();
    await dialog(page).getByLabel('Expires').selectOption('On a date…');
    await dialog(page).getByLabel('Date').fill('2020-01-31');
    await save(page).click();
    await dialog(page).getByRole('alert').getByText('In the past.', { exact: true }).waitFor();
    await expect.poll(() => focused(page)).toBe('Date');
  });

  it('claims nothing about a change whose answer was lost', async () => {
    const page = await openPage(limited, async (opened) => {
      await answer(opened, `${TOKENS}/*`, cut);
      // It was made.
      await answer(opened, TOKENS, json({ tokens: [{ ...limited, networks: [] }], limit: 10 }));
    });
    await edit(page, 'Edit networks').click();
    await dialog(page).getByLabel('Networks').fill('');
    await save(page).click();
    await dialog(page)
      .getByText(/Couldn’t confirm the change of/)
      .waitFor();
    await answer(page, `${TOKENS}/*`, broken);
    await save(page).click();
    await dialog(page)
      .getByText(/Something went wrong on our side/)
      .waitFor();
    // The list says that it was made, so a later refusal does not say "Not saved".
    await answer(page, `${TOKENS}/*`, problem(429, 'too-many-requests'));
    await save(page).click();
    await dialog(page)
      .getByText(/Couldn’t confirm the change of .*Too many requests/)
      .waitFor();
    expect(await dialog(page).getByLabel('Networks').inputValue()).toBe('');
  });

  it('gives an expired token a new end, of 30 days unless another is chosen', async () => {
    const page = await openPage({ ...rowAt(0), expiresAt: inHours(-70) });
    const sent = bodies(page);
    await page
      .getByText(/It ended on \d+ \w+ \d{4}, \d\d:\d\d \S+, and every call with it is refused\./)
      .waitFor();
    await page.getByRole('button', { name: 'Give it a new end…' }).click();
    expect(await dialog(page).getByLabel('Expires').inputValue()).toBe('30');
    await save(page).click();
    await page
      .getByRole('status')
      .getByText(/^Accepted again since/)
      .waitFor();
    expect(await page.locator('.state').innerText()).toBe('Active');
    expect(sent).toEqual([{ expiresAt: expect.stringMatching(/Z$/) }]);
    await page.getByRole('button', { name: 'Give it a new end…' }).waitFor({ state: 'detached' });
  });
});

describe('with the Worker', () => {
  it('a token does what was chosen and no more, and what is changed later is true at once', async () => {
    const page = await open({
      boot: {},
      // The real list.
      before: (opened) => opened.unroute(`**/api/${TOKENS}`),
    });
    const call = async (secret: string, path = '/v1/ping', init: RequestInit = {}): Promise<number> => {
      const headers = { ...init.headers, authorization: `Bearer ${secret}` };
      return (await fetch(here() + path, { ...init, headers })).status;
    };
    await page.getByText('No API tokens yet').waitFor();
    await createButton(page).click();
    await page.getByLabel('What will use it?').fill('Kiosk');
    await unfold(page);
    await page.getByLabel('Websites').fill('https://shop.example/');
    await page.getByLabel('Expires').selectOption('In 30 days');
    await confirmButton(page).click();
    await page
      .getByRole('alert')
      .getByText(/: write https:\/\/shop\.example\./)
      .waitFor();
    await page.getByLabel('Websites').fill('https://shop.example');
    await confirmButton(page).click();
    const secret = await field(page).inputValue();
    await page.getByRole('button', { name: 'Copy', exact: true }).click();
    await page.getByRole('button', { name: 'Done' }).click();
    await page.getByRole('link', { name: 'Kiosk', exact: true }).click();
    const from = (origin: string) => call(secret, '/v1/ping', { headers: { origin } });
    expect(await call(secret)).toBe(200);
    expect([await from('https://shop.example'), await from('https://other.example')]).toEqual([200, 401]);
    // It was created read only.
    await page.locator('.limits').getByText('Read only').waitFor();
    const asked = (method: string) =>
      call(secret, '/verify', {
        headers: { 'x-original-method': method, 'x-original-uri': '/v1/events' },
      });
    expect([await asked('GET'), await asked('POST')]).toEqual([200, 403]);

    await edit(page, 'Edit websites').click();
    await dialog(page).getByLabel('Websites').fill('');
    await save(page).click();
    await page.getByText(/^Any website since/).waitFor();
    expect(await from('https://other.example')).toBe(200);

    await edit(page, 'Edit networks').click();
    await dialog(page).getByLabel('Networks').fill('192.0.2.0/24');
    await save(page).click();
    await page.getByText(/^Refused elsewhere since/).waitFor();
    expect(await call(secret)).toBe(401);
    await edit(page, 'Edit networks').click();
    await dialog(page).getByLabel('Networks').fill('');
    await save(page).click();
    await page.getByText(/^Any network since/).waitFor();
    expect(await call(secret)).toBe(200);

    await edit(page, 'Edit the end').click();
    await dialog(page).getByLabel('Expires').selectOption('On a date…');
    await dialog(page).getByLabel('Date').fill('2099-03-14');
    await save(page).click();
    await page.getByText(/^New end since/).waitFor();
    expect(await call(secret)).toBe(200);

    await edit(page, 'Edit paths').click();
    await dialog(page).getByLabel('Only these paths').fill('/v1/events');
    await save(page).click();
    await page.getByText(/^Other paths refused since/).waitFor();
    expect(await call(secret)).toBe(403);
    await edit(page, 'Edit paths').click();
    await dialog(page).getByLabel('Only these paths').fill('/v1/faces');
    await save(page).click();
    await dialog(page).getByRole('alert').getByText('Can only be narrowed.').waitFor();
    await page.keyboard.press('Escape');
    await page.reload();
    await page.locator('.events p').first().waitFor();
    await expect
      .poll(() => page.locator('.events p').allInnerTexts())
      .toEqual([
        expect.stringMatching(/ limited Kiosk \S+ to read only; \/v1\/events$/),
        expect.stringMatching(/ changed the end of Kiosk \S+ to 14 Mar 2099, 23:59 \S+$/),
        expect.stringMatching(/ let Kiosk \S+ be called from any network$/),
        expect.stringMatching(/ limited Kiosk \S+ to calls from 192\.0\.2\.0\/24$/),
        expect.stringMatching(/ let Kiosk \S+ be called from any website$/),
        expect.stringMatching(/ created Kiosk \S+$/),
      ]);
  });

  it('a token expires under an open page, which says so without a reload, and works again with a new end', async () => {
    const page = await open({
      boot: {},
      before: (opened) => opened.unroute(`**/api/${TOKENS}`),
    });
    const expiresAt = new Date(Date.now() + 6000).toISOString();
    const { token, secret } = await page.evaluate(async (end) => {
      const made = await fetch('/api/organisations/acme/tokens', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ name: 'Brief', expiresAt: end }),
      });
      return (await made.json()) as { token: { id: string }; secret: string };
    }, expiresAt);
    const status = async (): Promise<number> =>
      (await fetch(`${here()}/v1/ping`, { headers: { authorization: `Bearer ${secret}` } })).status;
    await page.goto(here() + addressOf(token));
    await page.locator('.state').getByText('Active').waitFor();
    await page.locator('.state').getByText('Expired').waitFor();
    await expect.poll(status).toBe(401);
    await page.getByRole('button', { name: 'Give it a new end…' }).click();
    await dialog(page).getByLabel('Expires').selectOption('Never');
    await save(page).click();
    await page.getByText(/^Accepted again since/).waitFor();
    expect(await status()).toBe(200);
  });
});
