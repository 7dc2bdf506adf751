// Every test file in workerd starts on empty storage with the real migrations applied. Most files share a workerd, because starting
// one takes longer than their tests.
import { listDurableObjectIds, reset, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';

// The Worker imports much of itself only when it is needed. workerd would tie such an import to the request that asked for it, and
// the tests of the next file could not use it.
import.meta.glob(['../**/*.ts', '!../**/*.{test,suite,d}.ts', '!../libsql/**', '!./setup.ts'], {
  eager: true,
});

// `reset` empties the objects that are in memory, and workerd puts an object out of memory ten seconds after its last call.
await Promise.all([
  env.DB.prepare('SELECT 1').run(),
  env.TOKEN_CACHE.get('none'),
  ...Object.entries(env).map(([name, binding]) =>
    name.includes('_PER_') ? (binding as RateLimit).limit({ key: 'none' }) : undefined,
  ),
  ...(await listDurableObjectIds(env.CHANGE_HUB)).map((id) =>
    runInDurableObject(env.CHANGE_HUB.get(id), () => undefined),
  ),
]);
await reset();

// All of them in one batch: applyD1Migrations makes a call for each, which takes twice as long, in every file.
await env.DB.batch(
  env.TEST_MIGRATIONS.flatMap(({ queries }) => queries.map((query) => env.DB.prepare(query))),
);
