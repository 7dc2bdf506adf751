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
import {
  EVENTS,
  RETIRING,
  ROWS,
  USAGE,
  after,
  answer,
  broken,
  calls,
  cut,
  json,
  noCalls,
  problem,
} from './fixtures.ts';
import { statusOf } from './ping.ts';

const { open, here } = useDashboard();
const CALLS = 'organisations/*/tokens/*/calls';
const NO_USAGE = { ...USAGE, usage: {} };
const addressOf = ({ id }: { id: string }): string => `/developer-zone/tokens/${id}?organisation=acme`;
const heading = (page: Page) => page.getByRole('heading', { level: 1 });

/** The record of the token that is asked for. */
const recorded = (page: Page) =>
  answer(page, 'organisations/acme/activity*', (route) => {
    const token = new URL(route.request().url()).searchParams.get('token');
    return json({ events: EVENTS.events.filter(({ tokenId }) => tokenId === token), next: null })(route);
  });

/** The sum, as the page writes it. */
const all = (list: number[]): string => list.reduce((total, value) => total + value, 0).toLocaleString('en');

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
    await page.getByText(all(accepted), { exact: true }).waitFor();
    expect(await page.locator('.figures dd').allInnerTexts()).toEqual([all(accepted), all(refused)]);
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

  it('shows the calls of a day, a week and a month, by the arrow keys, and why calls were refused', async () => {
    const page = await open({ path: addressOf(rowAt(0)), before: recorded });
    const figures = page.locator('.figures dd');
    await page.locator('.reasons').waitFor();
    expect(await figures.allInnerTexts()).toEqual(['5,599', '90']);
    const { days } = calls();
    await page.getByRole('radio', { name: '24 hours' }).focus();
    await page.keyboard.press('ArrowRight');
    expect(await page.getByRole('radio', { name: '7 days' }).isChecked()).toBe(true);
    expect(await figures.allInnerTexts()).toEqual([
      all(days.accepted.slice(-7)),
      all(days.refused.slice(-7)),
    ]);
    expect(await page.locator('.chart g').count()).toBe(7);
    await page.keyboard.press('ArrowRight');
    expect(await figures.allInnerTexts()).toEqual([all(days.accepted), all(days.refused)]);
    expect(await page.locator('.chart g').last().locator('title').innerHTML()).toBe(
      'Today: 3,098, and 90 refused',
    );
    expect(await page.locator('.reasons li').allInnerTexts()).toEqual([
      '74 calls from networks that are not in the list',
      '15 calls to something that the token may not do',
      '1 call with a value that was replaced',
    ]);
  });

  it('says who calls, and where it stands on a phone', async () => {
    const two = {
      tokens: { ...table.tokens, tokens: [{ ...rowAt(0), retiring: RETIRING }, ...ROWS.slice(1)] },
    };
    const page = await open({
      path: addressOf(rowAt(0)),
      boot: two,
      before: recorded,
      options: { viewport: { width: 1280, height: 800 } },
    });
    const rows = page.locator('.callers tbody tr');
    await page.getByText('Hetzner Online GmbH').waitFor();
    expect(await rows.count()).toBe(5);
    expect(await page.locator('.callers').getByRole('columnheader').allInnerTexts()).toEqual([
      'Network',
      'Client',
      'Calls',
      'Last',
    ]);
    expect(await rows.first().innerText()).toMatch(
      /^Hetzner Online GmbH\s+Germany\s+python-requests\s+118,204\s+\d+ s ago$/,
    );
    await page.getByRole('button', { name: 'Show 2 more' }).click();
    expect(await rows.last().innerText()).toMatch(/^Example Hosting\s+France\s+okhttp\s+1\s+74 refused/);
    expect(await page.locator('.values').innerText()).toContain('308 calls today, 20,528 in 7 days.');
    await page.setViewportSize({ width: 390, height: 844 });
    await expect
      .poll(() => page.locator('.column > section, .column > button').allInnerTexts())
      .toEqual(
        ['Two values', 'Calls', 'Who calls', 'What it may do', 'Activity', 'Created by', 'Delete'].map(
          (begins) => expect.stringMatching(new RegExp(`^${begins}`)),
        ),
      );
    expect(await rows.first().innerText()).toContain('Germany · python-requests');
  });

  it('says “unknown” where the counts do not come, and “no calls” where there were none', async () => {
    const page = await open({
      path: addressOf(rowAt(0)),
      before: async (opened) => {
        await recorded(opened);
        await answer(opened, CALLS, broken);
        await answer(opened, 'organisations/*/usage', broken);
      },
    });
    await page.getByText('The calls are unknown').waitFor();
    await page.getByText('Unknown: the counts could not be loaded.').waitFor();
    const id = await switches(page).getAttribute('aria-describedby');
    expect(await page.locator(`[id="${id}"]`).innerText()).toBe('Calls of the last 24 hours: unknown');
    await page.getByRole('button', { name: 'Delete this token…' }).click();
    await page.getByText('Who calls it is unknown: the counts could not be loaded.').waitFor();
    await page.keyboard.press('Escape');
    const held = Promise.withResolvers<void>();
    await answer(page, CALLS, after(held.promise, json(noCalls())));
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('button', { name: 'Loading…' }).waitFor();
    held.resolve();
    await page.getByText('No calls in 30 days').waitFor();
    expect(await page.locator('.figures dd').allInnerTexts()).toEqual(['0', '0']);
  });

  it('says “unknown” in the dialogs where the counts may be out of date, also if there were none before', async () => {
    const page = await open({ before: (opened) => answer(opened, 'organisations/*/usage', json(NO_USAGE)) });
    await page
      .getByRole('img', { name: /0 accepted/ })
      .first()
      .waitFor();
    for (const path of [TOKENS, CALLS, 'organisations/*/usage']) await answer(page, path, broken);
    await page.evaluate(() => dispatchEvent(new Event('online')));
    await page.getByText(/could not be loaded again/).waitFor();
    await trash(page).last().click();
    await page.getByText('Who calls it is unknown: the counts could not be loaded.').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'More', exact: true }).click();
    await page.getByRole('button', { name: 'Pause all tokens…' }).click();
    await page.getByText('How often they were called is unknown.').waitFor();
    expect(await page.getByRole('alertdialog').innerText()).not.toContain('no calls');
  });

  it('does not move on a phone when its switch is answered', async () => {
    const page = await open({
      path: addressOf(rowAt(0)),
      options: { viewport: { width: 390, height: 844 } },
      before: async (opened) => {
        await recorded(opened);
        await answer(opened, `${TOKENS}/*`, json(receipt({ ...rowAt(0), active: false })));
      },
    });
    const parts = [switches(page), page.locator('#rotate'), page.locator('#calls')];
    const places = () => Promise.all(parts.map((part) => part.boundingBox()));
    await page.getByText('Hetzner Online GmbH').waitFor();
    const before = await places();
    await switches(page).press('Space');
    await page.getByText('5,599 calls a day stop.').waitFor();
    expect(await places()).toEqual(before);
  });

  it('says in each dialog what will stop, without waiting for it, and without moving', async () => {
    let held = Promise.withResolvers<void>();
    const page = await open({
      path: addressOf(rowAt(0)),
      before: async (opened) => {
        await recorded(opened);
        await answer(opened, CALLS, async (route) => {
          await held.promise;
          await json(calls())(route);
        });
      },
    });
    const dialogs = page.locator('dialog');
    // A dialog moves while it opens.
    const size = () =>
      dialogs.evaluate(async (node) => {
        await Promise.all(node.getAnimations().map(({ finished }) => finished));
        return JSON.stringify(node.getBoundingClientRect());
      });
    for (const [button, told] of [
      [
        'Delete this token…',
        /Hetzner Online GmbH \(DE\), Amazon\.com, Inc\. \(IE\) and DigitalOcean, LLC \(SG\)/,
      ],
      ['Rotate…', /5,599 calls in the last 24 hours, the last one \d+ seconds ago, from/],
      ['Narrow the access', /How many of them write is not counted/],
      ['Edit paths', /Which paths they ask for is not counted/],
      ['Edit networks', /Amazon\.com, Inc\. \(IE\)\s*node\s*310/],
      ['Edit websites', /No browser was seen among them/],
      ['Edit the end', /90 more were refused/],
    ] as const) {
      await page.getByRole('button', { name: button }).click();
      await dialogs.getByText('5,599 calls in the last 24 hours').waitFor();
      const before = await size();
      held.resolve();
      await expect.poll(() => dialogs.locator('.foresight').innerText(), { message: button }).toMatch(told);
      expect([button, await size()]).toEqual([button, before]);
      await page.keyboard.press('Escape');
      await dialogs.waitFor({ state: 'detached' });
      held = Promise.withResolvers();
      // What was loaded is of another moment.
      await page.reload();
    }
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
    const described = await switches(page).getAttribute('aria-describedby');
    await expect
      .poll(() => page.locator(`[id="${described}"]`).innerText())
      .toBe('Last 24 hours: 5,599 accepted, 90 refused calls');
    await switches(page).press('Space');
    await page.getByText(/Refused since/).waitFor();
    expect(await page.locator('.receipt').innerText()).toMatch(
      /^Refused since \d\d:\d\d:\d\d\.\s+5,599 calls a day stop\.\s+Undo$/,
    );
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

  it('replaces the value: at once, or with the old one until a member ends it', async () => {
    const page = await open({
      boot: {},
      // The real list.
      before: (opened) => opened.unroute(`**/api/${TOKENS}`),
    });
    await page.getByText('No API tokens yet').waitFor();
    const make = (name: string) =>
      page.evaluate(async (given) => {
        const made = await fetch('/api/organisations/acme/tokens', {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ name: given }),
        });
        return (await made.json()) as { token: { id: string }; secret: string };
      }, name);
    const dialogs = page.getByRole('dialog');
    /** Opens the token's page, replaces its value, and answers the new one. */
    const rotate = async (token: { id: string }, choice: string): Promise<string> => {
      await page.goto(`${here()}/developer-zone/tokens/${token.id}?organisation=acme`);
      await page.getByRole('button', { name: 'Rotate…' }).click();
      const chosen = dialogs.getByRole('radio', { name: 'When it has not been used for an hour' });
      expect(await chosen.isChecked()).toBe(true);
      expect(await chosen.evaluate((node) => node === document.activeElement)).toBe(true);
      await dialogs.getByRole('radio', { name: choice, exact: true }).check();
      await dialogs.getByRole('button', { name: 'Rotate', exact: true }).click();
      const secret = await dialogs.getByLabel('API token', { exact: true }).inputValue();
      await dialogs.getByRole('button', { name: 'Copy', exact: true }).click();
      await dialogs.getByRole('button', { name: 'Done' }).click();
      await dialogs.waitFor({ state: 'detached' });
      expect(await page.content()).not.toContain(secret);
      expect(await page.evaluate(() => document.activeElement?.id)).toBe('rotate');
      return secret;
    };
    const masks = page.locator('.values .mask');

    const leaked = await make('Leaked');
    const replaced = await rotate(leaked.token, 'Now');
    await page
      .getByRole('status')
      .getByText(/Old value refused since/)
      .waitFor();
    expect([await statusOf(here(), leaked.secret), await statusOf(here(), replaced)]).toEqual([401, 200]);
    expect(await page.getByText('Two values are live').count()).toBe(0);
    expect(await masks.allInnerTexts()).toEqual([`${leaked.secret.slice(0, 5)}***`]);

    const kiosk = await make('Kiosk');
    const current = await rotate(kiosk.token, 'In 24 hours');
    await page
      .getByRole('status')
      .getByText(/New value since/)
      .waitFor();
    expect([await statusOf(here(), kiosk.secret), await statusOf(here(), current)]).toEqual([200, 200]);
    const both = [`${current.slice(0, 5)}***`, `${kiosk.secret.slice(0, 5)}***`];
    expect(await masks.allInnerTexts()).toEqual(both);
    await page.getByText(/Refused from \d/).waitFor();
    await page.getByRole('link', { name: 'Developer Zone' }).first().click();
    await page.locator('.remark').getByText('Two values live').waitFor();
    await page.goBack();
    // Twice within seconds is taken for two members who replace it together.
    await page.getByRole('button', { name: 'Rotate…' }).click();
    await dialogs.getByText(`${both[1]} from the last rotation has not ended yet.`).waitFor();
    await dialogs.getByRole('button', { name: 'Rotate', exact: true }).click();
    await page
      .getByRole('alert')
      .getByText(/Not rotated\. Its value was replaced a moment ago/)
      .waitFor();
    await page.getByRole('button', { name: 'End old value now' }).click();
    await page.getByRole('alertdialog').getByRole('button', { name: 'End now' }).click();
    await page
      .getByRole('status')
      .getByText(/Old value refused since/)
      .waitFor();
    expect([await statusOf(here(), kiosk.secret), await statusOf(here(), current)]).toEqual([401, 200]);
    await page.getByText('Values that have ended').waitFor();
    expect(await masks.allInnerTexts()).toEqual([both[1]]);
    await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe('rotate');
  });

  it('repeats a replacement whose answer was lost under the same key, with the same choice', async () => {
    const sent: { key: string | undefined; body: unknown }[] = [];
    const now = { ...rowAt(0), preview: '9pNew', retiring: RETIRING };
    const page = await open({
      path: addressOf(rowAt(0)),
      before: async (opened) => {
        await recorded(opened);
        await answer(opened, `${TOKENS}/*/rotate`, async (route) => {
          const request = route.request();
          sent.push({ key: request.headers()['idempotency-key'], body: request.postDataJSON() });
          if (sent.length === 1) await cut(route);
          else if (sent.length === 2) await problem(429, 'too-many-requests')(route);
          else await json({ ...receipt(now), secret: null })(route);
        });
      },
    });
    const dialogs = page.getByRole('dialog');
    await page.getByRole('button', { name: 'Rotate…' }).click();
    await dialogs.getByRole('radio', { name: 'In 7 days' }).check();
    const confirm = dialogs.getByRole('button', { name: 'Rotate', exact: true });
    await confirm.click();
    await dialogs
      .getByRole('alert')
      .getByText(/Trying again makes no second value/)
      .waitFor();
    expect(await dialogs.getByRole('radio', { name: 'Now', exact: true }).isDisabled()).toBe(true);
    await confirm.click();
    // A refusal of the repeat does not tell what the first call did.
    await dialogs
      .getByRole('alert')
      .getByText(/It may have been rotated.*Too many requests/)
      .waitFor();
    expect(await dialogs.getByRole('radio', { name: 'Now', exact: true }).isDisabled()).toBe(true);
    await confirm.click();
    await dialogs.getByText('Rotated, but not shown').waitFor();
    await dialogs.getByText(`${RETIRING.preview}*** has not ended yet.`, { exact: false }).waitFor();
    expect(sent).toHaveLength(3);
    expect(new Set(sent.map((call) => JSON.stringify(call))).size).toBe(1);
    expect(sent[0]).toEqual({
      key: expect.stringMatching(/./),
      body: { retire: '7d', preview: rowAt(0).preview },
    });
  });

  it('of a token that the list does not have says so, and leads to the list', async () => {
    const page = await open({ path: addressOf({ id: 'nowhere' }), boot: table, before: recorded });
    await page.getByRole('heading', { name: 'This token doesn’t exist' }).waitFor();
    await page.getByRole('link', { name: 'Go to Developer Zone' }).click();
    await expect.poll(() => switches(page).count()).toBe(ROWS.length);
  });
});
