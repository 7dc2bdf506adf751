// One isolate of the real bundle with an owner who is signed in. Tests use it to make and change tokens.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Miniflare } from 'miniflare';
import { statementsOf } from '../scripts/migrations.ts';
import { startIsolates, type Settings, type WorkerOptions } from './isolates.ts';
import { inD1, signIn, type GivenToken } from './member.ts';

/** The name in wrangler.toml, to which another Worker binds. */
export const ZONE = 'developer-zone';

export type Deployment = {
  origin: string;
  miniflare: Miniflare;
  /** The header lines that the owner's pages send. */
  member: string[];
  /** As the owner under /api, as the platform under /operator. Rejects when the answer is a refusal. */
  write(method: string, path: string, body?: object): Promise<Record<string, unknown>>;
  /** An active token of a new Enterprise organisation. */
  givenToken(): Promise<GivenToken>;
  stop(): Promise<void>;
};

/** The same with the organisations and members of local mode. Its leases are short too. */
export async function startSeeded(
  settings: Settings = {},
  others: WorkerOptions[] = [],
): Promise<Deployment> {
  const zone = await startDeployment(settings, others);
  const db = await zone.miniflare.getD1Database('DB', ZONE);
  const seed = readFileSync(resolve(import.meta.dirname, '../scripts/seed.sql'), 'utf8');
  for (const statement of statementsOf(seed)) await db.prepare(statement).run();
  return zone;
}

/** Its leases are short, because a change is answered only when they have ended. `others`: Workers beside it, bound to it by its name. */
export async function startDeployment(
  settings: Settings = {},
  others: WorkerOptions[] = [],
): Promise<Deployment> {
  const miniflare = await startIsolates([ZONE], { REVOCATION_LEASE_MS: '200', ...settings }, others);
  const { origin } = await miniflare.unsafeGetDirectURL(ZONE);
  const owner = await signIn(inD1(await miniflare.getD1Database('DB', ZONE)));
  return {
    origin,
    miniflare,
    member: [`Cookie: ${owner.cookie}`, `Origin: ${origin}`],
    write: (method, path, body) => owner.write(origin, method, path, body),
    givenToken: () => owner.givenToken(origin),
    stop: () => miniflare.dispose(),
  };
}
