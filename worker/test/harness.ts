// Shared by tests in workerd: organisations, members, tokens and calls, through the real tables and the real routes.
import { createExecutionContext } from 'cloudflare:test';
import { env, exports } from 'cloudflare:workers';
import { createLinkCode } from '../sign-in/link-code.ts';
import { openDeployment } from '../deployment/deployment.ts';
import { markedValue } from '../marked.ts';
import type { Plan } from '../organisation/organisation.ts';
import { sha256Hex } from '../random.ts';
import { SERVER } from '../verification/simulation/table.ts';
import type { VerifyContext } from '../verification/verify.ts';
import { hashOfSecret, mintSecret, previewOfSecret, readTagKeyRing } from '../token/secret.ts';

export const ORIGIN = 'http://localhost';

/** Sends a request to the Worker. */
export function call(path: string, init: RequestInit = {}): Promise<Response> {
  return exports.default.fetch(new Request(new URL(path, ORIGIN), { redirect: 'manual', ...init }));
}

/** A call of a server, as verification is asked about it. */
export function serverCall(): VerifyContext {
  const context = createExecutionContext();
  return { caller: SERVER, waitUntil: (promise) => context.waitUntil(promise) };
}

export function bearer(secret: string): { authorization: string } {
  return { authorization: `Bearer ${secret}` };
}

/** A new organisation with its members. Ids are random, so that tests do not affect each other. */
export async function givenOrganisation(
  plan: Plan = 'enterprise',
  emails: string[] = ['owner@example.com'],
): Promise<string> {
  const id = `org-${crypto.randomUUID()}`;
  const at = new Date().toISOString();
  await env.DB.batch([
    env.DB.prepare('INSERT INTO organisations (id, name, plan, created_at) VALUES (?, ?, ?, ?)').bind(
      id,
      id,
      plan,
      at,
    ),
    ...emails.map((email) =>
      env.DB.prepare('INSERT INTO members (email, organisation_id, created_at) VALUES (?, ?, ?)').bind(
        email,
        id,
        at,
      ),
    ),
  ]);
  return id;
}

/** A token of the organisation, written straight into the table. */
export async function givenToken(
  organisationId: string,
  active = true,
): Promise<{ id: string; secret: string }> {
  const keys = readTagKeyRing(env.TAG_KEYS, env.TAG_KEY_CURRENT);
  if (!keys.ok) throw new Error(keys.reason);
  const secret = mintSecret(keys.ring);
  const id = crypto.randomUUID();
  await env.DB.prepare(
    `INSERT INTO tokens (id, organisation_id, hash, preview, active, created_by, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
  )
    .bind(
      id,
      organisationId,
      hashOfSecret(secret),
      previewOfSecret(secret),
      active ? 1 : 0,
      'owner@example.com',
      new Date().toISOString(),
    )
    .run();
  return { id, secret };
}

/** The headers of a signed-in member for reads; `write` adds the headers of a write. */
export async function givenSession(email = 'owner@example.com'): Promise<{ cookie: string }> {
  const cookie = markedValue(openDeployment(env).settings.tagKeys, 'session');
  const now = Date.now();
  await env.DB.prepare(
    'INSERT INTO sessions (hash, id, email, method, created_at, seen_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)',
  )
    .bind(sha256Hex(cookie), crypto.randomUUID(), email, 'link', now, now, now + 3_600_000)
    .run();
  return { cookie: `local-session=${cookie}` };
}

/** The code of a sign-in link that a new client asked for in this browser. */
export async function givenCode(email: string, browser: string, now = Date.now()): Promise<string> {
  const code = markedValue(openDeployment(env).settings.tagKeys, 'link');
  const asked = { email, code, browser, client: crypto.randomUUID() };
  const created = await createLinkCode(await openDeployment(env).openDatabase(), asked, now);
  if (!created.ok) throw new Error(created.reason);
  return code;
}

/** A write as the dashboard sends it. */
export function write(method: string, path: string, headers: HeadersInit, body?: unknown): Promise<Response> {
  return call(path, {
    method,
    headers: {
      origin: ORIGIN,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...Object.fromEntries(new Headers(headers)),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

/** Runs a burst against a limiter within one minute of the clock. When a minute ends during the burst, it runs again. */
export async function withinOneMinute<T>(burst: () => Promise<T>): Promise<T> {
  for (;;) {
    const minute = Math.floor(Date.now() / 60_000);
    const result = await burst();
    if (Math.floor(Date.now() / 60_000) === minute) return result;
  }
}
