// Shared by tests in workerd: organisations, members, tokens and calls, through the real tables and the real routes.
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env, exports } from 'cloudflare:workers';
import { expect } from 'vitest';
import type { Env } from '../deployment/env.ts';
import worker from '../index.ts';
import { createLinkCode } from '../sign-in/link-code.ts';
import { openDeployment } from '../deployment/deployment.ts';
import { markedValue } from '../marked.ts';
import type { Plan } from '../organisation/organisation.ts';
import { sha256Hex } from '../random.ts';
import { SERVER } from '../verification/simulation/table.ts';
import type { VerifyContext } from '../verification/verify.ts';
import { hashOfSecret, mintSecret, previewOfSecret, readTagKeyRing } from '../token/secret.ts';

export const ORIGIN = 'http://localhost';

/** `path`: below ORIGIN, or a whole address. */
function requestTo(path: string, init: RequestInit): Parameters<typeof worker.fetch>[0] {
  const address = new URL(path.startsWith('/') ? ORIGIN + path : path, ORIGIN);
  // An incoming request has its `cf` filled in; this one has what the test gives of it.
  return new Request(address, { redirect: 'manual', ...init }) as Parameters<typeof worker.fetch>[0];
}

/** Sends a request to the Worker. */
export function call(path: string, init: RequestInit = {}): Promise<Response> {
  return exports.default.fetch(requestTo(path, init));
}

/**
 * The same with settings and bindings of the test. An object is an isolate: another one starts with an empty memory. What runs
 * behind the answer is not waited for.
 */
export async function callAt(deployment: Env, path: string, init: RequestInit = {}): Promise<Response> {
  return worker.fetch(requestTo(path, init), deployment, createExecutionContext());
}

/** The same, where the settings and bindings differ from those of the tests in what is given. */
export function callWith(changed: Partial<Env>, path: string, init: RequestInit = {}): Promise<Response> {
  // The tests' own bindings stand beside the Worker's.
  return callAt({ ...(env as Env), ...changed }, path, init);
}

/** Like callAt, and waits for what runs behind the answer. */
export async function settledAt(deployment: Env, path: string, init: RequestInit = {}): Promise<Response> {
  const context = createExecutionContext();
  const answer = await worker.fetch(requestTo(path, init), deployment, context);
  await waitOnExecutionContext(context);
  return answer;
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

/** What the dashboard sends for a write. */
export function writing(method: string, headers: HeadersInit, body?: unknown): RequestInit {
  return {
    method,
    headers: {
      origin: ORIGIN,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...Object.fromEntries(new Headers(headers)),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  };
}

/** A write as the dashboard sends it. */
export function write(method: string, path: string, headers: HeadersInit, body?: unknown): Promise<Response> {
  return call(path, writing(method, headers, body));
}

/** The status of a call with a token, whose secret a first answer alone has. */
export async function statusOf(secret: string | null): Promise<number> {
  return (await call('/v1/ping', { headers: bearer(secret ?? '') })).status;
}

/** The part of a problem's type that names it. The answer must be a problem, of its own status (RFC 9457). */
export async function slugOf(answer: Response): Promise<string | undefined> {
  const problem = await answer.json<{ type: string; status: number }>();
  expect([answer.headers.get('content-type'), answer.status]).toEqual([
    'application/problem+json',
    problem.status,
  ]);
  return problem.type.split('#')[1];
}

/** What is on record of an organisation, oldest first. */
export async function actionsOf(organisation: string): Promise<string[]> {
  const { results } = await env.DB.prepare('SELECT action FROM events WHERE organisation_id = ? ORDER BY id')
    .bind(organisation)
    .all<{ action: string }>();
  return results.map(({ action }) => action);
}

/** Runs a burst against a limiter within one minute of the clock. When a minute ends during the burst, it runs again. */
export async function withinOneMinute<T>(burst: () => Promise<T>): Promise<T> {
  for (;;) {
    const minute = Math.floor(Date.now() / 60_000);
    const result = await burst();
    if (Math.floor(Date.now() / 60_000) === minute) return result;
  }
}
