// Hono's own bearerAuth with one constant token: the cheapest check that is used in practice.
import { env } from 'cloudflare:workers';
import { Hono } from 'hono';
import { bearerAuth } from 'hono/bearer-auth';

const app = new Hono();
// The bench gives this Worker exactly one binding, a text.
app.use('/v1/*', bearerAuth({ token: (env as { TOKEN: string }).TOKEN }));
app.get('/v1/ping', (c) => c.json({ status: 'ok', organisationId: 'bench', tokenId: 'bench' }));

export default { fetch: app.fetch } satisfies ExportedHandler;
