// better-auth's API-key plugin over D1, in its fastest realistic setting: no rate limit (its default is ten calls a day),
// updates deferred until after the answer. POST /setup makes its tables, one user and one key.
import { apiKey } from '@better-auth/api-key';
import { betterAuth } from 'better-auth';
import { getMigrations } from 'better-auth/db/migration';

type Bindings = { DB: D1Database };

function open(env: Bindings, waitUntil: (promise: Promise<unknown>) => void) {
  return betterAuth({
    database: env.DB,
    secret: 'a-secret-of-the-bench-that-guards-nothing-at-all',
    baseURL: 'http://localhost',
    logger: { disabled: true },
    telemetry: { enabled: false },
    advanced: { backgroundTasks: { handler: waitUntil } },
    plugins: [apiKey({ rateLimit: { enabled: false }, deferUpdates: true })],
  });
}

let auth: ReturnType<typeof open> | undefined;
// The handler is fixed when the instance is made, but the context comes with each request, so the newest context is used.
let background: (promise: Promise<unknown>) => void = () => {};

export default {
  async fetch(request, env, context) {
    background = (promise) => context.waitUntil(promise);
    auth ??= open(env, (promise) => background(promise));
    if (new URL(request.url).pathname === '/setup') return setUp(auth, env);
    const key = request.headers.get('authorization')?.slice('Bearer '.length) ?? '';
    const { valid, key: row } = await auth.api.verifyApiKey({ body: { key } });
    if (!valid) return Response.json({ error: 'invalid_token' }, { status: 401 });
    return Response.json({ status: 'ok', organisationId: row?.referenceId, tokenId: row?.id });
  },
} satisfies ExportedHandler<Bindings>;

async function setUp(instance: ReturnType<typeof open>, env: Bindings): Promise<Response> {
  const { runMigrations } = await getMigrations(instance.options);
  await runMigrations();
  const now = new Date().toISOString();
  await env.DB.prepare(
    'INSERT INTO user (id, name, email, emailVerified, createdAt, updatedAt) VALUES (?, ?, ?, 1, ?, ?)',
  )
    .bind('bench', 'Bench', 'bench@example.com', now, now)
    .run();
  const created = await instance.api.createApiKey({ body: { userId: 'bench' } });
  return Response.json({ key: created.key });
}
