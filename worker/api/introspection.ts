// Token introspection (RFC 7662) for servers that ask instead of standing behind the gateway. Answers about a token that
// is not good are exactly {"active":false}. Loaded when it is first asked for.
import { clientKey } from '../client-address.ts';
import { openDatabase } from '../database.ts';
import type { Env } from '../env.ts';
import { limit } from '../limit.ts';
import { note } from '../log.ts';
import { Problem } from '../problem.ts';
import { sha256Hex } from '../random.ts';
import { originOf, requestIdOf } from '../request-id.ts';
import { SECURITY_HEADERS } from '../security-headers.ts';
import { isSameSecret } from '../token/secret.ts';
import { findToken } from '../token/store.ts';
import { verify, type VerifyContext } from '../verification/verify.ts';
import { refusal } from './bearer.ts';

const LIMIT_BYTES = 16 * 1024;
const FORM = 'application/x-www-form-urlencoded';

/** Throws `not-found` where no client is configured, and every other refusal as a problem. */
export async function introspect(request: Request, env: Env, context: VerifyContext): Promise<Response> {
  const clients = readClients(env.INTROSPECTION_CLIENTS);
  if (clients === null) throw new Problem('not-found');
  if (request.method !== 'POST') throw new Problem('method-not-allowed', undefined, { allow: 'POST' });
  if (!isClient(clients, request.headers.get('authorization'))) {
    // Failures alone are counted: a client that is configured is never locked out by somebody else's guesses.
    await limit(env.FAILED_LOGINS_PER_CLIENT, clientKey(request));
    throw new Problem('authentication-required', 'Send a client id and secret by HTTP Basic', {
      'www-authenticate': 'Basic realm="introspection", charset="UTF-8"',
    });
  }
  const secret = await readToken(request);
  const verification = await verify(secret, env, context);
  if (!verification.ok) {
    if (verification.reason === 'verification-unavailable') {
      const { slug, detail, headers } = refusal(verification.reason, verification.retryAfter);
      throw new Problem(slug, detail, headers);
    }
    return answer(request, { active: false });
  }
  note(request, verification);
  const [row] = await findToken(await openDatabase(env), verification.tokenId);
  // Deleted between the verification and this read.
  if (row === undefined) return answer(request, { active: false });
  return answer(request, {
    active: true,
    sub: verification.organisationId,
    client_id: verification.tokenId,
    token_type: 'Bearer',
    iat: Math.floor(Date.parse(row.createdAt) / 1000),
    iss: originOf(request),
  });
}

/** The clients by id, or null where none is configured; the configuration check has read it before. */
function readClients(json: string | undefined): Record<string, unknown> | null {
  // An object of strings, or the deployment answers 500 before this is reached.
  return json === undefined || json === '' ? null : (JSON.parse(json) as Record<string, unknown>);
}

/** RFC 6749 section 2.3.1: id and secret are form-encoded before they are put into HTTP Basic. */
function isClient(clients: Record<string, unknown>, authorization: string | null): boolean {
  const basic = /^Basic +([A-Za-z0-9+/]+=*)$/i.exec(authorization ?? '')?.[1];
  if (basic === undefined) return false;
  try {
    const text = atob(basic);
    const colon = text.indexOf(':');
    if (colon < 0) return false;
    const id = formDecoded(text.slice(0, colon));
    const expected = Object.hasOwn(clients, id) ? clients[id] : undefined;
    // Compared even for an unknown client, by digests: the time tells neither ids nor secrets.
    const same = isSameSecret(sha256Hex(String(expected)), sha256Hex(formDecoded(text.slice(colon + 1))));
    return same && typeof expected === 'string';
  } catch {
    return false;
  }
}

function formDecoded(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '));
}

async function readToken(request: Request): Promise<string> {
  const type = request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type !== FORM) throw new Problem('invalid-body', `Header "Content-Type": send ${FORM}`);
  const decoder = new TextDecoder();
  let text = '';
  let length = 0;
  if (request.body !== null) {
    for await (const chunk of request.body) {
      length += chunk.byteLength;
      if (length > LIMIT_BYTES) throw new Problem('payload-too-large', 'A body is at most 16 KiB');
      text += decoder.decode(chunk, { stream: true });
    }
  }
  const tokens = new URLSearchParams(text).getAll('token');
  const [token] = tokens;
  if (token === undefined || token === '') throw new Problem('invalid-body', 'Field "token": missing');
  if (tokens.length > 1) throw new Problem('invalid-body', 'Field "token": given twice');
  return token;
}

function answer(request: Request, body: object): Response {
  const headers = {
    ...SECURITY_HEADERS,
    'content-type': 'application/json',
    'cache-control': 'no-store',
    'x-request-id': requestIdOf(request),
  };
  return new Response(JSON.stringify(body), { headers });
}
