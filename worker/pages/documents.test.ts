import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { PATHS } from '../../docs/openapi/document.ts';
import { READS } from '../api/routes.ts';
import { operator } from '../operator/routes.ts';
import { PROBLEMS } from '../http/problem.ts';
import { ORIGIN, call, callAt } from '../test/harness.ts';

describe('the OpenAPI document', () => {
  it('names this deployment, and may be read from any website', async () => {
    const answer = await call('/openapi.json', { headers: { origin: 'https://site.example' } });
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    expect(await answer.json()).toMatchObject({
      openapi: '3.1.0',
      info: { title: '9Pic API' },
      servers: [{ url: ORIGIN }],
    });
  });

  it('names each deployment by its own origin and product name, and marks each with its own tag', async () => {
    const read = async (origin: string, PRODUCT_NAME: string) => {
      const named = { ...env, ORIGINS: '', PRODUCT_NAME } as unknown as typeof env;
      const answer = await callAt(named, `${origin}/openapi.json`);
      // The document's own shape.
      const { info, servers } = (await answer.json()) as { info: { title: string }; servers: unknown };
      return { etag: answer.headers.get('etag'), title: info.title, servers };
    };
    const [first, again, other, renamed] = [
      await read('https://one.example', 'One'),
      await read('https://one.example', 'One'),
      await read('https://two.example', 'One'),
      await read('https://one.example', 'Two "{{origin}}" \\'),
    ];
    expect(again).toEqual(first);
    expect([first.title, first.servers]).toEqual(['One API', [{ url: 'https://one.example' }]]);
    expect(other.servers).toEqual([{ url: 'https://two.example' }]);
    expect(renamed.title).toBe('Two "{{origin}}" \\ API');
    expect(new Set([first.etag, other.etag, renamed.etag]).size).toBe(3);
  });

  it('describes no path that a generated client would call by another: a parameter is one segment', () => {
    const open = Object.entries(PATHS).filter(([path]) => /\{path\}|\*/.test(path));
    expect(open).toEqual([]);
    const parameters = Object.keys(PATHS).flatMap((path) => path.match(/\{\w+\}/g) ?? []);
    expect(new Set(parameters)).toEqual(new Set(['{id}', '{token}', '{email}']));
  });

  it('leaves out no path that /v1 answers itself', () => {
    expect(Object.keys(PATHS).filter((path) => path.startsWith('/v1/'))).toEqual(Object.keys(READS));
  });

  it('leaves out no route of the operator', () => {
    const served = operator.routes
      .filter(({ method }) => method !== 'ALL')
      .map(({ method, path }) => `${method.toLowerCase()} ${path.replaceAll(/:(\w+)/g, '{$1}')}`);
    const documented = Object.entries(PATHS).flatMap(([path, methods]) =>
      path.startsWith('/operator/') ? Object.keys(methods).map((method) => `${method} ${path}`) : [],
    );
    expect(new Set(documented)).toEqual(new Set(served));
  });
});

describe('the documentation', () => {
  it('has an anchor for every problem, where the type of a problem points', async () => {
    const page = await (await call('/docs/problems')).text();
    for (const slug of Object.keys(PROBLEMS)) expect(page).toContain(`id="${slug}"`);
  });

  it.each(['/docs', '/docs/problems', '/docs/gateways', '/docs/operator'])(
    '%s is a small page under the strict policy',
    async (path) => {
      const answer = await call(path);
      expect(answer.headers.get('content-security-policy')).toContain("require-trusted-types-for 'script'");
      const page = await answer.text();
      expect(page).not.toMatch(/<style|style=|<script>|\son\w+=/);
      const zipped = await new Response(
        new Blob([
          page,
          await (await call('/docs/docs.css')).text(),
          await (await call('/docs/copy.js')).text(),
        ])
          .stream()
          .pipeThrough(new CompressionStream('gzip')),
      ).arrayBuffer();
      expect(zipped.byteLength).toBeLessThan(15_360);
      expect((await (await call('/docs/copy.js')).text()).length).toBeLessThan(1024);
    },
  );

  it('shows examples that name this deployment, in the page and in Markdown', async () => {
    for (const path of ['/docs', '/docs.md', '/llms.txt']) {
      expect(await (await call(path)).text()).toContain(ORIGIN);
    }
    expect((await call('/docs/problems.md')).headers.get('content-type')).toContain('text/markdown');
  });

  it('names this deployment in the files for gateways, where it can be reached by https', async () => {
    const read = async (origin: string, VERIFY_HOST = '') => {
      const deployment = { ...env, ORIGINS: 'https://tokens.acme.example', VERIFY_HOST };
      return (await callAt(deployment, `${origin}/docs/gateways`)).text();
    };
    const page = await read('https://tokens.acme.example');
    expect(page).toContain('forward_auth https://tokens.acme.example {');
    expect(page).toContain('server tokens.acme.example:443;');
    expect(await read('http://localhost:8787')).toContain('forward_auth https://verify.example.com {');
    const apart = await read('https://tokens.acme.example', 'verify.acme.example');
    expect(apart).toContain('forward_auth https://verify.acme.example {');
    expect(apart).not.toContain('forward_auth https://tokens.acme.example {');
  });

  it('has no link in a page that leads nowhere', async () => {
    const page = await (await call('/docs')).text();
    const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [, id] of page.matchAll(/href="#([^"]+)"/g)) expect(ids).toContain(id);
    for (const [, path = ''] of page.matchAll(/href="(\/(?:docs|openapi|llms)[^"]*)"/g)) {
      expect({ path, status: (await call(path)).status }).toEqual({ path, status: 200 });
    }
  });

  it('keeps the theme of the cookie, and no other text of it', async () => {
    const dark = await (await call('/docs', { headers: { cookie: 'theme=dark' } })).text();
    expect(dark).toContain('<html lang="en-GB" data-theme="dark">');
    const forged = await (await call('/docs', { headers: { cookie: 'theme=%22%3E%3Cb%3E' } })).text();
    expect(forged).toContain('<html lang="en-GB">');
  });

  it('shows a product name as text, whatever it holds', async () => {
    const named = { ...env, PRODUCT_NAME: '<img src=x>' } as unknown as typeof env;
    const answer = await callAt(named, '/docs');
    const page = await answer.text();
    expect(page).not.toContain('<img src=x');
    expect(page).toContain('&lt;img src=x');
  });

  it('is not sent again to a reader who has it', async () => {
    const etag = (await call('/docs')).headers.get('etag') ?? '';
    const again = await call('/docs', { headers: { 'if-none-match': `W/${etag}` } });
    expect(again.status).toBe(304);
    expect((await call('/docs', { headers: { 'if-none-match': '*' } })).status).toBe(304);
    expect((await call('/docs', { headers: { 'if-none-match': '"other"' } })).status).toBe(200);
  });

  it('is never sent as it was built, at whatever address its files are asked for', async () => {
    const files = ['/docs', '/docs/problems', '/docs.md', '/docs/gateways.md', '/llms.txt', '/openapi.json'];
    const spellings = files.flatMap((path) => [
      path,
      `${path}/`,
      `${path}.html`,
      `/${path}`,
      path.replace('d', '%64').replace('o', '%6f'),
      `/x/%2e%2e${path}`,
      `/docs%2f..${path}`,
      `/docs/%5c..%5c..${path}`,
      path.replace(/\/(\w+)$/, '%2f$1'),
    ]);
    for (const path of spellings) {
      const text = await (await call(path)).text();
      expect([path, text.includes('{{')]).toEqual([path, false]);
    }
    expect((await call('/docs.html')).status).toBe(404);
    expect((await call('/docs/problems.html')).status).toBe(404);
  });

  it('says that it is not there for a while when its files cannot be read', async () => {
    for (const fetch of [
      () => Promise.reject(new Error('planted')),
      () => Promise.resolve(new Response('planted', { status: 500 })),
    ]) {
      const away = { ...env, ASSETS: { fetch } } as unknown as typeof env;
      const answer = await callAt(away, '/docs');
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '2']);
    }
  });

  it('does not answer paths that it does not have, or other methods', async () => {
    expect((await call('/docs/nothing')).status).toBe(404);
    expect((await call('/docs', { method: 'POST' })).status).toBe(405);
  });
});
