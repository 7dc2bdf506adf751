// The main journey by mouse and keyboard in three browser engines: Chromium from npm, Debian's Firefox, and Debian's WebKit,
// which is Safari's engine. In each engine axe checks every screen and dialog, in light and dark. The screenshots are in
// .tmp/engines afterwards.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import axe from 'axe-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MINI_BROWSER, openChromium, openFirefox, openWebKit } from './engines.ts';
import type { Engine, Key } from './engines.ts';
import { isHere } from './peers/servers.ts';
import { startServer } from './server.ts';
import type { Server } from './server.ts';
import { statusOf } from './ping.ts';

const pictures = resolve(import.meta.dirname, '../.tmp/engines');

const ENGINES = [
  { name: 'Chromium', open: openChromium, needs: [] },
  { name: 'Firefox', open: openFirefox, needs: [['firefox-esr', 'firefox-esr']] },
  {
    name: 'WebKit',
    open: openWebKit,
    needs: [
      ['WebKitWebDriver', 'webkit2gtk-driver'],
      [MINI_BROWSER, 'webkit2gtk-driver'],
      ['Xvfb', 'xvfb'],
    ],
  },
] as const;

let server: Server;
beforeAll(async () => {
  mkdirSync(pictures, { recursive: true });
  server = await startServer();
});
afterAll(() => server?.stop());

/** For the receipt of a switch: a change is answered after the leases have ended. */
const RECEIPT = { timeout: 20_000 };
/** More than the number of controls on the page: a Tab that leads nowhere ends the search. */
const MOST_TABS = 40;

for (const { name, open, needs } of ENGINES) {
  const isMissing = needs.some(([program, from]) => !isHere(program, from));
  describe.skipIf(isMissing)(`in ${name}`, () => {
    let engine: Engine;
    beforeAll(async () => {
      engine = await open();
    });
    afterAll(() => engine?.close());

    const ask = <T>(expression: string) => engine.ask<T>(expression);
    const standStill = () =>
      ask(
        'Promise.all(document.getAnimations().map(({ finished }) => finished.catch(() => {}))).then(() => 0)',
      );
    const see = (text: string | RegExp) =>
      expect.poll(() => ask<string>('document.body.innerText'), RECEIPT).toMatch(text);
    const picture = async (of: string) =>
      writeFileSync(join(pictures, `${name.toLowerCase()}-${of}.png`), await engine.picture());
    /** The control with this name. While a dialog is open, only the dialog is searched. */
    const control = (label: string) =>
      `[...(document.querySelector('dialog[open]') ?? document).querySelectorAll('a, button, input')].find((node) =>
        (node.ariaLabel ?? node.innerText).trim().startsWith(${JSON.stringify(label)}))`;
    async function click(label: string): Promise<void> {
      await expect.poll(() => ask<boolean>(`${control(label)} !== undefined`), RECEIPT).toBe(true);
      // A dialog moves when it opens: wait until the target stands still.
      await standStill();
      const { x, y, width, height } = await ask<DOMRect>(
        `${control(label)}.getBoundingClientRect().toJSON()`,
      );
      await engine.click(x + width / 2, y + height / 2);
    }
    async function press(...keys: Key[]): Promise<void> {
      for (const key of keys) await engine.press(key);
    }
    /** Presses Tab until the focus is there. */
    async function tabTo(label: string): Promise<void> {
      await expect.poll(() => ask<boolean>(`${control(label)} !== undefined`), RECEIPT).toBe(true);
      for (let tabs = 0; tabs < MOST_TABS; tabs++) {
        if (await ask<boolean>(`document.activeElement === ${control(label)}`)) return;
        await press('Tab');
      }
      throw new Error(`No Tab leads to "${label}"`);
    }
    /** Moves the focus there by Tab and presses it: by key if the engine supports this, otherwise by mouse. */
    async function use(label: string, key: Key = 'Enter'): Promise<void> {
      await tabTo(label);
      if (engine.keysPressButtons) await press(key);
      else await click(label);
    }

    const choose = (id: string, value: string) =>
      ask(
        `Object.assign(document.getElementById('${id}'), { value: '${value}' }).dispatchEvent(new Event('change', { bubbles: true }))`,
      );

    /** The open dialog is within the window, no taller than its text needs, and without gaps between its rows. */
    async function expectToLieWell(height: number): Promise<void> {
      await standStill();
      const { tall, above, gaps, below, outside } = await ask<{
        tall: number;
        above: number;
        gaps: number[];
        below: number;
        outside: boolean;
      }>(`(() => {
        const dialog = document.querySelector('dialog[open]');
        const box = dialog.getBoundingClientRect();
        const rows = [...(dialog.querySelector('form') ?? dialog).children]
          .filter((row) => row.checkVisibility())
          .map((row) => row.getBoundingClientRect());
        return {
          tall: box.height,
          above: rows[0].top - box.top,
          gaps: rows.slice(1).map((row, index) => row.top - rows[index].bottom),
          below: box.bottom - rows.at(-1).bottom,
          outside: box.top < 0 || box.bottom > innerHeight || dialog.scrollHeight > dialog.clientHeight,
        };
      })()`);
      expect(tall).toBeLessThan(height);
      expect(outside).toBe(false);
      expect(above).toBeLessThan(26);
      expect(below).toBeLessThan(26);
      expect(Math.max(...gaps)).toBeLessThan(24);
    }

    /** Checks the screen with axe, in light and dark: a line for each fault. */
    async function expectNoFault(of: string): Promise<void> {
      if (!(await ask<boolean>('"axe" in globalThis'))) await ask(`(() => { ${axe.source}; return 0; })()`);
      const found = [];
      for (const theme of ['light', 'dark']) {
        await ask(`(document.documentElement.dataset.theme = '${theme}')`);
        await standStill();
        // A theme changes colours and nothing else.
        const scope =
          theme === 'light'
            ? { rules: { 'target-size': { enabled: true } } }
            : { runOnly: ['color-contrast', 'link-in-text-block'] };
        found.push(
          ...(await ask<
            string[]
          >(`axe.run(${JSON.stringify({ ...scope, resultTypes: ['violations'] })}).then(({ violations }) =>
            violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) =>
              [${JSON.stringify(`${of}, ${theme}`)}, id, target.join(' '), failureSummary].join(' '))))`)),
        );
      }
      await ask('delete document.documentElement.dataset.theme');
      expect(found).toEqual([]);
    }

    let secret = '';

    it('signs in by keyboard, on http://localhost', async () => {
      await engine.go(`${server.origin}/developer-zone`);
      await see('Send sign-in link');
      expect(await ask('document.activeElement.id')).toBe('email');
      await expectNoFault('sign-in');
      await engine.press({ text: 'member@example.com' });
      await press('Enter');
      await see('Check your inbox');
      await expectNoFault('sent');
      await tabTo('Open the sign-in link');
      await press('Enter');
      await see('No API tokens yet');
      expect(await ask('location.search')).toBe('?organisation=acme');
      // The session survives a navigation.
      await engine.go(`${server.origin}/developer-zone?organisation=acme`);
      await see('No API tokens yet');
      await picture('empty');
      await expectNoFault('empty');
    });

    it('creates a token, and shows it whole and selected', async () => {
      await click('Create Token');
      await see('Create a new API token?');
      await expectToLieWell(480);
      await picture('create');
      await expectNoFault('create');
      await ask("document.querySelector('dialog summary').click()");
      await see('Only these paths');
      await picture('create-limits');
      await expectNoFault('limits of a new token');
      await press('Escape');
      await expect.poll(() => ask("document.querySelector('dialog[open]') === null")).toBe(true);
      await click('Create Token');
      await see('Create a new API token?');
      await use('Create Token');
      await see('Copy your API token');
      await expectToLieWell(620);
      const field = await ask<{ value: string; selected: string; focused: boolean; cut: boolean }>(`(() => {
        const field = document.getElementById('secret');
        return {
          value: field.value,
          selected: field.value.slice(field.selectionStart, field.selectionEnd),
          focused: document.activeElement === field,
          cut: field.scrollHeight > field.clientHeight || field.scrollWidth > field.clientWidth,
        };
      })()`);
      secret = field.value;
      await picture('shown-once');
      expect(field).toEqual({ value: secret, selected: secret, focused: true, cut: false });
      await expectNoFault('shown once');
      expect(await statusOf(server.origin, secret)).toBe(200);
      // No key closes the dialog, because the secret cannot be shown again.
      await press('Escape', 'Escape', 'Escape', 'Escape', 'Escape');
      expect(await ask("document.getElementById('secret')?.value")).toBe(secret);
      await click('Done');
      await see('Close anyway');
      await click('Copy');
      await see(/Copied to clipboard|is selected/);
      await click(await ask(`${control('Close anyway')} === undefined ? 'Done' : 'Close anyway'`));
      await expect.poll(() => ask("document.querySelector('dialog[open]') === null")).toBe(true);
    });

    it('switches off and on again by keyboard', async () => {
      await use(`Token ${secret.slice(0, 5)}*** active`, ' ');
      await see(/Refused since/);
      expect(await statusOf(server.origin, secret)).toBe(401);
      await picture('switched-off');
      await press('Tab');
      expect(await ask('document.activeElement.innerText.trim()')).toBe('Undo');
      await use('Undo');
      await see(/Accepted since/);
      expect(await statusOf(server.origin, secret)).toBe(200);
      await expectNoFault('table');
    });

    it('limits it on its own page', async () => {
      await engine.go(await ask<string>("document.querySelector('a.name').href"));
      await see('What it may do');
      await expectNoFault('token');
      await click('Edit networks');
      await see('Addresses or networks, one on each line');
      // It says who calls as soon as that is known: some lines more in a slow run.
      await expectToLieWell(520);
      await expectNoFault('networks');
      expect(await ask('document.activeElement.id')).toBe('limit-networks');
      await engine.press({ text: '192.0.2.0/24' });
      await click('Save');
      await see(/Refused elsewhere since/);
      expect(await statusOf(server.origin, secret)).toBe(401);
      expect(await ask('document.activeElement.ariaLabel')).toBe('Edit networks');
      await click('Edit the end');
      await see('From that instant on');
      await choose('limit-ending', 'date');
      await see('until the end of that day');
      await picture('end');
      await expectNoFault('end');
      await ask(
        "Object.assign(document.querySelector('dialog [type=date]'), { value: '2099-03-14' }).dispatchEvent(new Event('input', { bubbles: true }))",
      );
      await see(/14 Mar 2099, 23:59/);
      await click('Save');
      await see(/New end since/);
      await picture('limited');
    });

    it.each([
      ['/activity?organisation=acme', 'created 9p'],
      ['/sessions', 'This browser'],
      ['/docs', 'Skip to content'],
      ['/docs/nowhere', 'This page doesn’t exist'],
      ['/v1/ping', 'This address is for programs.'],
    ])('shows %s without a fault for axe', async (path, text) => {
      await engine.go(server.origin + path);
      await see(text);
      await expectNoFault(path);
    });

    it('deletes it, and signs out', async () => {
      await engine.go(`${server.origin}/developer-zone?organisation=acme`);
      const trash = `Delete token ${secret.slice(0, 5)}***`;
      await click(trash);
      await see('Deletion is permanent.');
      await expectToLieWell(520);
      await picture('delete');
      await expectNoFault('delete');
      expect(await ask('document.activeElement.innerText.trim()')).toBe('Cancel');
      await press('Escape');
      await expect.poll(() => ask("document.querySelector('dialog[open]') === null")).toBe(true);
      expect(await ask('document.activeElement.ariaLabel')).toBe(trash);
      await use(trash);
      await see('Deletion is permanent.');
      await use('Delete 9p');
      await see('No API tokens yet');
      expect(await statusOf(server.origin, secret)).toBe(401);
      await click('Sign out');
      await see('You are signed out.');
      await engine.go(`${server.origin}/developer-zone?organisation=acme`);
      await see('Send sign-in link');
      console.log(`Ran in ${engine.version}, with axe ${axe.version}.`);
    });
  });
}
