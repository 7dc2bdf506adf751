// Single sign-on in a real browser, with the real `npm run dev` and a certified provider on loopback.
// worker/sign-in/oidc.test.ts tests false ID tokens and false answers of an issuer.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Provider } from 'oidc-provider';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBrowser } from './browser.ts';
import { freePort, startServer } from './server.ts';
import type { Server } from './server.ts';

const CLIENT_SECRET = 'a client secret of this test alone';
/** The provider's accounts, by the login name. */
const ACCOUNTS: Record<string, { email: string; email_verified: boolean }> = {
  owner: { email: 'owner@example.com', email_verified: true },
  unverified: { email: 'member@example.com', email_verified: false },
  outsider: { email: 'outsider@elsewhere.example', email_verified: true },
  impostor: { email: 'owner@example.com', email_verified: true },
};

let server: Server;
let browser: Browser;
let issuer: HttpServer;

beforeAll(async () => {
  const port = await freePort();
  issuer = createServer();
  issuer.listen(0, '127.0.0.1');
  await once(issuer, 'listening');
  // Listening on a port, so the address is one.
  const url = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}`;
  const provider = new Provider(url, {
    clients: [
      {
        client_id: 'zone',
        client_secret: CLIENT_SECRET,
        redirect_uris: [`http://localhost:${port}/api/sign-in/oidc/callback`],
      },
    ],
    claims: { openid: ['sub'], email: ['email', 'email_verified'] },
    findAccount: (_: unknown, id: string) => ({
      accountId: id,
      claims: () => ({ sub: id, ...ACCOUNTS[id] }),
    }),
  });
  issuer.on('request', provider.callback());
  const settings = {
    OIDC_ISSUER: url,
    OIDC_CLIENT_ID: 'zone',
    OIDC_CLIENT_SECRET: CLIENT_SECRET,
    OIDC_NAME: 'Example SSO',
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['--var', `${name}:${value}`]);
  [server, browser] = await Promise.all([startServer({ port, flags }), openBrowser()]);
});
afterAll(async () => {
  await browser?.close();
  await server?.stop();
  issuer?.closeAllConnections();
  issuer?.close();
});

/** Runs in a browser without cookies. */
async function inBrowser(visit: (page: Page) => Promise<void>): Promise<void> {
  const context = await browser.newContext();
  context.setDefaultTimeout(15_000);
  try {
    await visit(await context.newPage());
  } finally {
    await context.close();
  }
}

/** Signs in at the provider: types the name, then agrees. */
async function signInAtProvider(page: Page, account: string): Promise<void> {
  await page.locator('input[name=login]').fill(account);
  await page.locator('input[name=password]').fill('any');
  await page.locator('button[type=submit]').click();
  await page.locator('button[type=submit]', { hasText: 'Continue' }).click();
}

/** Where an address redirects to, for this page's browser. */
async function nextOf(page: Page, address: string): Promise<string> {
  const answer = await page.request.get(address, { maxRedirects: 0 });
  expect([302, 303]).toContain(answer.status());
  return answer.headers()['location'] ?? '';
}

async function complaintOf(page: Page): Promise<string> {
  await page.waitForURL(/\/sign-in\?error=/);
  return (await page.getByRole('alert').first().textContent()) ?? '';
}

describe('single sign-on', () => {
  it('leads from the sign-in page to the dashboard, and its callback works once', () =>
    inBrowser(async (page) => {
      await page.goto(`${server.origin}/sign-in`);
      const callback = page.waitForRequest((request) => request.url().includes('/oidc/callback'));
      await page.getByRole('link', { name: 'Continue with Example SSO' }).click();
      await signInAtProvider(page, 'owner');
      await page.waitForURL('**/developer-zone*');
      const session = await page.request.get(`${server.origin}/api/session`);
      expect(await session.json()).toMatchObject({ member: { email: 'owner@example.com' } });

      const replayed = await page.request.get((await callback).url(), { maxRedirects: 0 });
      expect(replayed.headers()['location']).toBe(`${server.origin}/sign-in?error=sign-in-expired`);
    }));

  it('refuses a person whose address is not verified', () =>
    inBrowser(async (page) => {
      await page.goto(`${server.origin}/api/sign-in/oidc`);
      await signInAtProvider(page, 'unverified');
      expect(await complaintOf(page)).toContain('has not verified');
    }));

  it('does not add a person as a member because the provider knows them', () =>
    inBrowser(async (page) => {
      await page.goto(`${server.origin}/api/sign-in/oidc`);
      await signInAtProvider(page, 'outsider');
      expect(await complaintOf(page)).toContain('belongs to no organisation');
    }));

  it('refuses another account of the provider with the same address', () =>
    inBrowser(async (page) => {
      await page.goto(`${server.origin}/api/sign-in/oidc`);
      await signInAtProvider(page, 'impostor');
      expect(await complaintOf(page)).toContain('did not work');
    }));

  it('refuses an answer with another nonce than that of the request', () =>
    inBrowser(async (page) => {
      const answer = await page.request.get(`${server.origin}/api/sign-in/oidc`, { maxRedirects: 0 });
      const asked = new URL(answer.headers()['location'] ?? '');
      asked.searchParams.set('nonce', 'another');
      await page.goto(asked.href);
      await signInAtProvider(page, 'owner');
      expect(await complaintOf(page)).toContain('did not work');
    }));

  it('refuses the callback of another issuer, and accepts that of the right one', () =>
    inBrowser(async (page) => {
      await page.goto(`${server.origin}/api/sign-in/oidc`);
      await signInAtProvider(page, 'owner');
      await page.waitForURL('**/developer-zone*');
      for (const iss of ['https://issuer.example', null]) {
        // The provider has a session of this browser and asks nothing.
        const callback = new URL(await nextOf(page, await nextOf(page, `${server.origin}/api/sign-in/oidc`)));
        expect(callback.searchParams.get('iss')).not.toBeNull();
        if (iss !== null) callback.searchParams.set('iss', iss);
        expect(await nextOf(page, callback.href)).toBe(
          server.origin + (iss === null ? '/developer-zone' : '/sign-in?error=sign-in-failed'),
        );
      }
    }));
});
