// Every state of the dashboard, light and dark, wide and at 320 pixels: no fault for axe, no overflow,
// no console message, no request to another origin.
import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { useProduct } from './dashboard.ts';
import { STATES, enter } from './states.ts';

const WIDTHS = [
  { width: 1280, height: 800 },
  { width: 320, height: 480 },
];
/** The narrowest width of each layout; only overflow is checked here. */
const BETWEEN = [361, 761, 1081, 1181];
const SCHEMES = ['light', 'dark'] as const;

const { here, browser, owner } = useProduct();

/**
 * The faults that axe finds, a line for each. The caller must inject axe before, once, because it is half a megabyte.
 * A theme changes only colours, so only the rules about colours run a second time.
 */
function faults(page: Page, coloursAlone: boolean): Promise<string[]> {
  return page.evaluate(async (alone) => {
    const scope: axe.RunOptions = alone
      ? { runOnly: ['color-contrast', 'link-in-text-block'] }
      : { rules: { 'target-size': { enabled: true } } };
    // The global that axe's source leaves behind.
    const { axe: inPage } = globalThis as unknown as { axe: typeof axe };
    const { violations } = await inPage.run({ ...scope, resultTypes: ['violations'] });
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id} ${target.join(' ')} ${failureSummary ?? ''}`),
    );
  }, coloursAlone);
}

/** Elements beyond the right or left edge of the page or of a dialog, which axe does not report. */
function overflow(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const found: string[] = [];
    const root = document.documentElement;
    if (root.scrollWidth > innerWidth) found.push(`the page is ${root.scrollWidth} wide`);
    // A card clips its overflow, so a button there could not be reached.
    for (const node of document.querySelectorAll('dialog, .card')) {
      if (node.scrollWidth > node.clientWidth)
        found.push(`the ${node.localName} is ${node.scrollWidth} wide`);
    }
    for (const node of document.querySelectorAll('button, a, input:not(.sidebar *), textarea, h1, h2, p')) {
      const { left, right, width } = node.getBoundingClientRect();
      const away = node.closest('.sidebar:not(.open), .hidden, .skip') !== null && innerWidth <= 760;
      if (width > 1 && !away && (left < -1 || right > innerWidth + 1)) {
        found.push(`${node.tagName} "${node.textContent.slice(0, 40)}" from ${left} to ${right}`);
      }
    }
    return found;
  });
}

describe('every state of the dashboard', () => {
  it('is checked in at least 84 combinations of state, theme and width', () => {
    expect(STATES.length * WIDTHS.length * SCHEMES.length).toBeGreaterThanOrEqual(84);
    expect(new Set(STATES.map(({ name }) => name)).size).toBe(STATES.length);
  });

  it.concurrent.for(STATES)(
    '$name has no fault for axe, fits 320 pixels, prints nothing on the console and sends no request elsewhere',
    async (state, { expect: expectHere }) => {
      const context = await browser().newContext({
        ...(state.anonymous === true ? {} : { storageState: owner() }),
        permissions: ['clipboard-read', 'clipboard-write'],
        // A transition would let axe measure an intermediate colour.
        reducedMotion: 'reduce',
      });
      context.setDefaultTimeout(15_000);
      const complaints: string[] = [];
      try {
        const page = await context.newPage();
        page.on('pageerror', (error) => complaints.push(error.message));
        page.on('console', (message) => {
          // The browser itself reports every answer of 400 and above; some of these states are such answers.
          if (
            ['error', 'warning'].includes(message.type()) &&
            !message.text().startsWith('Failed to load resource')
          ) {
            complaints.push(message.text());
          }
        });
        page.on('request', (request) => {
          const { origin } = new URL(request.url());
          if (origin !== here()) complaints.push(`asked ${origin}`);
        });
        await enter(page, here(), state);
        await page.evaluate(axe.source);
        for (const size of WIDTHS) {
          if (state.widths?.includes(size.width) === false) continue;
          await page.setViewportSize(size);
          for (const colorScheme of SCHEMES) {
            await page.emulateMedia({ colorScheme });
            const look = `${state.name}, ${colorScheme}, ${size.width} wide`;
            expectHere.soft(await faults(page, colorScheme !== 'light'), look).toEqual([]);
          }
          expectHere.soft(await overflow(page), `${state.name}, ${size.width} wide`).toEqual([]);
        }
        for (const width of BETWEEN) {
          await page.setViewportSize({ width, height: 800 });
          expectHere.soft(await overflow(page), `${state.name}, ${width} wide`).toEqual([]);
        }
        expectHere(complaints).toEqual([]);
      } finally {
        await context.close();
      }
    },
  );
});
