// The lower bound: a Hono Worker that checks nothing and gives the same answer as GET /v1/ping.
import { Hono } from 'hono';

const app = new Hono();
app.get('/v1/ping', (c) => c.json({ status: 'ok', organisationId: 'bench', tokenId: 'bench' }));

export default { fetch: app.fetch } satisfies ExportedHandler;
