// The documentation in a real browser, wide and on a phone, light and dark. Every example
// is run as pasted, against the Worker that serves the documentation.
import { execFile, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TOKEN } from '../docs/openapi/operator-answers.ts';
import { PROBLEMS } from '../worker/http/problem.ts';
import { openBrowser } from './browser.ts';
import { startChild } from './child.ts';
import type { Child } from './child.ts';
import { startDeployment, ZONE } from './deployment.ts';
import type { Deployment } from './deployment.ts';
import { SETTINGS } from './isolates.ts';

const run = promisify(execFile);
const root = resolve(import.meta.dirname, '..');
const PAGES = ['/docs', '/docs/problems', '/docs/gateways', '/docs/operator', '/docs/report'];
/** Static files and pages of the built dashboard, which this test does not serve. */
const OF_THE_DASHBOARD = new Set(['/developer-zone', '/favicon.svg']);
const WIDTHS = [1280, 390, 320];
const { OPERATOR_SECRET } = SETTINGS;
const CLIENT_SECRET = 'a-client-secret-of-these-tests-alone';

type Sample = { language: string; code: string };

let server: Deployment;
let browser: Browser;
let upstream: Child;
let receiver: Child;
/** The environment for the examples: curl prints the status after the body. */
let environment: NodeJS.ProcessEnv;
/** The suite needs only Node and npm. Examples for a program that the machine lacks are skipped, with a message. */
const lacks = (command: string): boolean => {
  const isMissing = spawnSync(command, ['--version']).status !== 0;
  if (isMissing) console.warn(`SKIPPED: the examples of the documentation that need ${command}`);
  return isMissing;
};
const [lacksPython, lacksCurl] = [lacks('python3'), lacks('curl')];
const shells = ['bash', 'zsh'].filter((shell) => !lacks(shell));
const home = mkdtempSync(join(tmpdir(), 'developer-zone-'));

beforeAll(async () => {
  const example = join(root, 'docs/example-upstream/server.mjs');
  upstream = await startChild(process.execPath, [example], /http:\S+/, { env: { PORT: '0' } });
  const WEBHOOK_SECRET = `whsec_${btoa('a key of this test that has 32 b')}`;
  receiver = await startChild(
    process.execPath,
    [join(root, 'docs/example-receiver/server.mjs')],
    /http:\S+/,
    {
      env: { PORT: '0', WEBHOOK_SECRET },
    },
  );
  const addressOf = (child: Child) => /http:\S+/.exec(child.output())?.[0] ?? '';
  const settings = {
    INTROSPECTION_CLIENTS: JSON.stringify({ gateway: CLIENT_SECRET }),
    UPSTREAM_URL: addressOf(upstream),
    WEBHOOK_URL: `${addressOf(receiver)}/hook`,
    WEBHOOK_SECRET,
    REVOCATION_LEASE_MS: '50',
  };
  [server, browser] = await Promise.all([startDeployment(settings), openBrowser()]);
  writeFileSync(join(home, '.curlrc'), 'silent\nwrite-out = "\\n%{http_code}"\n');
  const { secret } = await server.givenToken();
  environment = {
    ...process.env,
    CURL_HOME: home,
    TOKEN: secret,
    OPERATOR_SECRET,
    CLIENT_ID: 'gateway',
    CLIENT_SECRET,
  };
});
afterAll(async () => {
  await upstream?.stop();
  await receiver?.stop();
  rmSync(home, { recursive: true });
  await browser?.close();
  await server?.stop();
});

const read = async (path: string): Promise<string> => (await fetch(server.origin + path)).text();

/** The icon is a static file of the dashboard. */
async function withIcon(page: Page): Promise<Page> {
  await page.route('**/favicon.svg', (route) => route.fulfill({ path: join(root, 'ui/public/favicon.svg') }));
  return page;
}

const openPage = async (options?: Parameters<Browser['newPage']>[0]) =>
  withIcon(await browser.newPage(options));

async function samplesOf(path: string): Promise<Sample[]> {
  const page = await openPage();
  await page.goto(server.origin + path);
  const samples = await page.$$eval('.sample pre', (found) =>
    found.map((pre) => ({
      language: pre.ariaLabel?.replace(' sample', '') ?? '',
      code: pre.textContent,
    })),
  );
  await page.close();
  return samples;
}

/** The fields of a value, without their contents. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map(shapeOf);
  if (typeof value !== 'object' || value === null) return '…';
  return Object.fromEntries(Object.entries(value).map(([key, held]) => [key, shapeOf(held)]));
}

function axeFaults(page: Page): Promise<string[]> {
  return page.evaluate(async () => {
    // The global that axe's source leaves behind.
    const { axe: inPage } = globalThis as unknown as { axe: typeof axe };
    const rules = { 'target-size': { enabled: true } };
    const { violations } = await inPage.run({ rules, resultTypes: ['violations'] });
    return violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id} ${target.join(' ')}`));
  });
}

/** Elements beyond the edge of the page, except samples and tables, which scroll. */
function overflow(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const { scrollWidth } = document.documentElement;
    const found = scrollWidth > innerWidth ? [`the page is ${scrollWidth} wide`] : [];
    for (const node of document.querySelectorAll(
      'a:not(.skip), h1, h2, h3, p, li, .sample, .table, textarea, input, button',
    )) {
      const { left, right, width } = node.getBoundingClientRect();
      const within = node.closest('.table') !== null && !node.matches('.table');
      if (width > 1 && !within && (left < -1 || right > innerWidth + 1)) {
        found.push(`${node.tagName} "${node.textContent.slice(0, 40)}" from ${left} to ${right}`);
      }
    }
    return found;
  });
}

describe('the documentation in a browser', () => {
  it.each([
    ['/docs', ['light', 'dark']],
    ['/docs/problems', ['light', 'dark']],
    ['/docs/gateways', ['light']],
    ['/docs/operator', ['dark']],
    ['/docs/report', ['light', 'dark']],
    ['/docs/reported', ['light']],
  ] as const)(
    '%s has no fault for axe and fits the window, wide and on a phone, in light and dark',
    async (path, looks) => {
      const context = await browser.newContext({ reducedMotion: 'reduce' });
      const page = await withIcon(await context.newPage());
      const complaints: string[] = [];
      page.on('pageerror', (error) => complaints.push(error.message));
      page.on('console', (message) => complaints.push(message.text()));
      page.on('request', (request) => {
        if (new URL(request.url()).origin !== server.origin) complaints.push(`asked ${request.url()}`);
      });
      await page.goto(server.origin + path);
      await page.evaluate(axe.source);
      for (const width of WIDTHS) {
        await page.setViewportSize({ width, height: 640 });
        for (const colorScheme of looks) {
          await page.emulateMedia({ colorScheme });
          expect.soft(await axeFaults(page), `${colorScheme}, ${width} wide`).toEqual([]);
        }
        expect.soft(await overflow(page), `${width} wide`).toEqual([]);
      }
      await context.close();
      expect(complaints).toEqual([]);
    },
  );

  it('closes its table of contents on a phone, so that the text begins on the first screen', async () => {
    const page = await openPage({ viewport: { width: 390, height: 664 } });
    await page.goto(`${server.origin}/docs/problems`);
    const entry = page.getByRole('link', { name: 'Stale version' });
    expect(await entry.isVisible()).toBe(false);
    const heading = page.getByRole('heading', { name: 'Authentication required' });
    expect((await heading.boundingBox())?.y).toBeLessThan(600);
    await page.getByText('On this page').click();
    await entry.click();
    expect(page.url()).toContain('#stale-version');
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.goto(`${server.origin}/docs/problems`);
    expect(await entry.isVisible()).toBe(true);
    await page.close();
  });

  it('copies a sample as it is', async () => {
    const context = await browser.newContext({ permissions: ['clipboard-read', 'clipboard-write'] });
    const page = await withIcon(await context.newPage());
    await page.goto(`${server.origin}/docs`);
    const sample = page.locator('.sample').nth(1);
    await sample.getByRole('button', { name: 'Copy' }).click();
    await sample.getByText('Copied').waitFor();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    expect(copied).toBe(await sample.locator('code').textContent());
    await context.close();
  });
});

describe('the form for leaked tokens', () => {
  it('pauses a token without JavaScript, by keyboard alone, and the Back button shows nothing of it', async () => {
    const { secret, path } = await server.givenToken();
    const context = await browser.newContext({
      javaScriptEnabled: false,
      viewport: { width: 390, height: 664 },
    });
    const page = await withIcon(await context.newPage());
    await page.goto(`${server.origin}/docs/report`);
    await page.getByRole('textbox', { name: 'Tokens' }).focus();
    await page.keyboard.insertText(`${secret}\nsomething else`);
    await page.keyboard.press('Tab');
    await page.keyboard.insertText('https://paste.example/1');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Thank you' }).waitFor();
    expect(page.url()).toBe(`${server.origin}/docs/reported`);
    expect(await page.content()).not.toContain(secret);
    const refused = async () =>
      (await fetch(`${server.origin}/v1/ping`, { headers: { authorization: `Bearer ${secret}` } })).status;
    await expect.poll(refused).toBe(401);
    const shown = await server.write('PATCH', path, { name: 'Leaked' });
    expect(shown).toMatchObject({
      token: { active: false, exposed: { by: 'report', where: 'https://paste.example/1', paused: true } },
    });
    await page.goBack();
    expect(await page.getByRole('textbox', { name: 'Tokens' }).inputValue()).toBe('');
    await context.close();
  });

  it('says on a page what is wrong, and the browser asks for what is missing', async () => {
    const page = await openPage();
    await page.goto(`${server.origin}/docs/report`);
    const field = page.getByRole('textbox', { name: 'Tokens' });
    await page.getByRole('button', { name: 'Report' }).click();
    expect(await field.evaluate((node: HTMLTextAreaElement) => node.validity.valueMissing)).toBe(true);
    await field.fill('a\n'.repeat(101));
    await page.getByRole('button', { name: 'Report' }).click();
    await page.getByText('Enter 1 to 100 tokens, one on each line').waitFor();
    await page.goBack();
    const seen = page.getByRole('textbox', { name: /^Address of the page/ });
    const isRefused = () => seen.evaluate((node: HTMLInputElement) => node.validity.patternMismatch);
    await seen.fill('ftp://files.example/list');
    expect(await isRefused()).toBe(true);
    await seen.fill('HTTPS://paste.example/1');
    expect(await isRefused()).toBe(false);
    await page.close();
  });
});

describe('the links of the documentation', () => {
  it('lead from the type of every problem to its place', async () => {
    const page = await read('/docs/problems');
    for (const slug of Object.keys(PROBLEMS)) expect(page).toContain(`id="${slug}"`);
  });

  it('all lead somewhere', async () => {
    const pages = new Map<string, string>();
    const dead: string[] = [];
    for (const path of PAGES) pages.set(path, await read(path));
    for (const path of PAGES) {
      const text = pages.get(path) ?? '';
      for (const [, href = ''] of text.matchAll(/href="([^"]+)"/g)) {
        const { origin, pathname, hash } = new URL(href, server.origin + path);
        if (origin !== server.origin || OF_THE_DASHBOARD.has(pathname)) continue;
        if (!pages.has(pathname)) {
          const answer = await fetch(origin + pathname);
          pages.set(pathname, answer.ok ? await answer.text() : '');
        }
        const target = pages.get(pathname) ?? '';
        const found = hash === '' ? target !== '' : target.includes(`id="${hash.slice(1)}"`);
        if (!found) dead.push(`${path}: ${href}`);
      }
    }
    expect(dead).toEqual([]);
  });

  it('are in llms.txt, and each page has the same text in Markdown', async () => {
    const index = await read('/llms.txt');
    for (const path of PAGES) {
      expect(index).toContain(`(${server.origin}${path}.md)`);
      const twin = await read(`${path}.md`);
      for (const { code } of await samplesOf(path)) expect(twin).toContain(`\n${code}\n`);
      for (const [, heading = ''] of (await read(path)).matchAll(/<h[23][^>]*>([^<]+)</g)) {
        expect(twin).toContain(`# ${heading}\n`);
      }
    }
  });
});

describe('the examples of the documentation', () => {
  const codeIn = async (language: string) =>
    (await samplesOf('/docs')).find((sample) => sample.language === language)?.code ?? '';

  it('in JavaScript prints the status and the answer', async () => {
    const code = await codeIn('JavaScript');
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', code], { env: environment });
    expect(stdout).toMatch(/^200 \{\s*status: 'ok'/);
  });

  it.skipIf(lacksPython)('in Python prints the status and the answer', async () => {
    const { stdout } = await run('python3', ['-c', await codeIn('Python')], { env: environment });
    expect(stdout).toMatch(/^200 \{'status': 'ok'/);
  });

  it
    .skipIf(lacksCurl)
    .each(
      ['/docs', '/docs/gateways', '/docs/operator'].flatMap((path) =>
        ['sh', ...shells].map((shell) => ({ path, shell })),
      ),
    )(
    '$path: every curl call, as pasted into $shell, is answered as the page says',
    async ({ path, shell }) => {
      const samples = await samplesOf(path);
      const calls = samples.flatMap((sample, at) =>
        sample.language === 'curl' ? [{ code: sample.code, next: samples[at + 1] }] : [],
      );
      expect(calls.length).toBeGreaterThan(2);
      for (const { code, next } of calls) {
        if (path === '/docs/operator') await givenOrganisation();
        const { stdout } = await run(shell, ['-c', code], { env: environment });
        const lines = stdout.split('\n');
        expect(lines.pop(), `${code}\n${stdout}`).toBe('200');
        const answered: unknown = next?.language === 'json' ? JSON.parse(lines.join('\n')) : null;
        const documented: unknown = next?.language === 'json' ? JSON.parse(next.code) : null;
        expect({ code, answer: shapeOf(answered) }).toEqual({ code, answer: shapeOf(documented) });
      }
    },
  );

  it.each([
    ['Caddyfile', 'docs/gateways/Caddyfile'],
    ['nginx', 'docs/gateways/nginx.conf'],
  ])('the %s sample is the file that the tests run with a real gateway', async (language, file) => {
    const samples = await samplesOf('/docs/gateways');
    const lines = (text: string) =>
      text
        .split('\n')
        .map((line) => line.trim())
        .filter((line) => line !== '' && !line.startsWith('#'));
    const shown = samples.find((sample) => sample.language === language)?.code ?? '';
    expect(lines(shown)).toEqual(lines(readFileSync(join(root, file), 'utf8')));
  });
});

/** Restores the organisation that the examples expect, because an example may have changed it. */
async function givenOrganisation(): Promise<void> {
  await server.write('PUT', '/operator/organisations/acme', { name: 'Acme Events', plan: 'enterprise' });
  await server.write('PUT', '/operator/organisations/acme/members/owner@example.com');
  const db = await server.miniflare.getD1Database('DB', ZONE);
  // Each time with a secret of its own, because the secret of a deleted token is never one again.
  const hash = randomBytes(32).toString('hex');
  await db
    .prepare(
      `INSERT INTO tokens (id, organisation_id, hash, preview, name, created_by, created_at)
      SELECT ?1, 'acme', ?2, ?3, 'Website', ?4, ?5 WHERE NOT EXISTS (SELECT 1 FROM tokens WHERE id = ?1)`,
    )
    .bind(TOKEN.id, hash, TOKEN.preview, TOKEN.createdBy, TOKEN.createdAt)
    .run();
}
