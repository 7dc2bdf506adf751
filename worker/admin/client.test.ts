// The dashboard calls the Worker by a typed client alone: its types must be what the Worker answers.
import { hc } from 'hono/client';
import type { InferRequestType, InferResponseType } from 'hono/client';
import { expect, expectTypeOf, it } from 'vitest';
import type { Token } from '../token/store.ts';
import { ORIGIN, call, givenOrganisation, givenSession } from '../test/harness.ts';
import type { AdminApi } from './routes.ts';

it('has the types of the bodies, paths and answers of the routes', async () => {
  const organisation = await givenOrganisation();
  const { cookie } = await givenSession();
  const { api } = hc<AdminApi>(ORIGIN, {
    headers: { cookie, origin: ORIGIN },
    fetch: (input: RequestInfo | URL, init?: RequestInit) => call(String(input), init),
  });
  const organisationApi = api.organisations[':organisation'];
  const { tokens } = organisationApi;

  type Post = typeof tokens.$post;
  expectTypeOf<InferRequestType<Post>['json']>().toEqualTypeOf<{
    name?: string | null | undefined;
    expiresAt?: string | null | undefined;
    access?: 'read' | 'full' | undefined;
    paths?: string[] | undefined;
    networks?: string[] | undefined;
    origins?: string[] | undefined;
  }>();
  expectTypeOf<InferResponseType<Post, 201>>().toEqualTypeOf<{ token: Token; secret: string }>();
  expectTypeOf<InferResponseType<Post, 200>>().toEqualTypeOf<{ token: Token; secret: null }>();

  const created = await tokens.$post({ param: { organisation }, json: { name: 'Typed' } });
  if (created.status !== 201) throw new Error(`not created: ${created.status}`);
  const { token, secret } = await created.json();
  expect(secret.slice(0, 5)).toBe(token.preview);

  const listed = await tokens.$get({ param: { organisation } });
  expect(await listed.json()).toEqual({ tokens: [token], limit: 10 });

  const changed = await tokens[':token'].$patch({
    param: { organisation, token: token.id },
    json: { active: false },
  });
  expect((await changed.json()).token.active).toBe(false);

  const page = await organisationApi.activity.$get({
    param: { organisation },
    query: { action: 'token.created' },
  });
  expect((await page.json()).events).toHaveLength(1);
  expect((await (await organisationApi.usage.$get({ param: { organisation } })).json()).usage).toEqual({});

  const deleted = await tokens[':token'].$delete({ param: { organisation, token: token.id } });
  expect((await deleted.json()).deleted).toBe(token.id);

  const session = await (await api.session.$get()).json();
  expectTypeOf(session.organisations[0]?.plan).toEqualTypeOf<
    'trial' | 'pay-as-you-go' | 'pro' | 'enterprise' | undefined
  >();
  expect(session.member).toEqual({ email: 'owner@example.com' });
});
