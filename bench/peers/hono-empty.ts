// An empty Hono Worker: what the start-up of the product is compared with.
import { Hono } from 'hono';

const app = new Hono();
app.get('/healthz', (c) => c.json({ status: 'ok' }));

export default { fetch: app.fetch } satisfies ExportedHandler;
