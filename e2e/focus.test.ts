// Where the keyboard focus is after each action. The action often removes the element that had the focus. If the focus then
// fell back to the top of the page, the user of a screen reader would lose the place and hear no result.
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import {
  TOKENS,
  confirmButton,
  createButton,
  newRow,
  receipt,
  sessionOnPlan,
  switches,
  useDashboard,
} from './dashboard.ts';
import type { Given } from './dashboard.ts';
import { EVENTS, ROWS, SECRET, SESSIONS, STILL, answer, broken, json, problem } from './fixtures.ts';

const { open } = useDashboard();

/** The element that has the focus, and its words: "H1 Sessions". */
const place = (page: Page): Promise<string> =>
  page.evaluate(() => `${document.activeElement?.tagName} ${document.activeElement?.textContent.trim()}`);
const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name }).first();
const changed = (active: boolean) => json(receipt({ ...ROWS[0], active }));

type Way = [name: string, given: Given, act: (page: Page) => Promise<void>, ends: string];

const ON_THE_TOKENS: Way[] = [
  [
    'the switch of a token that is gone',
    {
      before: async (page) => {
        await answer(page, TOKENS, json({ tokens: ROWS.slice(1), limit: 10 }));
        await answer(page, `${TOKENS}/*`, problem(404, 'token-not-found'));
      },
    },
    (page) => switches(page).first().press('Space'),
    'H1 Developer Zone',
  ],
  [
    'Undo',
    { before: (page) => answer(page, `${TOKENS}/*`, changed(false)) },
    async (page) => {
      await switches(page).first().press('Space');
      await button(page, 'Undo').press('Enter');
    },
    // The switch, which has no words of its own.
    'INPUT ',
  ],
  [
    'Dismiss',
    { before: (page) => answer(page, `${TOKENS}/*`, broken) },
    async (page) => {
      await switches(page).first().press('Space');
      await button(page, 'Dismiss').press('Enter');
    },
    'H1 Developer Zone',
  ],
  [
    'Try again, where the list did not come',
    { boot: {}, path: '/developer-zone', before: (page) => answer(page, TOKENS, broken) },
    async (page) => {
      await page.getByLabel('Organisation').selectOption('acme');
      await button(page, 'Try again').waitFor();
      await answer(page, TOKENS, json({ tokens: ROWS, limit: 10 }));
      await button(page, 'Try again').press('Enter');
      await switches(page).first().waitFor();
    },
    'H1 Developer Zone',
  ],
  [
    'the choice of an organisation on the page',
    { boot: {}, path: '/developer-zone' },
    (page) => page.getByRole('main').getByRole('link', { name: 'Acme Events' }).press('Enter'),
    'H1 Developer Zone',
  ],
  [
    'a plan that was changed meanwhile',
    {
      before: async (page) => {
        await answer(page, `${TOKENS}/*`, problem(403, 'enterprise-plan-required'));
        await answer(page, 'session', json(sessionOnPlan('trial')));
      },
    },
    (page) => switches(page).first().press('Space'),
    'H1 Enterprise Plan Required',
  ],
  [
    'a session that has ended meanwhile',
    { before: (page) => answer(page, `${TOKENS}/*`, problem(401, 'sign-in-required')) },
    (page) => switches(page).first().press('Space'),
    'H1 Sign in',
  ],
  [
    'a creation whose answer was lost',
    { before: (page) => answer(page, TOKENS, json({ token: newRow, secret: null })) },
    async (page) => {
      await createButton(page).press('Enter');
      await confirmButton(page).press('Enter');
    },
    'BUTTON Keep it',
  ],
  [
    'the first Done without a copy',
    { before: (page) => answer(page, TOKENS, json({ token: newRow, secret: SECRET }, 201)) },
    async (page) => {
      await createButton(page).press('Enter');
      await confirmButton(page).press('Enter');
      await button(page, 'Done').press('Enter');
    },
    'BUTTON Copy and close',
  ],
];

const OF_THE_SIGN_IN: Way[] = [
  [
    'the link was sent',
    { anonymous: true, path: '/sign-in' },
    async (page) => {
      await page.getByLabel('Email').fill('owner@example.com');
      await page.getByLabel('Email').press('Enter');
    },
    'H1 Check your inbox',
  ],
  [
    'another address is used',
    { anonymous: true, path: '/sign-in' },
    async (page) => {
      await page.getByLabel('Email').fill('owner@example.com');
      await page.getByLabel('Email').press('Enter');
      await button(page, 'Use another address').press('Enter');
    },
    // The field for the address, which has no words of its own.
    'INPUT ',
  ],
];

const OF_OTHER_SCREENS: Way[] = [
  [
    'Activity is opened for the first time',
    {},
    (page) => page.getByRole('link', { name: 'Activity' }).press('Enter'),
    'H1 Activity',
  ],
  [
    'the last page of the activity has come',
    { path: '/activity?organisation=acme', before: (page) => activity(page, null) },
    (page) => button(page, 'Show older').press('Enter'),
    'H1 Activity',
  ],
  [
    'a session was ended',
    { path: '/sessions?organisation=acme', before: sessions },
    (page) => button(page, /^End session/).press('Enter'),
    'H1 Sessions',
  ],
  [
    'more callers are shown',
    { path: `/developer-zone/tokens/${ROWS[0]?.id}?organisation=acme` },
    (page) => button(page, 'Show 2 more').press('Enter'),
    // The first of them, so that reading goes on there.
    'TR Deutsche Telekom AGGermany · browserbrowser28 days ago',
  ],
  [
    'more that still call are shown',
    {
      path: '/activity?organisation=acme',
      before: (page) => answer(page, 'organisations/acme/still-calling', json(STILL)),
    },
    (page) => button(page, 'Show 3 more').press('Enter'),
    'LI Integration 1 9pB1a***3 calls yesterdayDeleted last month by owner@example.com',
  ],
];

async function activity(page: Page, next: string | null): Promise<void> {
  await answer(page, 'organisations/acme/activity*', (route) =>
    route.fulfill({ json: { ...EVENTS, next: route.request().url().includes('before') ? next : '7' } }),
  );
}

async function sessions(page: Page): Promise<void> {
  let rows = SESSIONS.sessions;
  await answer(page, 'sessions', (route) => route.fulfill({ json: { sessions: rows } }));
  await answer(page, 'sessions/*', (route) => {
    rows = rows.slice(0, 1);
    return route.fulfill({ status: 204 });
  });
}

describe('the focus is on the next useful element, after', () => {
  it.each([...ON_THE_TOKENS, ...OF_THE_SIGN_IN, ...OF_OTHER_SCREENS])('%s', async (_, given, act, ends) => {
    const page = await open(given);
    await act(page);
    await expect.poll(() => place(page)).toBe(ends);
  });

  it('Try again, where an old list was kept', async () => {
    const page = await open({ before: (opened) => answer(opened, TOKENS, broken) });
    await page.evaluate(() => dispatchEvent(new Event('online')));
    await button(page, 'Try again').waitFor();
    await answer(page, TOKENS, json({ tokens: ROWS, limit: 10 }));
    await button(page, 'Try again').press('Enter');
    await button(page, 'Try again').waitFor({ state: 'detached' });
    await expect.poll(() => place(page)).toBe('H1 Developer Zone');
  });
});
