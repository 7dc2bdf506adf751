// A signed-in member of several isolates: writes of the dashboard and of the platform, through any isolate.
import { createHash } from 'node:crypto';
import type { Miniflare } from 'miniflare';
import { SETTINGS, newSessionCookie } from './isolates.ts';

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

const EMAIL = 'owner@example.com';

export type Member = {
  /** Sends a write through the isolate at this origin and returns the body of the answer. Rejects unless it succeeds. */
  write(origin: string, method: string, path: string, body?: object): Promise<Record<string, unknown>>;
  /** A token of a new organisation on Enterprise, and the path at which it is changed. */
  givenToken(origin: string): Promise<{ organisation: string; path: string; secret: string }>;
  /** Another token of an organisation. */
  addToken(origin: string, organisation: string): Promise<{ path: string; secret: string }>;
};

/** Signs a member in: writes the row of the session into the database that the isolate `name` uses. */
export async function signIn(miniflare: Miniflare, name: string): Promise<Member> {
  const cookie = newSessionCookie();
  const db = await miniflare.getD1Database('DB', name);
  const now = Date.now();
  await db
    .prepare(
      'INSERT INTO sessions (hash, id, email, method, created_at, seen_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)',
    )
    .bind(sha256(cookie), 'session', EMAIL, 'link', now, now, now + 3_600_000)
    .run();

  const write: Member['write'] = async (origin, method, path, body) => {
    const headers: Record<string, string> = path.startsWith('/operator')
      ? { authorization: `Bearer ${SETTINGS.OPERATOR_SECRET}` }
      : { cookie: `local-session=${cookie}`, origin };
    if (body !== undefined) headers['content-type'] = 'application/json';
    const answer = await fetch(origin + path, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer.status === 204 ? {} : ((await answer.json()) as Record<string, unknown>);
  };
  const addToken: Member['addToken'] = async (origin, organisation) => {
    const created = await write(origin, 'POST', `/api/organisations/${organisation}/tokens`, {});
    const { token, secret } = created as { token: { id: string }; secret: string };
    return { path: `/api/organisations/${organisation}/tokens/${token.id}`, secret };
  };
  return {
    write,
    addToken,
    async givenToken(origin) {
      const organisation = `o-${crypto.randomUUID()}`;
      await write(origin, 'PUT', `/operator/organisations/${organisation}`, {
        name: 'Acme',
        plan: 'enterprise',
      });
      await write(origin, 'PUT', `/operator/organisations/${organisation}/members/${EMAIL}`);
      return { organisation, ...(await addToken(origin, organisation)) };
    },
  };
}
