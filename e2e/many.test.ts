// The choice of an organisation for members with one, with many, or with two of the same name; and which member the page shows.
import { describe, expect, it } from 'vitest';
import { TOKENS, ZONE, member, rowAt, switches, table, useDashboard } from './dashboard.ts';
import { EVENTS, ROWS, answer, json, problem, withBoot } from './fixtures.ts';

const { open, here } = useDashboard();
const belongsTo = (organisations: object[]) => ({
  session: { member: { email: 'owner@example.com' }, organisations },
});
const enterprise = (id: string, name: string) => ({ id, name, plan: 'enterprise', pausedAt: null });

describe('the organisations', () => {
  it('are not offered for choice to a member of one, and Back leads to no choice', async () => {
    const page = await open({
      path: '/developer-zone',
      boot: belongsTo([enterprise('acme', 'Acme Events')]),
    });
    await switches(page).first().waitFor();
    expect(page.url()).toBe(here() + ZONE);
  });

  it('that was open last opens again, where the address names none', async () => {
    const boot = belongsTo([enterprise('acme', 'Acme Events'), enterprise('hooli', 'Hooli Summits')]);
    const page = await open({ path: ZONE, boot });
    await page.getByRole('heading', { name: 'Admin API Tokens' }).waitFor();
    await page.goto(`${here()}/developer-zone`);
    await page.getByRole('heading', { name: 'Admin API Tokens' }).waitFor();
    expect(page.url()).toBe(here() + ZONE);
    // It is asked who belongs there: what another member left in this browser opens nothing.
    await withBoot(page, belongsTo([enterprise('hooli', 'Hooli Summits'), enterprise('globex', 'Globex')]));
    await page.goto(`${here()}/developer-zone`);
    await page.getByRole('heading', { name: 'Select an organisation' }).waitFor();
  });

  it('are sorted with numbers in natural order, and those with the same name show their ids', async () => {
    const page = await open({
      path: '/developer-zone',
      boot: belongsTo([
        enterprise('b', 'Run 10'),
        enterprise('a', 'Run 1'),
        enterprise('c', 'Run 2'),
        enterprise('twin-1', 'Twins'),
        enterprise('twin-2', 'Twins'),
      ]),
    });
    const names = ['Run 1', 'Run 2', 'Run 10', 'Twins (twin-1)', 'Twins (twin-2)'];
    expect(await page.getByLabel('Organisation').locator('option').allInnerTexts()).toEqual([
      'Select an organisation',
      ...names,
    ]);
    expect(await page.getByRole('main').getByRole('link').allInnerTexts()).toEqual(names);
    expect(await page.getByLabel('Find an organisation').count()).toBe(0);
  });

  it('of a member of 3,004 are all in the list, and a filter finds one by a part of its name', async () => {
    const page = await open({
      path: '/developer-zone',
      boot: belongsTo([
        ...Array.from({ length: 3003 }, (_, index) => enterprise(`o-${index}`, `Run ${index}`)),
        enterprise('acme', 'Acme Events'),
      ]),
    });
    const select = page.getByRole('complementary').getByRole('combobox');
    expect(await select.locator('option').count()).toBe(3005);
    await page.getByText('And 2954 more').waitFor();
    const filter = page.getByRole('complementary').getByLabel('Find an organisation');
    await filter.fill('me ev');
    await page.getByText('1 of 3004').waitFor();
    expect(await select.locator('option').allInnerTexts()).toEqual(['Select an organisation', 'Acme Events']);
    await filter.press('Enter');
    await switches(page).first().waitFor();
    expect(page.url()).toBe(here() + ZONE);
    expect(await select.locator('option').count()).toBe(3004);
  });
});

describe('a page on which another member is signed in meanwhile', () => {
  it('names its member with every call, changes nothing as the other member, and loads again', async () => {
    const page = await open({ boot: table });
    const said: (string | undefined)[] = [];
    await answer(page, `${TOKENS}/*`, async (route) => {
      said.push(route.request().headers()['x-member']);
      await problem(409, 'another-member')(route);
    });
    await switches(page).first().click();
    await page.getByText('You are signed in as owner@example.com now.').waitFor();
    expect(said).toEqual(['owner@example.com']);
    expect(page.url()).toBe(here() + ZONE);
    expect(await page.getByText(/still active|Refused since/).count()).toBe(0);
  });
});

describe('the filters of the activity', () => {
  const PATH = '/activity?organisation=acme';
  const TOKEN = 'aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa';
  const events = EVENTS.events.map((event) =>
    Object.assign({}, event, { tokenId: event.preview === null ? null : TOKEN }),
  );

  it('are in the address: they are chosen from people and tokens, survive a reload, and Back undoes them', async () => {
    const queries: string[] = [];
    const page = await open({
      path: PATH,
      boot: { ...table, ...member },
      before: async (opened) => {
        await answer(opened, 'organisations/acme/activity*', (route) => {
          queries.push(new URL(route.request().url()).search);
          return json({ events, next: null })(route);
        });
        await answer(
          opened,
          'organisations/acme/activity/people',
          json({ people: ['member@example.com', 'owner@example.com'], more: false }),
        );
      },
    });
    const person = page.getByLabel('Person');
    await person.locator('option', { hasText: 'member@example.com' }).waitFor({ state: 'attached' });
    await person.selectOption('member@example.com');
    await page.getByLabel('Action').selectOption('token.created');
    await page
      .getByRole('link', { name: `${events[0]?.preview}***` })
      .first()
      .click();
    const all = `?action=token.created&actor=member%40example.com&token=${TOKEN}`;
    await expect.poll(() => queries.at(-1)).toBe(all);
    await page.reload();
    // The choice is kept when the list of people has loaded.
    await person.locator('option').nth(2).waitFor({ state: 'attached' });
    expect(await person.inputValue()).toBe('member@example.com');
    expect(await page.getByRole('combobox', { name: 'Token' }).inputValue()).toBe(TOKEN);
    await expect.poll(() => queries.at(-1)).toBe(all);
    await page.goBack();
    await expect.poll(() => queries.at(-1)).toBe('?action=token.created&actor=member%40example.com');
    expect(await page.getByRole('combobox', { name: 'Token' }).inputValue()).toBe('');
    expect(await page.getByRole('combobox', { name: 'Token' }).locator('option').allInnerTexts()).toEqual([
      'All tokens',
      ...ROWS.map(({ name, preview }) => (name === null ? `${preview}***` : `${name} ${preview}***`)),
    ]);
  });

  it('do not stop the page from loading newer events by itself, showing the time of the update, and keeping older events', async () => {
    let shown = events.slice(1);
    const page = await open({
      path: PATH,
      boot: { ...table, ...member },
      before: async (opened) => {
        await opened.clock.install();
        await answer(opened, 'organisations/acme/activity*', (route) =>
          json({ events: shown, next: null })(route),
        );
        await answer(opened, 'organisations/acme/activity/people', json({ people: [], more: false }));
      },
    });
    await page.locator('.events li').first().waitFor();
    expect(await page.locator('.events li').count()).toBe(events.length - 1);
    const before = await page.getByText(/^Updated at/).innerText();
    shown = events.slice(0, 3);
    await page.clock.runFor(31_000);
    await expect.poll(() => page.locator('.events li').count()).toBe(events.length);
    expect(await page.getByText(/^Updated at/).innerText()).not.toBe(before);
  });
});

/** A list with a clock that the test controls. `asked`: the header X-Unattended of each later request for the list. */
async function openWatched() {
  const page = await open({ before: (opened) => opened.clock.install() });
  await switches(page).first().waitFor();
  const asked: (string | undefined)[] = [];
  await answer(page, TOKENS, (route) => {
    asked.push(route.request().headers()['x-unattended']);
    return json({ tokens: ROWS.slice(1), limit: 10 })(route);
  });
  return { page, asked };
}

describe('a page in sight', () => {
  it('loads again twice a minute without extending the session, and shows the time', async () => {
    const { page, asked } = await openWatched();
    const before = await page.getByText(/^Updated at \d\d:\d\d:\d\d$/).innerText();
    await page.clock.runFor(31_000);
    await expect.poll(() => switches(page).count()).toBe(ROWS.length - 1);
    expect(asked).toEqual(['1']);
    expect(await page.getByText(/^Updated at/).innerText()).not.toBe(before);
  });

  it('loads again when it gets the focus', async () => {
    const { page, asked } = await openWatched();
    await page.clock.runFor(11_000);
    await page.evaluate(() => dispatchEvent(new Event('focus')));
    await expect.poll(() => switches(page).count()).toBe(ROWS.length - 1);
    expect(asked).toEqual([undefined]);
  });
});

describe('words', () => {
  it.each(['de-DE', 'ja-JP', 'ar-SA', 'fa-IR', 'th-TH'])(
    'are in one language, and years follow the calendar of the page, for %s',
    async (locale) => {
      const page = await open({ options: { locale } });
      await switches(page).first().waitFor();
      expect(
        await page
          .getByText(/^used /)
          .first()
          .innerText(),
      ).toMatch(/^used \d+ (s|min|h|days) ago$/);
      const year = new Intl.DateTimeFormat(locale, { year: 'numeric', calendar: 'gregory' }).format(
        new Date(rowAt(0).createdAt),
      );
      expect(await page.locator('.cell-at time').first().innerText()).toContain(
        year.replace(/[^\p{Nd}]/gu, ''),
      );
    },
  );

  it('of a row begin with its name, then its mask, for screen readers and voice control', async () => {
    const page = await open();
    const header = page.getByRole('rowheader').first();
    expect((await header.innerText()).replaceAll(/\s+/g, ' ')).toMatch(/^Website .*9pW4k\*\*\* · used/);
    await page.getByRole('switch', { name: 'Token Website 9pW4k*** active' }).waitFor();
    await page.getByRole('button', { name: 'Delete token Website 9pW4k***' }).waitFor();
  });

  it('still change after a translator has replaced our nodes', async () => {
    const page = await open({
      boot: { ...table, ...member },
      before: async (opened) => {
        await answer(opened, 'session', json(member.session));
        await answer(opened, `${TOKENS}/*`, (route) =>
          json({
            token: { ...rowAt(0), ...route.request().postDataJSON() },
            effectiveAt: new Date().toISOString(),
          })(route),
        );
        await answer(opened, 'organisations/hooli/tokens', json({ tokens: [], limit: 10 }));
      },
    });
    await switches(page).first().waitFor();
    // Like a browser's translator: it replaces each text node, also later ones, with an element.
    await page.evaluate(() => {
      const translate = (): void => {
        watcher.disconnect();
        const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        const found: Text[] = [];
        while (walker.nextNode() !== null) found.push(walker.currentNode as Text);
        for (const text of found) {
          const parent = text.parentElement;
          if (parent === null || text.data.trim() === '') continue;
          if (parent.closest('font, script, style, textarea, svg, option, [translate=no]') !== null) continue;
          const font = document.createElement('font');
          font.textContent = text.data.toUpperCase();
          text.replaceWith(font);
        }
        watcher.observe(document.body, { subtree: true, childList: true, characterData: true });
      };
      const watcher = new MutationObserver(translate);
      translate();
    });
    const state = page.locator('.state').first();
    expect(await state.innerText()).toBe('ACTIVE');
    await switches(page).first().click();
    await page.getByText(/^REFUSED SINCE/).waitFor();
    expect(await state.innerText()).toBe('INACTIVE');
    await page.getByRole('button', { name: 'UNDO' }).click();
    await page.getByText(/^ACCEPTED SINCE/).waitFor();
    expect(await state.innerText()).toBe('ACTIVE');
    expect(await page.locator('.mask').first().innerText()).toBe('9pW4k***');
    await page.getByRole('button', { name: 'CREATE TOKEN', exact: true }).click();
    await page.getByRole('dialog').getByText('Acme Events').waitFor();
    await page.keyboard.press('Escape');
    await page.getByLabel('ORGANISATION').selectOption('hooli');
    await page.getByText('NO API TOKENS YET').waitFor();
    expect(await page.locator('.lead').innerText()).toMatch(
      /^CREATE AND MANAGE API TOKENS FOR Hooli Summits\./,
    );
    expect(await page.getByText('Acme Events').count()).toBe(1);
    await page.getByLabel('ORGANISATION').selectOption('globex');
    await page.getByRole('heading', { name: 'ENTERPRISE PLAN REQUIRED' }).waitFor();
    await page.goBack();
    await expect.poll(() => page.locator('.lead').innerText()).toContain('Hooli Summits');
  });
});
