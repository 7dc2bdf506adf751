// Every test file in workerd starts on a database with the real migrations applied.
import { env } from 'cloudflare:workers';

// All of them in one batch: applyD1Migrations makes a call for each, which takes twice as long, in every file.
await env.DB.batch(
  env.TEST_MIGRATIONS.flatMap(({ queries }) => queries.map((query) => env.DB.prepare(query))),
);
