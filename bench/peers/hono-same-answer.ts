// The lower bound with the headers of every answer of the product's API: the difference between this and the product
// is verification, not the size of the answer.
import { Hono } from 'hono';

const app = new Hono();
app.get('/v1/ping', (c) =>
  c.json({ status: 'ok', organisationId: 'bench', tokenId: 'bench' }, 200, {
    'cache-control': 'no-store',
    vary: 'Authorization, X-API-Key, Origin',
    'x-request-id': crypto.randomUUID(),
  }),
);

export default { fetch: app.fetch } satisfies ExportedHandler;
