// The floor: a Hono Worker that checks nothing and answers what GET /v1/ping answers.
import { Hono } from 'hono';

const app = new Hono();
app.get('/v1/ping', (c) => c.json({ status: 'ok', organisationId: 'bench', tokenId: 'bench' }));

export default { fetch: app.fetch } satisfies ExportedHandler;
