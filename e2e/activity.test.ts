// The Activity screen: clicks, filters and failures of the network. Worker tests cover the content of the activity and its export.
import type { Page, Route } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { useDashboard } from './dashboard.ts';
import { EVENTS, after, answer, broken, json } from './fixtures.ts';

const { open } = useDashboard();
const PATH = '/activity?organisation=acme';
const RECORD = 'organisations/acme/activity*';
const ALL = { events: EVENTS.events, next: '7' };
const rows = (page: Page) => page.locator('.events li');
const older = (page: Page) => page.getByRole('button', { name: /Show older|Loading/ });
const query = (route: Route) => new URL(route.request().url()).searchParams;

/** Answers the first page at once, and requests for older events with `then`. */
const paged = (then: (route: Route) => unknown) => (page: Page) =>
  answer(page, RECORD, (route) => (query(route).has('before') ? then(route) : json(ALL)(route)));

describe('the activity', () => {
  it('is sentences by day, with the hour of the reader, and the zone on hover', async () => {
    const page = await open({
      path: PATH,
      before: (opened) => answer(opened, RECORD, json({ ...ALL, next: null })),
      options: { locale: 'en-GB', timezoneId: 'Asia/Kolkata' },
    });
    const time = rows(page).first().locator('time');
    await time.waitFor();
    const hour = new Intl.DateTimeFormat('en-GB', { timeStyle: 'short', timeZone: 'Asia/Kolkata' });
    expect(await time.innerText()).toBe(hour.format(new Date(EVENTS.events[0]?.at ?? '')));
    // The newest event may be of the day before: the fixtures are as old as they are whatever the hour of the test.
    expect(['Today', 'Yesterday']).toContain(await page.locator('.day').first().innerText());
    const last = new Intl.DateTimeFormat('en-GB', { dateStyle: 'full', timeZone: 'Asia/Kolkata' });
    expect(await page.locator('.day').last().innerText()).toBe(
      last.format(new Date(EVENTS.events.at(-1)?.at ?? '')),
    );
    expect(await page.locator('.events p').allInnerTexts()).toEqual([
      'owner@example.com switched off Results importer 9pLm2***',
      'owner@example.com created Website 9pW4k***',
      'member@example.com renamed Partner app 9p7Qa*** to Partner app',
      'platform added sam.okafor@example.com',
      'a-very-long-address.of.somebody@department.example.com deleted 9pK0d***',
      'member@example.com was refused a token over the limit',
      'platform changed the plan: pro → enterprise',
    ]);
    expect(await time.getAttribute('title')).toMatch(/GMT\+5:30|IST/);
  });

  it('asks again for each filter, exports the rows shown, and ignores a late answer to the previous filter', async () => {
    const held = Promise.withResolvers<void>();
    const page = await open({
      path: PATH,
      before: (opened) =>
        answer(opened, RECORD, async (route) => {
          const action = query(route).get('action');
          if (action === 'token.created') await held.promise;
          const events = EVENTS.events.filter((event) => action === null || event.action === action);
          await json({ events, next: null })(route);
        }),
    });
    await rows(page).first().waitFor();
    await page.getByLabel('Action').selectOption('token.created');
    const late = page.waitForResponse((response) => response.url().includes('action=token.created'));
    await page.getByLabel('Action').selectOption('token.deleted');
    await rows(page).filter({ hasText: 'deleted 9pK0d***' }).waitFor();
    held.resolve();
    await late;
    await page.evaluate(
      () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))),
    );
    expect(await rows(page).allInnerTexts()).toEqual([expect.stringContaining('deleted 9pK0d***')]);
    for (const [name, format] of [
      ['Export as CSV', 'csv'],
      ['Export as JSON Lines', 'jsonl'],
    ] as const) {
      expect(await page.getByRole('link', { name }).getAttribute('href')).toBe(
        `/api/organisations/acme/activity.${format}?action=token.deleted`,
      );
    }
    await page.getByLabel('Action').selectOption('member.removed');
    await page.getByText('Nothing matches.').waitFor();
  });

  it('hides sign-ins until they are asked for, and the address says so', async () => {
    const [first] = EVENTS.events;
    const signIn = { ...first, id: 'sign-in', action: 'sign-in', tokenId: null, preview: null };
    const page = await open({
      path: PATH,
      before: (opened) => answer(opened, RECORD, json({ events: [signIn, first], next: null })),
    });
    await rows(page).first().waitFor();
    expect(await rows(page).count()).toBe(1);
    await page.getByLabel('Sign-ins').check();
    await rows(page).filter({ hasText: 'owner@example.com signed in' }).waitFor();
    expect(new URL(page.url()).searchParams.get('sign-ins')).toBe('shown');
    await page.reload();
    await expect.poll(() => rows(page).count()).toBe(2);
    await page.goBack();
    await expect.poll(() => rows(page).count()).toBe(1);
  });

  it('continues the search where it stopped when a page has no match, also after a refresh', async () => {
    const asked: (string | null)[] = [];
    const pages: Record<string, object> = {
      first: { events: [], next: '7' },
      7: { events: [], next: '8' },
      8: { events: EVENTS.events, next: null },
    };
    const page = await open({
      path: PATH,
      before: (opened) =>
        answer(opened, RECORD, (route) => {
          const before = query(route).get('before');
          asked.push(before);
          return json(pages[before ?? 'first'])(route);
        }),
    });
    await page.getByText('Nothing matches among the newest events of this token.').waitFor();
    await older(page).click();
    await expect.poll(() => asked.at(-1)).toBe('7');
    await page.getByRole('button', { name: 'Show older' }).waitFor();
    await page.evaluate(() => globalThis.dispatchEvent(new Event('online')));
    await expect.poll(() => asked).toEqual([null, '7', null]);
    await older(page).click();
    await expect.poll(() => rows(page).count()).toBe(EVENTS.events.length);
    expect(asked.at(-1)).toBe('8');
  });

  it('is asked once for older events, however often the button is pressed', async () => {
    let asked = 0;
    const olderEvents = EVENTS.events.map((event) => ({ ...event, id: `o${event.id}` }));
    const held = Promise.withResolvers<void>();
    const page = await open({
      path: PATH,
      before: paged((route) => {
        asked += 1;
        return after(held.promise, json({ events: olderEvents, next: null }))(route);
      }),
    });
    for (let press = 0; press < 3; press++) await older(page).dispatchEvent('click');
    await page.getByRole('button', { name: 'Loading…' }).waitFor();
    held.resolve();
    await expect.poll(() => rows(page).count()).toBe(2 * EVENTS.events.length);
    expect(asked).toBe(1);
    expect(await older(page).count()).toBe(0);
  });

  it('keeps the loaded events when older ones cannot be loaded, and tries again', async () => {
    const page = await open({ path: PATH, before: paged(broken) });
    await older(page).click();
    await page.getByRole('alert').getByText('Something went wrong on our side.').waitFor();
    expect(await rows(page).count()).toBe(EVENTS.events.length);
    await paged(json({ events: [], next: null }))(page);
    await older(page).click();
    await older(page).waitFor({ state: 'detached' });
  });

  it('says that its script could not be loaded, and opens when the network is back', async () => {
    const page = await open({ before: (opened) => answer(opened, RECORD, json({ ...ALL, next: null })) });
    await page.context().setOffline(true);
    await page.getByRole('link', { name: 'Activity' }).click();
    await page.getByRole('heading', { name: 'Couldn’t load Activity' }).waitFor();
    await page.context().setOffline(false);
    await rows(page).first().waitFor();
    expect(page.url()).toContain(PATH);
  });
});
