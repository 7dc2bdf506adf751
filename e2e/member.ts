// The owner of organisations, who is signed in: their writes and those of the platform, through any isolate.
import { createHash } from 'node:crypto';
import type { Miniflare } from 'miniflare';
import { SETTINGS, newSessionCookie } from './isolates.ts';

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

const OWNER = 'owner@example.com';

/** `path`: where it is changed. */
export type GivenToken = { organisation: string; id: string; path: string; secret: string };
export type Member = {
  /** The `Cookie` header of their session. */
  cookie: string;
  /** Asks the isolate at this origin: as the owner under /api, as the platform under /operator. */
  send(origin: string, method: string, path: string, body?: object): Promise<Response>;
  /** The same, and returns the body of the answer. Rejects unless it succeeds. */
  write(origin: string, method: string, path: string, body?: object): Promise<Record<string, unknown>>;
  /** A new organisation on Enterprise. */
  givenOrganisation(origin: string): Promise<string>;
  /** An active token of an organisation. */
  addToken(origin: string, organisation: string, name?: string): Promise<GivenToken>;
  /** An active token of a new organisation on Enterprise. */
  givenToken(origin: string): Promise<GivenToken>;
};

/** Runs one statement in a database. */
export type Run = (sql: string, values: (string | number)[]) => unknown;

export function inD1(db: Awaited<ReturnType<Miniflare['getD1Database']>>): Run {
  return (sql, values) =>
    db
      .prepare(sql)
      .bind(...values)
      .run();
}

/** Begins a session of the owner: writes its row into the database of the isolates. */
export async function signIn(run: Run): Promise<Member> {
  const value = newSessionCookie();
  const now = Date.now();
  await run(
    'INSERT INTO sessions (hash, id, email, method, created_at, seen_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)',
    [sha256(value), crypto.randomUUID(), OWNER, 'link', now, now, now + 3_600_000],
  );
  // The release before reads the first name, also in local mode.
  const cookie = `__Host-session=${value}; local-session=${value}`;

  const send: Member['send'] = (origin, method, path, body) =>
    fetch(origin + path, {
      method,
      headers: {
        ...(path.startsWith('/operator')
          ? { authorization: `Bearer ${SETTINGS.OPERATOR_SECRET}` }
          : { cookie, origin }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const write: Member['write'] = async (origin, method, path, body) => {
    const answer = await send(origin, method, path, body);
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
  };
  const givenOrganisation: Member['givenOrganisation'] = async (origin) => {
    const organisation = `o-${crypto.randomUUID()}`;
    const path = `/operator/organisations/${organisation}`;
    await write(origin, 'PUT', path, { name: 'Acme', plan: 'enterprise' });
    await write(origin, 'PUT', `${path}/members/${OWNER}`);
    return organisation;
  };
  const addToken: Member['addToken'] = async (origin, organisation, name) => {
    const tokens = `/api/organisations/${organisation}/tokens`;
    // The contract's answer to a create.
    const created = await write(origin, 'POST', tokens, name === undefined ? {} : { name });
    const { token, secret } = created as { token: { id: string }; secret: string };
    return { organisation, id: token.id, path: `${tokens}/${token.id}`, secret };
  };
  return {
    cookie,
    send,
    write,
    givenOrganisation,
    addToken,
    givenToken: async (origin) => addToken(origin, await givenOrganisation(origin)),
  };
}
