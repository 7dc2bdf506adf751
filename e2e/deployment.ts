// One isolate of the real bundle with an owner who is signed in. Tests use it to make and change tokens.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Miniflare } from 'miniflare';
import { statementsOf } from '../scripts/migrations.ts';
import { SETTINGS, newSessionCookie, startIsolates, type Settings, type WorkerOptions } from './isolates.ts';

/** The name in wrangler.toml, to which another Worker binds. */
export const ZONE = 'developer-zone';
const COOKIE = newSessionCookie();
export const OWNER = 'owner@example.com';

type D1 = Awaited<ReturnType<Miniflare['getD1Database']>>;
export type GivenToken = { organisation: string; id: string; path: string; secret: string };
export type Deployment = {
  origin: string;
  miniflare: Miniflare;
  /** The header lines that the owner's pages send. */
  member: string[];
  /** As the owner under /api, as the platform under /operator. Rejects when the answer is a refusal. */
  write(method: string, path: string, body?: object): Promise<unknown>;
  /** An active token of a new Enterprise organisation. */
  givenToken(): Promise<GivenToken>;
  stop(): Promise<void>;
};

/** Begins the owner's session, whose cookie the test chooses. */
export async function signInOwner(db: Pick<D1, 'prepare'>, cookie: string): Promise<void> {
  const now = Date.now();
  await db
    .prepare(
      'INSERT INTO sessions (hash, id, email, method, created_at, seen_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)',
    )
    .bind(
      createHash('sha256').update(cookie).digest('hex'),
      'session',
      OWNER,
      'link',
      now,
      now,
      now + 3_600_000,
    )
    .run();
}

/** The same with the organisations and members of local mode. Its leases are short too. */
export async function startSeeded(): Promise<Deployment> {
  const zone = await startDeployment();
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
  const db = await miniflare.getD1Database('DB', ZONE);
  await signInOwner(db, COOKIE);

  async function write(method: string, path: string, body?: object): Promise<unknown> {
    const headers: Record<string, string> = path.startsWith('/operator')
      ? { authorization: `Bearer ${SETTINGS.OPERATOR_SECRET}` }
      : { cookie: `local-session=${COOKIE}`, origin };
    if (body !== undefined) headers['content-type'] = 'application/json';
    const answer = await fetch(origin + path, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  }

  async function givenToken(): Promise<GivenToken> {
    const organisation = `o-${crypto.randomUUID()}`;
    await write('PUT', `/operator/organisations/${organisation}`, { name: 'Acme', plan: 'enterprise' });
    await write('PUT', `/operator/organisations/${organisation}/members/${OWNER}`);
    // The contract's answer to a create.
    const created = (await write('POST', `/api/organisations/${organisation}/tokens`, {})) as {
      token: { id: string };
      secret: string;
    };
    const { id } = created.token;
    return {
      organisation,
      id,
      path: `/api/organisations/${organisation}/tokens/${id}`,
      secret: created.secret,
    };
  }

  const member = [`Cookie: local-session=${COOKIE}`, `Origin: ${origin}`];
  return { origin, miniflare, member, write, givenToken, stop: () => miniflare.dispose() };
}
