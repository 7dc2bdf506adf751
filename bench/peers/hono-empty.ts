// An empty Hono Worker. The start-up of the product is compared with it.
import { Hono } from 'hono';

const app = new Hono();
app.get('/healthz', (c) => c.json({ status: 'ok' }));

export default { fetch: app.fetch } satisfies ExportedHandler;
