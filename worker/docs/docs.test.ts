import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import worker from '../index.ts';
import { PROBLEMS } from '../problem.ts';
import { ORIGIN, bearer, call, givenOrganisation, givenToken } from '../test/harness.ts';
import type { openApiDocument } from './openapi.ts';

type Document = ReturnType<typeof openApiDocument>;
type Schema = { required: string[]; properties: object };
type Answer = { headers?: object; content: Record<string, { schema: Schema | { $ref: string } }> };

const SECRET = 'operator-secret-for-tests-0123456789abcdef';

const readDocument = async () => (await call('/openapi.json')).json<Document>();

/** The answer as the document has it: its status, media type, headers and exactly its fields. */
async function expectDocumented(answer: Response, method: 'get' | 'put' | 'delete', path: string) {
  const document = await readDocument();
  const documented = document.paths[path]?.[method]?.responses[answer.status] as Answer | undefined;
  const type = answer.headers.get('content-type') ?? '';
  const schema = documented?.content[type]?.schema;
  expect(schema, `${method} ${path} ${answer.status} ${type}`).toBeDefined();
  for (const header of Object.keys(documented?.headers ?? {})) expect(answer.headers.has(header)).toBe(true);
  const body = await answer.json<object>();
  const shape = schema === undefined || '$ref' in schema ? document.components.schemas.Problem : schema;
  const fields = Object.keys(body);
  expect(fields).toEqual(expect.arrayContaining(shape.required));
  expect(Object.keys(shape.properties)).toEqual(expect.arrayContaining(fields));
}

async function operate(method: string, path: string, body?: object, secret = SECRET): Promise<Response> {
  const context = createExecutionContext();
  const request = new Request(new URL(`/operator${path}`, ORIGIN), {
    method,
    headers: bearer(secret),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer = await worker.fetch(request, { ...env, OPERATOR_SECRET: SECRET }, context);
  await waitOnExecutionContext(context);
  return answer;
}

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

  it.each(['/v1/ping', '/v1/organisation', '/v1/token'])('describes what %s answers', async (path) => {
    const good = await givenToken(await givenOrganisation());
    const poor = await givenToken(await givenOrganisation('pro'));
    const attempts: [HeadersInit, number][] = [
      [bearer(good.secret), 200],
      [{ 'x-api-key': good.secret }, 200],
      [{ authorization: 'Bearer a,b' }, 400],
      [{}, 401],
      [bearer('x'), 401],
      [bearer(poor.secret), 403],
    ];
    for (const [headers, status] of attempts) {
      const answer = await call(path, { headers });
      expect(answer.status).toBe(status);
      await expectDocumented(answer, 'get', path);
    }
  });

  it('describes what the operator is answered', async () => {
    const id = `docs-${crypto.randomUUID()}`;
    const [all, one] = ['/organisations', '/organisations/{id}'];
    const [members, person] = [`${one}/members`, `${one}/members/{email}`];
    const body = { name: 'Acme', plan: 'enterprise' };
    const steps: ['get' | 'put' | 'delete', string, string, number, object?][] = [
      ['get', one, id, 404],
      ['put', person, id, 404],
      ['put', one, id, 201, { ...body, version: 2 }],
      ['put', one, id, 200, body],
      ['put', one, id, 409, { ...body, version: 1 }],
      ['put', one, id, 422, { name: 'Acme' }],
      ['put', one, id, 413, { ...body, name: 'x'.repeat(17_000) }],
      ['get', all, id, 200],
      ['get', one, id, 200],
      ['put', person, id, 201],
      ['put', person, id, 200],
      ['get', members, id, 200],
      ['delete', person, id, 200],
      ['delete', one, id, 200],
      ['get', members, id, 404],
      ['delete', person, id, 404],
    ];
    for (const [method, path, organisation, status, sent] of steps) {
      const url = path.replace('{id}', organisation).replace('{email}', 'docs@example.com');
      const answer = await operate(method.toUpperCase(), url, sent);
      expect(answer.status, `${method} ${path}`).toBe(status);
      await expectDocumented(answer, method, `/operator${path}`);
    }
    const stranger = await operate('GET', '/organisations', undefined, 'wrong');
    expect(stranger.status).toBe(401);
    await expectDocumented(stranger, 'get', '/operator/organisations');
  });
});

describe('the documentation', () => {
  it('has an anchor for every problem, where the type of a problem points', async () => {
    const page = await (await call('/docs/problems')).text();
    for (const slug of Object.keys(PROBLEMS)) expect(page).toContain(`id="${slug}"`);
  });

  it.each(['/docs', '/docs/problems'])('%s is a small page under the strict policy', async (path) => {
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
  });

  it('shows examples that name this deployment, in the page and in Markdown', async () => {
    for (const path of ['/docs', '/docs.md', '/llms.txt']) {
      expect(await (await call(path)).text()).toContain(ORIGIN);
    }
    expect((await call('/docs/problems.md')).headers.get('content-type')).toContain('text/markdown');
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
    const answer = await worker.fetch(new Request(`${ORIGIN}/docs`), named, createExecutionContext());
    const page = await answer.text();
    expect(page).not.toContain('<img');
    expect(page).toContain('&lt;img');
  });

  it('is not sent again to a reader who has it', async () => {
    const etag = (await call('/docs')).headers.get('etag') ?? '';
    const again = await call('/docs', { headers: { 'if-none-match': `W/${etag}` } });
    expect(again.status).toBe(304);
  });

  it('does not answer paths that it does not have, or other methods', async () => {
    expect((await call('/docs/nothing')).status).toBe(404);
    expect((await call('/docs', { method: 'POST' })).status).toBe(405);
  });
});
