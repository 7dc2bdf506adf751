// npm run lighthouse: Lighthouse's scores of every page, and how soon the dashboard answers clicks and keys
// on a processor four times slower. It uses the real Worker with its own state, and ends with 1 when a goal is missed.
// Arguments: the paths to measure (`answers` for the second part). RUNS=1 makes one run of each instead of five.
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { openBrowser, signedInState } from '../e2e/browser.ts';
import { freePort, startServer } from '../e2e/server.ts';
import { installFor } from '../bench/packages.ts';

/** The part of Lighthouse 13.5 that is used here. It is a package of the bench, so its types may not be installed. */
type Audit = {
  id: string;
  title: string;
  score: number | null;
  scoreDisplayMode: string;
  numericValue?: number;
};
type Report = {
  runtimeError?: unknown;
  categories: Record<string, { score: number | null }>;
  audits: Record<string, Audit>;
};
type Lighthouse = (url: string, flags: object, config?: object) => Promise<{ lhr: Report } | undefined>;

installFor('lighthouse');
const ofBench = createRequire(new URL('../bench/package.json', import.meta.url));
const load = async <T>(name: string): Promise<T> =>
  ((await import(pathToFileURL(ofBench.resolve(name)).href)) as { default: T }).default;
const lighthouse = await load<Lighthouse>('lighthouse');
const desktop = await load<object>('lighthouse/core/config/desktop-config.js');

const PAGES = [
  '/sign-in',
  '/developer-zone?organisation=acme',
  '/activity?organisation=acme',
  '/sessions?organisation=acme',
  '/nowhere',
  '/docs',
  '/docs/problems',
];
const FORMS = ['mobile', 'desktop'] as const;
const CATEGORIES = ['performance', 'accessibility', 'best-practices', 'seo'] as const;
const GOALS = {
  mobile: { performance: 98, accessibility: 100, 'best-practices': 100, seo: 100 },
  desktop: { performance: 100, accessibility: 100, 'best-practices': 100, seo: 100 },
};
// A page that does not exist must answer 404, which the browser reports on the console, and must not be indexed.
const MISSING = ['http-status-code', 'errors-in-console', 'is-crawlable'];
const INP_GOAL_MS = 120;
const SLOWDOWN = 4;
// Sometimes Chromium gives Lighthouse no start of the navigation (NO_NAVSTART); such a run does not count.
const RETRIES = 3;
const runs = Number(process.env['RUNS'] ?? 5);
const wanted = process.argv.slice(2);

type Form = (typeof FORMS)[number];
type Run = { scores: number[]; lcpMs: number; cls: number; faults: string[] };

const ACTS: [name: string, act: (page: Page) => Promise<unknown>][] = [
  [
    'Open and leave the dialog that creates',
    async (page) => {
      await page.getByRole('button', { name: 'Create Token', exact: true }).click();
      await page.getByRole('button', { name: 'Cancel' }).click();
    },
  ],
  [
    'Type a name, create, copy, choose a language, close',
    async (page) => {
      await page.getByRole('button', { name: 'Create Token', exact: true }).click();
      await page.getByLabel('What will use it?').pressSequentially('Shop');
      await page.getByRole('dialog').getByRole('button', { name: 'Create Token' }).click();
      await page.getByRole('button', { name: 'Copy', exact: true }).click();
      await page.getByRole('tab', { name: 'Python' }).click();
      await page.getByRole('button', { name: 'Done' }).click();
    },
  ],
  [
    'Switch off, and on again',
    async (page) => {
      const turn = page.getByRole('switch').first();
      await turn.click();
      await page.getByText('Deactivating…').waitFor({ state: 'detached' });
      await turn.click();
      await page.getByText('Activating…').waitFor({ state: 'detached' });
    },
  ],
  [
    'Open and leave the dialog that deletes',
    async (page) => {
      await page
        .getByRole('button', { name: /^Delete token/ })
        .first()
        .click();
      await page.getByRole('button', { name: 'Cancel' }).click();
    },
  ],
];

const missed: string[] = [];
const state = mkdtempSync(join(tmpdir(), 'developer-zone-'));
const server = await startServer({ state });
const port = await freePort();
const browser = await openBrowser(port);
try {
  const cookies = await signedInState(browser, server.origin);
  const cookie = cookies.cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
  console.log(`| Page | Form | ${CATEGORIES.join(' | ')} | LCP | CLS |\n|---|---|${'---|'.repeat(6)}`);
  for (const path of PAGES) {
    if (wanted.length > 0 && !wanted.includes(path)) continue;
    for (const form of FORMS) await judge(path, form, cookie);
  }
  if (wanted.length === 0 || wanted.includes('answers')) await judgeAnswers(browser, cookies);
} finally {
  await browser.close();
  await server.stop();
  rmSync(state, { recursive: true, force: true, maxRetries: 5 });
}
for (const line of missed) console.error(line);
process.exitCode = missed.length > 0 ? 1 : 0;

function medianOf(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** One page in one form: the median of the runs as a row of the table. */
async function judge(path: string, form: Form, cookie: string): Promise<void> {
  const all: Run[] = [];
  for (let run = 0; run < runs; run += 1) all.push(await look(path, form, cookie));
  const scores = CATEGORIES.map((_, index) => medianOf(all.map((run) => run.scores[index] ?? Number.NaN)));
  const [lcp, cls] = [medianOf(all.map((run) => run.lcpMs)), Math.max(...all.map((run) => run.cls))];
  const name = path.split('?')[0];
  console.log(
    `| ${name} | ${form} | ${scores.join(' | ')} | ${(lcp / 1000).toFixed(2)} s | ${cls.toFixed(3)} |`,
  );
  for (const [index, category] of CATEGORIES.entries()) {
    const score = scores[index] ?? 0;
    if (score >= GOALS[form][category]) continue;
    missed.push(`${name}, ${form}: ${category} ${score}, not ${GOALS[form][category]}`);
    if (category !== 'performance') missed.push(...new Set(all.flatMap((run) => run.faults)));
  }
}

async function look(path: string, form: Form, cookie: string): Promise<Run> {
  for (let attempt = 0; attempt < RETRIES; attempt += 1) {
    const result = await lighthouse(
      server.origin + path,
      {
        port,
        logLevel: 'error',
        output: 'json',
        onlyCategories: [...CATEGORIES],
        // The sign-in page is measured without a session.
        ...(path === '/sign-in' ? {} : { extraHeaders: { cookie } }),
        ...(path === '/nowhere' ? { ignoreStatusCode: true, skipAudits: MISSING } : {}),
      },
      form === 'desktop' ? desktop : undefined,
    );
    const report = result?.lhr;
    const scores = CATEGORIES.map((name) => report?.categories[name]?.score ?? null);
    if (report === undefined || report.runtimeError !== undefined || scores.includes(null)) continue;
    const faults = Object.values(report.audits)
      .filter(({ score, scoreDisplayMode }) => scoreDisplayMode === 'binary' && score === 0)
      .map(({ id, title }) => `  ${id}: ${title}`);
    return {
      scores: scores.map((score) => Math.round(100 * (score ?? 0))),
      lcpMs: report.audits['largest-contentful-paint']?.numericValue ?? Number.NaN,
      cls: report.audits['cumulative-layout-shift']?.numericValue ?? Number.NaN,
      faults,
    };
  }
  throw new Error(`Lighthouse has no verdict on ${path}, ${form}, after ${RETRIES} runs`);
}

/** Every click and key of a visit, from the input to the next frame (INP), and the layout shifts meanwhile (CLS). */
async function judgeAnswers(
  chromium: Browser,
  storageState: Awaited<ReturnType<typeof signedInState>>,
): Promise<void> {
  const context = await chromium.newContext({
    storageState,
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  const page = await context.newPage();
  await page.addInitScript(() => {
    const seen = { slowest: 0, moved: 0 };
    Object.assign(globalThis, { seen });
    // TypeScript does not know of the threshold yet (Event Timing API).
    const everyEvent = { type: 'event', durationThreshold: 16, buffered: true };
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) seen.slowest = Math.max(seen.slowest, duration);
    }).observe(everyEvent);
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        if ('value' in entry && 'hadRecentInput' in entry && entry.hadRecentInput === false)
          seen.moved += Number(entry.value);
      }
    }).observe({ type: 'layout-shift', buffered: true });
  });
  await page.goto(`${server.origin}/developer-zone?organisation=acme`);
  await page.getByRole('button', { name: 'Create Token', exact: true }).waitFor();
  const devtools = await context.newCDPSession(page);
  await devtools.send('Emulation.setCPUThrottlingRate', { rate: SLOWDOWN });
  console.log(`\n| At a ${SLOWDOWN} times slower processor | Slowest answer (INP) |\n|---|---|`);
  for (const [name, act] of ACTS) {
    await page.evaluate(() => {
      // Put there by the script above, before the page ran.
      (globalThis as unknown as { seen: { slowest: number } }).seen.slowest = 0;
    });
    for (let run = 0; run < runs; run += 1) await act(page);
    // Event timings are reported after the frame that ended them.
    await page.evaluate(() => new Promise((done) => setTimeout(done, 500)));
    const { slowest, moved } = await page.evaluate(
      () => (globalThis as unknown as { seen: { slowest: number; moved: number } }).seen,
    );
    console.log(`| ${name} | ${slowest === 0 ? 'under 16' : slowest} ms |`);
    if (slowest > INP_GOAL_MS) missed.push(`${name}: ${slowest} ms, not ${INP_GOAL_MS}`);
    if (moved > 0) missed.push(`${name}: the page moved (CLS ${moved})`);
  }
  await context.close();
}
