// Attacks that the browser must stop: injected scripts, frames, and other websites that write or read in
// a member's name. A real Chromium with normal web security. The evil server is reached as another site
// (127.0.0.1) and as the same site (localhost, another port), to which SameSite cookies are still sent.
import { createServer } from 'node:http';
import type { Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openBrowser, signedInState } from './browser.ts';
import { startDeployment, type Deployment } from './deployment.ts';
import { withBoot } from './fixtures.ts';
import { startServer, type Server } from './server.ts';

let zone: Server;
/** A deployment whose CORS_ORIGINS names the evil site. */
let open: Deployment;
let evil: HttpServer;
let port: number;
let browser: Browser;
let owner: Awaited<ReturnType<typeof signedInState>>;
let context: BrowserContext;
let page: Page;
/** The pages of the evil server, by path. */
const pages = new Map<string, string>();

beforeAll(async () => {
  evil = createServer((request, reply) => {
    reply.setHeader('content-type', 'text/html; charset=utf-8');
    reply.end(pages.get(request.url ?? '') ?? '<!doctype html><title>evil</title>');
  });
  await new Promise<void>((done) => {
    evil.listen(0, done);
  });
  // Listening on a port, so the address is one.
  ({ port } = evil.address() as AddressInfo);
  [zone, open, browser] = await Promise.all([
    startServer(),
    startDeployment({ CORS_ORIGINS: `http://127.0.0.1:${port}` }),
    openBrowser(),
  ]);
  owner = await signedInState(browser, zone.origin);
});
afterAll(async () => {
  await browser?.close();
  evil?.close();
  await Promise.all([zone?.stop(), open?.stop()]);
});
beforeEach(async () => {
  context = await browser.newContext({ storageState: owner });
  context.setDefaultTimeout(10_000);
  page = await context.newPage();
});
afterEach(() => context.close());

const SITES = { 'another site': '127.0.0.1', 'a sibling on the same site': 'localhost' };
const evilAt = (host: string, path = '/'): string => `http://${host}:${port}${path}`;

/** The data of the owner that the evil site must not change. */
async function stateOfAll(): Promise<string> {
  const cookie = owner.cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
  const paths = ['organisations/acme/tokens', 'sessions', 'session'];
  const answers = await Promise.all(
    paths.map(async (path) => fetch(`${zone.origin}/api/${path}`, { headers: { cookie } })),
  );
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  const texts = await Promise.all(answers.map((answer) => answer.text()));
  return texts.join('\n').replaceAll(/"seenAt":"[^"]*"/g, '');
}

/** Opens the page with the Worker's own headers and with injected HTML in its body. */
async function visitWith(injected: string): Promise<string[]> {
  const refused: string[] = [];
  page.on('console', (message) => {
    if (/Content Security Policy|Trusted/i.test(message.text())) refused.push(message.text());
  });
  await page.route(`${zone.origin}/developer-zone*`, async (route) => {
    const answer = await route.fetch();
    const body = (await answer.text()).replace('</body>', `${injected}</body>`);
    await route.fulfill({ response: answer, body });
  });
  await page.goto(`${zone.origin}/developer-zone?organisation=acme`);
  await page.getByRole('heading', { level: 1 }).waitFor();
  return refused;
}

const isPwned = (): Promise<unknown> => page.evaluate(() => Reflect.get(window, 'pwned'));

describe('the policy of a page', () => {
  it('refuses injected scripts, handlers, frames, objects and styles', async () => {
    pages.set('/pwn.js', 'window.pwned = 1');
    const injected = {
      'script-src': '<script>window.pwned = 1</script>',
      'pwn.js': `<script src="${evilAt('127.0.0.1', '/pwn.js')}"></script>`,
      'inline event handler':
        '<img src="x:" onerror="window.pwned = 1"><svg onload="window.pwned = 1"></svg>',
      'seen.png': `<img src="${evilAt('127.0.0.1', '/seen.png')}">`,
      'data:text/html': '<iframe src="data:text/html,x"></iframe>',
      'object-src|default-src': '<object data="data:text/html,<script>parent.pwned=1</script>"></object>',
      'style-src': '<style>body { display: none }</style>',
    };
    const refused = await visitWith(
      `${Object.values(injected).join('')}<iframe srcdoc="<script>parent.pwned = 1</script>"></iframe>`,
    );
    await page.evaluate(
      (url) => fetch(url, { mode: 'no-cors' }).catch(() => {}),
      evilAt('127.0.0.1', '/sent'),
    );
    for (const word of [...Object.keys(injected), 'sent.*connect-src']) {
      await expect
        .poll(() => refused.some((text) => new RegExp(word).test(text)), { message: word })
        .toBe(true);
    }
    expect(await isPwned()).toBeUndefined();
    expect(await page.evaluate(() => getComputedStyle(document.body).display)).not.toBe('none');
  });

  it('runs no text as code: every way to make a script, HTML or a handler from a string throws or does nothing', async () => {
    await visitWith('');
    const attempts = await page.evaluate(() => {
      const bad = '<img src="x:" onerror="window.pwned = 1">';
      const script = document.createElement('script');
      const ways: Record<string, () => unknown> = {
        innerHTML: () => (document.body.innerHTML = bad),
        outerHTML: () => (document.body.outerHTML = bad),
        insertAdjacentHTML: () => document.body.insertAdjacentHTML('beforeend', bad),
        write: () => document.write(bad),
        createContextualFragment: () => document.createRange().createContextualFragment(bad),
        parseFromString: () => new DOMParser().parseFromString(bad, 'text/html'),
        srcdoc: () => (document.createElement('iframe').srcdoc = bad),
        'script.src': () => (script.src = 'data:text/javascript,window.pwned=1'),
        'script.text': () => (script.text = 'window.pwned = 1'),
        'a policy of its own': () =>
          (
            window as unknown as { trustedTypes: { createPolicy(name: string, rules: object): void } }
          ).trustedTypes.createPolicy('mine', { createHTML: (text: string) => text }),
      };
      const allowed = Object.entries(ways).filter(([, way]) => {
        try {
          way();
          return true;
        } catch {
          return false;
        }
      });
      // A text node makes a script without a Trusted Types sink: the policy stops it when it would run.
      script.append(document.createTextNode('window.pwned = 1'));
      document.head.append(script);
      const link = document.createElement('a');
      link.href = 'javascript:window.pwned = 1';
      document.body.append(link);
      link.click();
      return allowed.map(([name]) => name);
    });
    expect(attempts).toEqual([]);
    expect(await isPwned()).toBeUndefined();
  });

  it('lets no injected form or base send data elsewhere', async () => {
    const form = `<form action="${evilAt('127.0.0.1', '/taken')}" method="post"><button id="go">x</button></form>`;
    const refused = await visitWith(`<base href="${evilAt('127.0.0.1')}">${form}`);
    expect(await page.evaluate(() => document.baseURI)).toContain(zone.origin);
    await page.evaluate(() => document.querySelector<HTMLButtonElement>('#go')?.click());
    await expect.poll(() => refused.some((text) => text.includes('form-action'))).toBe(true);
    expect(page.url()).toContain(zone.origin);
  });

  it.each(Object.entries(SITES))('lets %s frame no page', async (_, host) => {
    pages.set(
      '/frames',
      ['/developer-zone?organisation=acme', '/sign-in', '/activity', '/docs']
        .map((path) => `<iframe src="${zone.origin}${path}"></iframe>`)
        .join(''),
    );
    await page.goto(evilAt(host, '/frames'), { waitUntil: 'load' });
    const frames = page.frames().filter((frame) => frame !== page.mainFrame());
    expect(frames).toHaveLength(4);
    // A frame that was refused shows the browser's own error page.
    expect(frames.map((frame) => frame.url())).toEqual(
      Array<string>(4).fill('chrome-error://chromewebdata/'),
    );
  });
});

describe('the cookies', () => {
  it('are for this host and for HTTP only, and no script sees them', async () => {
    await page.goto(zone.origin);
    const kept = await context.cookies();
    const session = kept.find(({ name }) => name === 'local-session');
    expect(session).toMatchObject({
      httpOnly: true,
      // Local mode is http; what a deployment sends is shown in worker/sign-in/sign-in.test.ts.
      secure: false,
      sameSite: 'Lax',
      path: '/',
      domain: 'localhost',
    });
    for (const cookie of kept.filter(({ name }) => name.startsWith('local-'))) {
      expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Lax' });
    }
    expect(await page.evaluate(() => document.cookie)).not.toContain(session?.value);
    expect(await page.evaluate(() => document.cookie)).not.toContain('local-');
  });
});

describe('a write from elsewhere', () => {
  const targets = ['/api/organisations/acme/tokens', '/api/sign-out', '/api/sessions/sign-out-everywhere'];

  it.each(Object.entries(SITES))('changes nothing: forms of every type, from %s', async (_, host) => {
    const before = await stateOfAll();
    const types = ['application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain'];
    const statuses: number[] = [];
    page.on('response', (answer) => {
      if (answer.url().startsWith(`${zone.origin}/api/`)) statuses.push(answer.status());
    });
    for (const type of types) {
      pages.set(
        '/form',
        targets
          .map(
            (path, index) =>
              `<iframe name="f${index}"></iframe><form target="f${index}" action="${zone.origin}${path}" method="post" enctype="${type}"><input name='{"name":"pwned","a":"' value='"}'></form>`,
          )
          .join('') + '<script>for (const form of document.forms) form.submit()</script>',
      );
      await page.goto(evilAt(host, '/form'));
      await expect.poll(() => statuses.length).toBe(3);
      expect(statuses.splice(0)).toEqual([403, 403, 403]);
    }
    // A top-level navigation, with which a browser would send a Lax cookie for a link.
    pages.set(
      '/top',
      `<form action="${zone.origin}${targets[1]}" method="post"></form><script>document.forms[0].submit()</script>`,
    );
    await page.goto(evilAt(host, '/top'));
    await expect.poll(() => statuses.length).toBe(1);
    expect(statuses).toEqual([403]);
    expect(await stateOfAll()).toBe(before);
  });

  it.each(Object.entries(SITES))('changes nothing: fetch in every mode, from %s', async (_, host) => {
    const before = await stateOfAll();
    const printed = zone.output().length;
    await page.goto(evilAt(host));
    const outcomes = await page.evaluate(
      async ([origin, paths]) => {
        const body = '{"name":"pwned"}';
        const modes: RequestInit[] = [
          { mode: 'no-cors', method: 'POST', body },
          { mode: 'no-cors', method: 'POST', body: new Blob([body], { type: 'text/plain' }) },
          { mode: 'no-cors', method: 'POST', body: new URLSearchParams({ name: 'pwned' }) },
          { mode: 'no-cors', method: 'POST' },
          { method: 'POST', body, headers: { 'content-type': 'application/json' } },
          { method: 'POST', body, headers: { 'content-type': 'text/plain' } },
          { method: 'PUT', body },
          { method: 'DELETE' },
        ];
        const said: string[] = [];
        for (const path of paths) {
          for (const mode of modes) {
            const outcome = await fetch(origin + path, { ...mode, credentials: 'include' }).then(
              (answer) => answer.type,
              () => 'refused',
            );
            said.push(outcome);
          }
          navigator.sendBeacon(origin + path, body);
        }
        return said;
      },
      [zone.origin, targets] as const,
    );
    // The page sees no answer, although some were sent.
    expect(new Set(outcomes)).toEqual(new Set(['refused']));
    await expect.poll(() => zone.output().slice(printed)).toMatch(/cross-site-request/);
    expect(await stateOfAll()).toBe(before);
  });

  it('changes nothing: a sandboxed frame, whose origin is null', async () => {
    const before = await stateOfAll();
    const statuses: number[] = [];
    page.on('response', (answer) => {
      if (answer.url().startsWith(`${zone.origin}/api/`)) statuses.push(answer.status());
    });
    const form = `<form action='${zone.origin}${targets[0]}' method='post' enctype='text/plain'></form><script>document.forms[0].submit()</script>`;
    pages.set('/sandbox', `<iframe sandbox="allow-scripts allow-forms" srcdoc="${form}"></iframe>`);
    await page.goto(evilAt('localhost', '/sandbox'));
    await expect.poll(() => statuses.length).toBe(1);
    expect(statuses).toEqual([403]);
    expect(await stateOfAll()).toBe(before);
  });

  it.each(Object.entries(SITES))(
    'reads nothing either: pages, lists and exports, from %s',
    async (_, host) => {
      await page.goto(evilAt(host));
      const read = await page.evaluate(async (origin) => {
        const paths = [
          '/api/session',
          '/api/organisations/acme/tokens',
          '/api/organisations/acme/activity.csv',
          '/developer-zone?organisation=acme',
        ];
        const texts = [];
        for (const path of paths) {
          for (const mode of ['cors', 'no-cors'] as const) {
            texts.push(
              await fetch(origin + path, { mode, credentials: 'include' })
                .then((answer) => answer.text())
                .catch(() => ''),
            );
          }
        }
        return texts.join('');
      }, zone.origin);
      expect(read).toBe('');
    },
  );
});

describe('another website that sends a signed-in browser to an address', () => {
  /** The member's own record, newest first. */
  async function record(): Promise<{ action: string; detail: string | null }[]> {
    const cookie = owner.cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
    const answer = await fetch(`${zone.origin}/api/organisations/acme/activity`, { headers: { cookie } });
    expect(answer.status).toBe(200);
    // The contract's answer.
    return ((await answer.json()) as { events: { action: string; detail: string | null }[] }).events;
  }

  it.each(Object.entries(SITES))(
    'makes a signed-in browser read nothing under /api, and leaves no record: from %s',
    async (name, host) => {
      const text = `text-of-${name.length}`;
      const paths = ['tokens', 'activity', 'activity.csv', 'activity.jsonl', 'usage'].map(
        (part) => `/api/organisations/${text}/${part}`,
      );
      const before = await record();
      const statuses: number[] = [];
      context.on('response', (answer) => {
        if (answer.url().startsWith(`${zone.origin}/api/`)) statuses.push(answer.status());
      });
      const urls = paths.map((path) => zone.origin + path);
      // window.open for each address: the browser sends Lax cookies with it from every site.
      pages.set('/open', `<script>for (const url of ${JSON.stringify(urls)}) window.open(url)</script>`);
      await page.goto(evilAt(host, '/open'));
      await expect.poll(() => statuses.length).toBe(paths.length);
      // A form that asks, a frame, an image, and every kind of fetch.
      pages.set(
        '/embed',
        urls
          .map(
            (url, index) =>
              `<form target="f${index}" action="${url}"></form><iframe name="f${index}"></iframe><iframe src="${url}"></iframe><img src="${url}">`,
          )
          .join('') + '<script>for (const form of document.forms) form.submit()</script>',
      );
      await page.goto(evilAt(host, '/embed'));
      // All answers have come. The browser reports no answer to an image.
      await expect.poll(() => statuses.length).toBe(paths.length * 3);
      await page.evaluate(async (all) => {
        for (const url of all) {
          for (const mode of ['cors', 'no-cors'] as const)
            await fetch(url, { mode, credentials: 'include' }).catch(() => {});
        }
      }, urls);
      expect(new Set(statuses)).toEqual(new Set([403]));
      // Other sites may link to a page. Such a visit is not recorded either.
      await page.goto(evilAt(host));
      const link = `${zone.origin}/developer-zone?organisation=${text}`;
      await page.evaluate((href) => location.assign(href), link);
      await page.waitForURL(link);
      await page.getByRole('heading', { level: 1 }).waitFor();
      expect(await record()).toEqual(before);
    },
  );

  it('leaves an export to a person who opens its address', async () => {
    const download = page.waitForEvent('download');
    await page.goto(`${zone.origin}/api/organisations/acme/activity.csv`).catch(() => {});
    expect((await download).suggestedFilename()).toBe('activity.csv');
  });
});

describe('a website with a token', () => {
  const call = (origin: string, secret: string) =>
    page.evaluate(
      async ([url, token]) => {
        const headers = { authorization: `Bearer ${token}` };
        return fetch(`${url}/v1/ping`, { headers }).then(
          async (answer) =>
            `${answer.status} ${answer.headers.get('x-request-id') === null ? 'without id' : 'with id'}`,
          () => 'refused',
        );
      },
      [origin, secret] as const,
    );

  it('may call and read refusals when the deployment names it, and no other website may', async () => {
    const { secret } = await open.givenToken();
    await page.goto(evilAt('127.0.0.1'));
    expect(await call(open.origin, secret)).toBe('200 with id');
    expect(await call(open.origin, 'x')).toBe('401 with id');
    await page.goto(evilAt('localhost'));
    expect(await call(open.origin, secret)).toBe('refused');
    pages.set('/null', '<iframe sandbox="allow-scripts" srcdoc="<p>null</p>"></iframe>');
    await page.goto(evilAt('127.0.0.1', '/null'));
    const [, sandboxed] = page.frames();
    const inSandbox = await sandboxed?.evaluate(
      async ([url, token]) =>
        fetch(`${url}/v1/ping`, { headers: { 'x-api-key': token } }).then(
          (answer) => String(answer.status),
          () => 'refused',
        ),
      [open.origin, secret] as const,
    );
    expect(inSandbox).toBe('refused');
  });

  it('may not call when the deployment names no website', async () => {
    await page.goto(evilAt('127.0.0.1'));
    expect(await call(zone.origin, 'x')).toBe('refused');
  });
});

describe('a text with HTML and scripts', () => {
  const BAD = `"><img src=x: onerror=window.pwned=1><script>window.pwned=1</script>{{7*7}}\${7*7}`;

  it('stays text in names of organisations and tokens, in addresses, and in the address bar', async () => {
    // The browser holds another member's session; a real answer would make the page load again.
    const answers = `${zone.origin}/api/**`;
    await page.route(answers, (route) => route.abort());
    await withBoot(page, {
      product: { name: BAD, contactUrl: 'https://example.com' },
      session: {
        member: { email: `${BAD}@example.com` },
        organisations: [{ id: 'acme', name: BAD, plan: 'enterprise', pausedAt: null }],
      },
      tokens: {
        organisation: 'acme',
        limit: 10,
        tokens: [
          {
            id: 'a',
            preview: '<b>12',
            name: BAD,
            active: true,
            createdBy: BAD,
            createdAt: new Date().toISOString(),
            lastUsedAt: null,
            retiring: null,
            retired: [],
            exposed: null,
          },
        ],
      },
    });
    await page.goto(
      `${zone.origin}/developer-zone?organisation=acme&${encodeURIComponent(BAD)}=${encodeURIComponent(BAD)}`,
    );
    await page.getByRole('switch').waitFor();
    const text = await page.evaluate(() => document.body.innerText);
    expect(text).toContain('<script>window.pwned=1</script>');
    expect(text).toContain('<b>12***');
    expect(await page.evaluate(() => document.querySelectorAll('[onerror]').length)).toBe(0);
    expect(await isPwned()).toBeUndefined();
    await page.unroute(answers);
  });

  it.each([
    `/sign-in?error=${encodeURIComponent(BAD)}`,
    `/sign-in?return_to=${encodeURIComponent('javascript:window.pwned=1')}`,
    `/sign-in#code=${encodeURIComponent(BAD)}`,
    `/developer-zone?organisation=${encodeURIComponent(BAD)}`,
    `/activity?organisation=${encodeURIComponent(BAD)}`,
    `/docs?${encodeURIComponent(BAD)}`,
    `/${encodeURIComponent(BAD)}`,
    `/v1/${encodeURIComponent(BAD)}`,
  ])('does nothing at %s', async (path) => {
    if (path.startsWith('/sign-in')) await context.clearCookies();
    await page.goto(zone.origin + path);
    expect(await isPwned()).toBeUndefined();
    expect(await page.evaluate(() => document.querySelectorAll('[onerror]').length)).toBe(0);
  });

  it.each(['constructor', '__proto__', 'toString', 'hasOwnProperty', 'no such error'])(
    'in the address of the sign-in page is shown as a failed sign-in: the error "%s"',
    async (name) => {
      await context.clearCookies();
      await page.goto(`${zone.origin}/sign-in?error=${encodeURIComponent(name)}`);
      const alert = page.getByRole('alert').filter({ hasText: /./ });
      await alert.first().waitFor();
      expect(await alert.allInnerTexts()).toEqual(['Signing in did not work. Try again.']);
    },
  );
});

describe('the secret', () => {
  /** Creates a token and leaves the dialog with its secret open. */
  async function createToken() {
    await page.goto(`${zone.origin}/developer-zone?organisation=acme`);
    await page.getByRole('button', { name: 'Create Token', exact: true }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Create Token' }).click();
    const field = page.getByRole('dialog').getByLabel('API token', { exact: true });
    const secret = await field.inputValue();
    expect(secret).toMatch(/^9p/);
    return { field, secret };
  }

  it('is removed before the browser freezes a page that the member leaves, because the browser may restore it', async () => {
    const { secret } = await createToken();
    const frozen = await page.evaluate(() => {
      const area = document.querySelector<HTMLTextAreaElement>('dialog textarea');
      dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }));
      return area?.value;
    });
    expect(frozen).toBe('');
    await expect.poll(() => page.evaluate(() => document.documentElement.outerHTML)).not.toContain(secret);
  });

  it('is removed when the member leaves the page with the dialog open, and the Back button does not bring it back', async () => {
    const { field, secret } = await createToken();
    expect(await field.getAttribute('autocomplete')).toBe('off');
    page.on('dialog', (dialog) => void dialog.accept());
    await page.goto(`${zone.origin}/docs`);
    await page.goBack();
    await page.getByRole('switch').first().waitFor();
    const traces = await page.evaluate(() =>
      JSON.stringify([
        document.documentElement.outerHTML,
        [...document.querySelectorAll('input')].map(({ value }) => value),
        Object.entries(localStorage),
        Object.entries(sessionStorage),
        history.state,
        location.href,
      ]),
    );
    expect(traces).not.toContain(secret);
    expect(JSON.stringify(await context.storageState({ indexedDB: true }))).not.toContain(secret);
  });
});
