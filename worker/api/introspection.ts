// Token introspection (RFC 7662), for servers that are not behind the gateway. The answer about a token that is not good is exactly
// {"active":false}. Loaded at the first call.
import { Hono } from 'hono/tiny';
import { BODY_KIB, readBytes } from '../http/body-bytes.ts';
import type { Call, CallEnv } from '../http/call.ts';
import { shown, traitsOf } from '../http/caller.ts';
import { limitClient } from '../http/limit.ts';
import { Problem } from '../http/problem.ts';
import { finishRoutes } from '../http/route-group.ts';
import { NO_ORIGIN } from '../verification/caller.ts';
import type { Caller } from '../verification/caller.ts';
import { findToken } from '../token/store.ts';
import { refusal } from './bearer.ts';
import { basicCredentials, clientOf, formCredentials } from './introspection-client.ts';
import type { Clients, FormField } from './introspection-client.ts';

/** How much of the id of a client is kept with the calls that it asks about. */
const LONGEST_CLIENT = 40;
const FORM = 'application/x-www-form-urlencoded';

export const introspection = finishRoutes(
  new Hono<CallEnv & { Variables: { clients: Clients } }>()
    // For every method: a deployment without clients does not tell that it could have some.
    .use('/introspect', async (c, next) => {
      const { introspectionClients: clients } = c.env.call.deployment.settings;
      if (clients === null) throw new Problem('not-found');
      c.set('clients', clients);
      await next();
    })
    .post('/introspect', (c) => introspect(c.env.call, c.var.clients)),
);

async function introspect(call: Call, clients: Clients): Promise<Response> {
  const { deployment } = call;
  const { form, client } = await authenticatedForm(call, clients);
  const secret = tokenOf(form);
  const verification = await deployment.verify(secret, call.verifiedFor(callerIn(form, call, client)));
  if (!verification.ok) {
    if (verification.reason === 'verification-unavailable') {
      const { slug, detail, headers } = refusal(verification.reason, verification.retryAfter);
      throw new Problem(slug, detail, headers);
    }
    return answer(call, { active: false });
  }
  call.note(verification);
  const [row] = await findToken(await deployment.openDatabase(), verification.tokenId);
  // The token was deleted between the verification and this read.
  if (row === undefined) return answer(call, { active: false });
  return answer(call, {
    active: true,
    sub: verification.organisationId,
    client_id: verification.tokenId,
    token_type: 'Bearer',
    scope: [row.access, ...row.paths.map((path) => `path:${path}`)].join(' '),
    iat: Math.floor(Date.parse(row.createdAt) / 1000),
    ...(verification.expiresAt === undefined
      ? {}
      : { exp: Math.floor(Date.parse(verification.expiresAt) / 1000) }),
    iss: call.origin,
  });
}

/** The form and the id of the configured client that it comes from. Throws the refusal for anybody else. */
async function authenticatedForm(
  call: Call,
  clients: Clients,
): Promise<{ form: URLSearchParams; client: string }> {
  const { request } = call;
  const authorization = request.headers.get('authorization');
  // The form may have the credential if there is no header. Otherwise the form is read after the client is known.
  const form = authorization === null && isForm(request) ? await readForm(request) : null;
  const credentials =
    authorization === null ? formCredentials(form ?? new URLSearchParams()) : basicCredentials(authorization);
  const client = clientOf(clients, credentials);
  if (client !== null) return { form: form ?? (await readForm(request)), client };
  // Only failures are counted, so that guesses of a stranger never lock out a configured client.
  await limitClient(call, call.deployment.limiters.failedLoginsPerClient);
  throw new Problem(
    'authentication-required',
    'Send a client id and secret by HTTP Basic',
    { 'www-authenticate': 'Basic realm="introspection", charset="UTF-8"' },
    'invalid_client',
  );
}

function isForm(request: Request): boolean {
  return request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() === FORM;
}

async function readForm(request: Request): Promise<URLSearchParams> {
  if (!isForm(request)) throw invalid(`Header "Content-Type": send ${FORM}`);
  return new URLSearchParams(new TextDecoder().decode(await readBytes(request, BODY_KIB, 'invalid_request')));
}

function tokenOf(form: URLSearchParams): string {
  const token = onlyOne(form, 'token');
  if (token === null || token === '') throw invalid('Field "token": missing');
  return token;
}

/** What the form says of the caller whose token is asked about. A token with networks or websites is only active with it. */
function callerIn(form: URLSearchParams, call: Call, client: string): Caller {
  const origin = onlyOne(form, 'origin');
  return {
    method: null,
    path: null,
    address: onlyOne(form, 'ip'),
    origin: origin === '' ? NO_ORIGIN : origin,
    judgesScope: true,
    get traits() {
      return traitsOf(call.cf, `via introspection (${shown(client, LONGEST_CLIENT)})`);
    },
  };
}

/** The value of a field, or null. */
function onlyOne(form: URLSearchParams, name: FormField): string | null {
  const values = form.getAll(name);
  if (values.length > 1) throw invalid(`Field "${name}": given twice`);
  return values[0] ?? null;
}

function invalid(detail: string): Problem {
  return new Problem('invalid-body', detail, {}, 'invalid_request');
}

/** The answer about a token (RFC 7662 section 2.2). `iat` and `exp` in seconds since 1970. */
export type Introspection =
  | { active: false }
  | {
      active: true;
      sub: string;
      client_id: string;
      token_type: 'Bearer';
      /** `read` or `full`, and an entry such as `path:/v1/events` for each path, where the token has any. */
      scope: string;
      iat: number;
      /** Only if the secret that was asked about has an end. */
      exp?: number | undefined;
      iss: string;
    };

function answer(call: Call, body: Introspection): Response {
  const headers = {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    'x-request-id': call.id,
  };
  return new Response(JSON.stringify(body), { headers });
}
