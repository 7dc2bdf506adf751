// Behaviour of every screen of the dashboard: the frame, failures, the sign-in, accessibility and appearance.
import { describe, expect, it } from 'vitest';
import {
  TOKENS,
  ZONE,
  count,
  createButton,
  created,
  field,
  focused,
  member,
  newRow,
  receipt,
  showSecret,
  switches,
  table,
  trash,
  useDashboard,
  sessionOnPlan,
} from './dashboard.ts';
import { ROWS, after, answer, broken, cut, dropped, json, problem, silence } from './fixtures.ts';

const { open, here } = useDashboard();

describe('the frame', () => {
  it('begins with a skip link, and has one heading, its landmarks and the current page marked', async () => {
    const page = await open();
    await page.keyboard.press('Tab');
    expect(await focused(page)).toBe('Skip to content');
    await page.keyboard.press('Enter');
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('content');
    expect(await page.getByRole('heading', { level: 1 }).count()).toBe(1);
    expect(await page.getByRole('navigation').count()).toBe(1);
    expect(await page.getByRole('main').count()).toBe(1);
    expect(await page.locator('[aria-current=page]').innerText()).toBe('Developer Zone');
    expect(await page.locator('html').getAttribute('lang')).toBe('en');
  });

  it('keeps the organisation in the address: a reload, Back, the title and the focus follow it', async () => {
    const page = await open({ path: '/developer-zone', boot: {} });
    await page.getByLabel('Organisation').selectOption('globex');
    await page.getByRole('heading', { name: 'Enterprise Plan Required' }).waitFor();
    await expect.poll(() => page.title()).toBe('Developer Zone · Globex Runs · 9Pic');
    expect(page.url()).toContain('?organisation=globex');
    await page.reload();
    await page.getByRole('heading', { name: 'Enterprise Plan Required' }).waitFor();
    await page.getByLabel('Organisation').selectOption('acme');
    await page.getByRole('link', { name: 'Activity' }).click();
    await expect.poll(() => focused(page)).toBe('Activity');
    await expect.poll(() => page.title()).toBe('Activity · Acme Events · 9Pic');
    await page.goBack();
    await expect.poll(() => page.title()).toBe('Developer Zone · Acme Events · 9Pic');
    await page.goBack();
    await page.getByRole('heading', { name: 'Enterprise Plan Required' }).waitFor();
    expect(await page.getByLabel('Organisation').inputValue()).toBe('globex');
  });

  it('asks once for each change of organisation, and ignores a late answer for the previous one', async () => {
    const held = Promise.withResolvers<void>();
    const page = await open({
      path: '/developer-zone',
      boot: member,
      before: async (opened) => {
        await answer(opened, TOKENS, after(held.promise, dropped(json({ tokens: ROWS, limit: 10 }))));
        await answer(opened, 'organisations/hooli/tokens', json({ tokens: [], limit: 10 }));
      },
    });
    const asked = count(page, '/api/organisations/hooli/tokens', 'GET');
    const failed: string[] = [];
    page.on('requestfailed', (request) => failed.push(new URL(request.url()).pathname));
    await page.getByLabel('Organisation').selectOption('acme');
    await page.getByLabel('Organisation').selectOption('hooli');
    await page.getByText('No API tokens yet').waitFor();
    held.resolve();
    await expect.poll(() => failed).toEqual(['/api/organisations/acme/tokens']);
    expect(await page.getByText('No API tokens yet').isVisible()).toBe(true);
    expect(asked).toHaveLength(1);
  });

  it('keeps the menu of a phone behind a button that Esc closes', async () => {
    const page = await open({ options: { viewport: { width: 390, height: 844 } } });
    const menu = page.getByRole('button', { name: 'Menu' });
    expect(await page.getByRole('link', { name: 'Activity' }).isVisible()).toBe(false);
    await menu.click();
    await page.getByRole('link', { name: 'Activity' }).waitFor();
    // The page under the menu takes no focus.
    expect(await page.locator('main').evaluate((node) => (node as HTMLElement).inert)).toBe(true);
    for (const at of [page.getByLabel('Organisation'), page.getByRole('button', { name: 'Close menu' })]) {
      await at.focus();
      await page.keyboard.press('Escape');
      await page.getByRole('link', { name: 'Activity' }).waitFor({ state: 'hidden' });
      expect(await focused(page)).toBe('Menu');
      await menu.click();
    }
    // A phone in landscape has no menu to close.
    await page.setViewportSize({ width: 844, height: 390 });
    await expect.poll(() => page.locator('main').evaluate((node) => (node as HTMLElement).inert)).toBe(false);
    await page.setViewportSize({ width: 390, height: 844 });
    await menu.click();
    await page.getByRole('link', { name: 'Activity' }).click();
    await page.getByRole('heading', { name: 'Activity', level: 1 }).waitFor();
    await page.getByRole('link', { name: 'Activity' }).waitFor({ state: 'hidden' });
  });

  it('closes the menu of a phone when an organisation was chosen in it', async () => {
    const page = await open({
      options: { viewport: { width: 390, height: 844 } },
      boot: { ...table, ...member },
    });
    await page.getByRole('button', { name: 'Menu' }).click();
    await page.getByLabel('Organisation').selectOption('globex');
    await page.getByRole('heading', { name: 'Enterprise Plan Required' }).waitFor();
    await page.getByLabel('Organisation').waitFor({ state: 'hidden' });
    expect(await focused(page)).toBe('Menu');
  });

  it('lets a member choose the organisation on a phone without opening the menu', async () => {
    const page = await open({
      path: '/developer-zone',
      boot: member,
      options: { viewport: { width: 390, height: 844 } },
    });
    await page.getByRole('link', { name: 'Globex Runs' }).click();
    await page.getByRole('heading', { name: 'Enterprise Plan Required' }).waitFor();
    expect(page.url()).toContain('?organisation=globex');
  });
});

describe('a failure', () => {
  it('of loading says that tokens keep working, and Try again tries again', async () => {
    const page = await open({
      path: '/developer-zone',
      boot: {},
      before: (opened) => answer(opened, TOKENS, broken),
    });
    await page.getByLabel('Organisation').selectOption('acme');
    await page.getByText('Your tokens keep working.').waitFor();
    await page.getByRole('button', { name: 'Copy the request id' }).click();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('01JDG7Q9M3XW5K2R8T4V6Y0ZAB');
    await answer(page, TOKENS, json({ tokens: ROWS, limit: 10 }));
    await page.getByRole('button', { name: 'Try again' }).click();
    await switches(page).first().waitFor();
  });

  it('of refreshing keeps the old rows and marks them', async () => {
    const page = await open({ before: (opened) => answer(opened, TOKENS, broken) });
    await page.evaluate(() => dispatchEvent(new Event('online')));
    await page.getByRole('status').filter({ hasText: 'could not be loaded again' }).waitFor();
    expect(await switches(page).count()).toBe(ROWS.length);
  });

  it('of the network is a hint, and every action is still tried', async () => {
    const page = await open({
      before: async (opened) => {
        // A machine with only a local network: the browser reports that it is offline, and our server answers.
        await opened.addInitScript(() => Object.defineProperty(navigator, 'onLine', { get: () => false }));
        await answer(opened, `${TOKENS}/*`, json(receipt({ ...ROWS[0], active: false })));
        await answer(opened, 'organisations/*/usage', silence);
      },
    });
    await page.getByRole('status').filter({ hasText: 'Your browser says that it is offline' }).waitFor();
    await createButton(page).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    await trash(page).first().click();
    await page.getByRole('alertdialog').getByRole('button', { name: 'Cancel' }).click();
    await switches(page).first().click();
    await page.getByText(/Refused since/).waitFor();
    // A browser that got an answer is online.
    await expect.poll(() => page.getByText('Your browser says').count()).toBe(0);
  });

  it('of the network is shown when an action is tried, and the list loads again when the network is back', async () => {
    const page = await open();
    await page
      .getByRole('img', { name: /accepted/ })
      .first()
      .waitFor();
    const asked = count(page, `/api/${TOKENS}`, 'GET');
    await answer(page, 'organisations/acme/tokens{,/*}', cut);
    await page.context().setOffline(true);
    await page.getByText('Your browser says that it is offline').waitFor();
    await switches(page).first().click();
    await page
      .getByRole('alert')
      .getByText(/Couldn’t confirm the change of Website 9pW4k\*\*\*\. No answer came\./)
      .waitFor();
    expect(await switches(page).first().isChecked()).toBe(true);
    const before = asked.length;
    await answer(page, TOKENS, json({ tokens: ROWS.slice(1), limit: 10 }));
    await page.context().setOffline(false);
    await page.getByText('Your browser says').waitFor({ state: 'detached' });
    await expect.poll(() => switches(page).count()).toBe(ROWS.length - 1);
    expect(asked).toHaveLength(before + 1);
  });

  it('because of too many changes says how long to wait', async () => {
    const page = await open({
      before: (opened) =>
        answer(opened, `${TOKENS}/*`, problem(429, 'too-many-requests', { 'retry-after': '42' })),
    });
    await switches(page).first().click();
    await expect.poll(() => page.getByText(/Wait 42 s/).count()).toBe(1);
  });

  it('because of the plan shows the upgrade page, not an error', async () => {
    const page = await open({
      before: async (opened) => {
        await answer(opened, `${TOKENS}/*`, problem(403, 'enterprise-plan-required'));
        await answer(opened, 'session', json(sessionOnPlan('trial')));
      },
    });
    await switches(page).first().click();
    await page.getByRole('heading', { name: 'Enterprise Plan Required' }).waitFor();
    expect(await page.locator('.toast').count()).toBe(0);
  });

  it('of the session is one message, after any number of clicks', async () => {
    const page = await open({
      before: (opened) => answer(opened, `${TOKENS}/*`, problem(401, 'sign-in-required')),
    });
    await switches(page).first().click();
    await switches(page)
      .nth(1)
      .click({ timeout: 500 })
      .catch(() => {});
    await page.getByText('Your session has ended. Sign in again to continue.').waitFor();
    expect(await page.getByText(/session has ended/).count()).toBe(1);
    expect(await page.locator('.toast').count()).toBe(0);
    expect(page.url()).toBe(here() + ZONE);
  });

  it('a change in another tab is seen when this tab is visible again, at most every ten seconds', async () => {
    const page = await open({ before: (opened) => opened.clock.install() });
    const asked = count(page, `/api/${TOKENS}`, 'GET');
    await answer(page, TOKENS, json({ tokens: ROWS.slice(1), limit: 10 }));
    const look = () =>
      page.evaluate(() => document.dispatchEvent(new Event('visibilitychange', { bubbles: true })));
    await look();
    expect(asked).toEqual([]);
    await page.clock.runFor(11_000);
    await look();
    await look();
    await expect.poll(() => switches(page).count()).toBe(ROWS.length - 1);
    expect(asked).toHaveLength(1);
  });
});

describe('the sign-in', () => {
  it('has a labelled e-mail field, ties its error to it, and Enter sends', async () => {
    const page = await open({ path: '/sign-in', boot: {}, anonymous: true });
    const email = page.getByLabel('Email');
    expect(await email.getAttribute('autocomplete')).toBe('email');
    await email.fill('nobody');
    await page.keyboard.press('Enter');
    const id = await email.getAttribute('aria-describedby');
    expect(await page.locator(`#${id}`).innerText()).toBe('Enter an email address, like you@example.com.');
    expect(await email.getAttribute('aria-invalid')).toBe('true');
    await answer(page, 'sign-in/link', broken);
    await email.fill('nobody@example.com');
    await page.keyboard.press('Enter');
    await page.getByText('01JDG7Q9M3XW5K2R8T4V6Y0ZAB').waitFor();
    expect(await email.getAttribute('aria-invalid')).toBe('false');
    await answer(page, 'sign-in/link', json({}, 202));
    // Tried again as it stands.
    await email.press('Enter');
    await page.getByRole('heading', { name: 'Check your inbox' }).waitFor();
    // The text does not reveal whether the address is known.
    await page.getByText(/^If nobody@example\.com belongs to an organisation/).waitFor();
    await page.getByRole('button', { name: 'Use another address' }).click();
    expect(await email.inputValue()).toBe('nobody@example.com');
  });

  it('sends again after thirty seconds, not before', async () => {
    const page = await open({
      path: '/sign-in',
      boot: {},
      anonymous: true,
      before: async (opened) => {
        await opened.clock.install();
        await answer(opened, 'sign-in/link', json({}, 202));
      },
    });
    const asked = count(page, '/api/sign-in/link', 'POST');
    await page.getByLabel('Email').fill('owner@example.com');
    await page.keyboard.press('Enter');
    const again = page.getByRole('button', { name: /^Send again/ });
    await again.waitFor();
    expect(await again.innerText()).toMatch(/^Send again in (29|30) s$/);
    await again.click({ force: true });
    expect(asked).toHaveLength(1);
    await page.clock.runFor(31_000);
    await expect.poll(() => again.innerText()).toBe('Send again');
    await again.click();
    await expect.poll(() => asked.length).toBe(2);
  });

  it('offers single sign-on when it is configured, and returns to the page that asked for the sign-in', async () => {
    const page = await open({
      boot: { methods: { link: true, oidc: { name: 'Example Identity' } } },
      anonymous: true,
    });
    const link = page.getByRole('link', { name: 'Continue with Example Identity' });
    expect(await link.getAttribute('href')).toBe(`/api/sign-in/oidc?return_to=${encodeURIComponent(ZONE)}`);
  });
});

describe('everywhere', () => {
  it.each(['light', 'dark'] as const)(
    'every control shows the keyboard focus, and no single letter is a shortcut (%s)',
    async (colorScheme) => {
      const page = await open({ options: { colorScheme } });
      const bare: string[] = [];
      for (let step = 0; step < 24; step++) {
        await page.keyboard.press('Tab');
        const ring = await page.evaluate(() => {
          const node = document.activeElement;
          if (node === null || node === document.body) return null;
          const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(node);
          // Relative luminance (WCAG 2.2), against the page.
          const light = (colour: string): number => {
            const parts = (colour.match(/[\d.]+/g) ?? []).slice(0, 3).map((part) => {
              const value = Number(part) / 255;
              return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
            });
            return 0.2126 * (parts[0] ?? 0) + 0.7152 * (parts[1] ?? 0) + 0.0722 * (parts[2] ?? 0);
          };
          const [outline, ground] = [
            light(outlineColor),
            light(getComputedStyle(document.documentElement).backgroundColor),
          ];
          const contrast = (Math.max(outline, ground) + 0.05) / (Math.min(outline, ground) + 0.05);
          return {
            name: node.textContent || node.tagName,
            seen: outlineStyle !== 'none' && outlineWidth !== '0px' && contrast >= 3,
          };
        });
        if (ring !== null && !ring.seen) bare.push(ring.name);
      }
      expect(bare).toEqual([]);
      await page.getByRole('heading', { level: 1 }).focus();
      for (const key of 'abcdefghijklmnopqrstuvwxyz?/') await page.keyboard.press(key);
      expect(await page.getByRole('dialog').count()).toBe(0);
      expect(page.url()).toBe(here() + ZONE);
    },
  );

  it('a token is created, copied, switched off and deleted by keyboard alone', async () => {
    const page = await open({
      before: async (opened) => {
        await created(opened);
        await answer(opened, `${TOKENS}/*`, json(receipt({ ...newRow, active: false })));
      },
    });
    const press = async (name: string, key = 'Enter') => {
      for (let step = 0; step < 40 && (await focused(page)) !== name; step++)
        await page.keyboard.press('Tab');
      expect(await focused(page)).toBe(name);
      await page.keyboard.press(key);
    };
    await press('Create Token');
    // The button in the dialog has the same name.
    await page.getByRole('dialog').waitFor();
    await press('Create Token');
    await field(page).waitFor();
    await press('Copy');
    await page.getByText('Copied to clipboard').waitFor();
    await press('Done');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await press(`Token ${newRow.preview}*** active`, 'Space');
    await page.getByText(/Refused since/).waitFor();
    await press(`Delete token ${newRow.preview}***`);
    await press(`Delete ${newRow.preview}***`);
    await page.getByText(/deleted\. Refused everywhere since/).waitFor();
  });

  it('targets are at least 36 pixels high and wide on a phone', async () => {
    const page = await open({ options: { viewport: { width: 320, height: 640 } } });
    const small = (of: string) =>
      page.locator(`main ${of}:visible`).evaluateAll((nodes) =>
        nodes.flatMap((node) => {
          node.scrollIntoView({ block: 'center' });
          const { top, left, width, height } = node.getBoundingClientRect();
          // A switch looks smaller than its target area; the test measures the area.
          const found = [-17.5, 17.5].flatMap((away) => [
            height >= 36 || document.elementFromPoint(left + width / 2, top + height / 2 + away) === node,
            width >= 36 || document.elementFromPoint(left + width / 2 + away, top + height / 2) === node,
          ]);
          return found.every(Boolean) ? [] : [`${node.ariaLabel ?? node.textContent} ${width} x ${height}`];
        }),
      );
    expect(await small(':is(button, a, input)')).toEqual([]);
    await page.getByRole('button', { name: 'More', exact: true }).click();
    await page.getByText('Pause all tokens…').waitFor();
    expect(await small('[popover] button')).toEqual([]);
  });

  it('signing out leads to the sign-in page, which says that you are signed out', async () => {
    const page = await open({
      before: (opened) => answer(opened, 'sign-out', (route) => route.fulfill({ status: 204 })),
    });
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByText('You are signed out.').waitFor();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    expect(await page.locator('body').innerText()).not.toContain(ROWS[0]?.preview);
  });

  it('the tooltip of a locked item stays while the pointer is on it', async () => {
    const page = await open({ path: '/developer-zone?organisation=globex', boot: {} });
    await page.getByRole('link', { name: /Developer Zone/ }).hover();
    const tip = page.getByRole('tooltip');
    await tip.waitFor();
    const box = await tip.boundingBox();
    // One pixel at a time: a gap between item and tooltip would close it.
    for (let up = -8; up <= 4; up++) {
      await page.mouse.move((box?.x ?? 0) + 20, (box?.y ?? 0) + up);
      expect(await tip.isVisible()).toBe(true);
    }
  });

  it('a dialog fits 320 by 480 and scrolls inside', async () => {
    const page = await open({ before: created, options: { viewport: { width: 320, height: 480 } } });
    await showSecret(page);
    const box = await page.getByRole('dialog').boundingBox();
    expect(box?.y).toBeGreaterThanOrEqual(0);
    expect((box?.y ?? 0) + (box?.height ?? 0)).toBeLessThanOrEqual(480);
    await page.getByRole('button', { name: 'Done' }).scrollIntoViewIfNeeded();
    expect(await page.getByRole('button', { name: 'Done' }).isVisible()).toBe(true);
  });

  it('the theme is a cookie, which the Worker applies to the first byte of the page', async () => {
    const page = await open({ options: { colorScheme: 'light' } });
    const scheme = () => page.evaluate(() => getComputedStyle(document.documentElement).colorScheme);
    const button = page.getByRole('button', { name: /^Theme: / });
    await button.click();
    await button.click();
    expect(await button.innerText()).toContain('Dark theme');
    expect(await scheme()).toBe('dark');
    const html = await (await page.request.get(here() + ZONE)).text();
    expect(html).toMatch(/<html[^>]* data-theme="dark"/);
    await page.reload();
    expect(await scheme()).toBe('dark');
    await button.click();
    expect(await scheme()).toBe('light dark');
    expect((await page.context().cookies()).some(({ name }) => name === 'theme')).toBe(false);
  });

  it('forced colours leave every control visible, and reduced motion stops all movement', async () => {
    const page = await open({
      options: { forcedColors: 'active', reducedMotion: 'reduce' },
      before: (opened) => answer(opened, `${TOKENS}/*`, silence),
    });
    const thumb = (index: number) =>
      switches(page)
        .nth(index)
        .evaluate((node) => {
          const [own, knob] = [getComputedStyle(node), getComputedStyle(node, '::after')];
          return { border: own.borderTopStyle, differs: own.backgroundColor !== knob.backgroundColor };
        });
    expect(await thumb(0)).toEqual({ border: 'solid', differs: true });
    expect(await thumb(2)).toEqual({ border: 'solid', differs: true });
    // Without colours, only the border shows that an element is a button.
    const flat = await page
      .locator('main .button')
      .evaluateAll((nodes) =>
        nodes
          .filter((node) => getComputedStyle(node).borderTopStyle === 'none')
          .map((node) => node.textContent),
      );
    expect(flat).toEqual([]);
    const dots = await page
      .locator('.state')
      .evaluateAll((nodes) => nodes.map((node) => getComputedStyle(node, '::before').backgroundColor));
    expect(new Set(dots).size).toBe(2);
    await switches(page).first().click();
    await page.getByText('Deactivating…').waitFor();
    expect(await page.evaluate(() => document.getAnimations().length)).toBe(0);
  });

  it.each([
    ['at 200 % zoom', { viewport: { width: 640, height: 400 }, deviceScaleFactor: 2 }],
    ['with the text spacing of WCAG 1.4.12', { viewport: { width: 390, height: 844 } }],
  ])('nothing is cut %s', async (name, options) => {
    const page = await open({ before: created, options });
    if (name.includes('spacing')) {
      await page.evaluate(() => {
        const sheet = new CSSStyleSheet();
        sheet.replaceSync(
          '* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important } p { margin-bottom: 2em !important }',
        );
        document.adoptedStyleSheets = [sheet];
      });
    }
    const cutOff = () =>
      page.evaluate(() => {
        const found = [
          ...document.querySelectorAll('main button, main a, main td, main h1, main h2, dialog *'),
        ]
          .filter((node) => node.closest('.hidden, svg, .rename, textarea, pre, select') === null)
          .filter(
            (node) => node.scrollWidth > node.clientWidth + 1 && getComputedStyle(node).display !== 'inline',
          )
          .map((node) => `${node.tagName}.${node.className} ${node.textContent.slice(0, 40)}`);
        if (document.documentElement.scrollWidth > innerWidth) found.push('the page');
        return found;
      });
    expect(await cutOff()).toEqual([]);
    await showSecret(page);
    expect(await cutOff()).toEqual([]);
  });

  it.each(['/sign-in', '/developer-zone', '/activity', '/sessions', '/nowhere', '/docs'])(
    '%s has a strict policy with Trusted Types',
    async (path) => {
      const policy = (await fetch(here() + path)).headers.get('content-security-policy') ?? '';
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("require-trusted-types-for 'script'");
      expect(policy).not.toContain('unsafe');
    },
  );

  it('a script of an older deployment is a 404, not a page', async () => {
    const missing = await fetch(`${here()}/assets/app-older.js`);
    expect(missing.status).toBe(404);
    expect((await fetch(`${here()}/nowhere`)).status).toBe(404);
  });
});
