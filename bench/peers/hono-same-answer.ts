// The lower bound with the headers of every answer of the product's API: the difference between this and the product
// is verification, not the size of the answer. The bench checks that the headers are the same.
import { Hono } from 'hono';

const app = new Hono();
app.get('/v1/ping', (c) =>
  c.json({ status: 'ok', organisationId: 'bench', tokenId: 'bench' }, 200, {
    'content-security-policy':
      "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    'strict-transport-security': 'max-age=63072000',
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
    vary: 'Authorization, X-API-Key, Origin',
    'x-request-id': c.req.header('cf-ray') ?? crypto.randomUUID(),
  }),
);

export default { fetch: app.fetch } satisfies ExportedHandler;
