// The OpenID Connect provider as oauth4webapi sees it: found once, asked for a code, and believed only where the ID
// token's signature, issuer, audience, nonce and times hold. Nothing that it says is logged or shown but a fixed code.
import * as oauth from 'oauth4webapi';
import { isLocal } from '../configuration.ts';
import type { Env } from '../env.ts';
import { logFailure } from '../log.ts';
import { normaliseEmail } from '../organisation/email.ts';

type Provider = {
  server: oauth.AuthorizationServer;
  client: oauth.Client;
  authentication: oauth.ClientAuth;
  /** Only ever true for a provider on this machine, in local mode. */
  insecure: boolean;
};

const DISCOVERY_MS = 10 * 60 * 1000;
const TIMEOUT_MS = 10_000;
/** Data, never a promise: a request must not wait for another request's I/O. */
const discovered = new Map<string, { server: oauth.AuthorizationServer; until: number }>();

/** The provider that the deployment names. */
export async function openProvider(
  env: Env,
  request: Request,
): Promise<
  | { ok: true; provider: Provider }
  | { ok: false; reason: 'not-configured' | 'misconfigured' | 'provider-unavailable' }
> {
  const { OIDC_ISSUER: issuer = '', OIDC_CLIENT_ID: id = '', OIDC_CLIENT_SECRET: secret = '' } = env;
  if (issuer === '') return { ok: false, reason: 'not-configured' };
  if (!URL.canParse(issuer) || id === '') return { ok: false, reason: 'misconfigured' };
  const url = new URL(issuer);
  const insecure = url.protocol === 'http:' && isLocal(env, request) && isLocalHost(url.hostname);
  if (url.protocol !== 'https:' && !insecure) return { ok: false, reason: 'misconfigured' };
  const server = await discover(url, insecure);
  if (server === null) return { ok: false, reason: 'provider-unavailable' };
  const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
  const authentication =
    secret === ''
      ? oauth.None()
      : methods.includes('client_secret_basic')
        ? oauth.ClientSecretBasic(secret)
        : oauth.ClientSecretPost(secret);
  return { ok: true, provider: { server, client: { client_id: id }, authentication, insecure } };
}

function isLocalHost(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '127.0.0.1';
}

/** A signal of its own for each call also keeps the library from sharing one request's fetch of the keys with another. */
function options(insecure: boolean) {
  return { [oauth.allowInsecureRequests]: insecure, signal: () => AbortSignal.timeout(TIMEOUT_MS) };
}

async function discover(issuer: URL, insecure: boolean): Promise<oauth.AuthorizationServer | null> {
  const kept = discovered.get(issuer.href);
  if (kept !== undefined && kept.until > Date.now()) return kept.server;
  try {
    const answer = await oauth.discoveryRequest(issuer, options(insecure));
    const server = await oauth.processDiscoveryResponse(issuer, answer);
    discovered.set(issuer.href, { server, until: Date.now() + DISCOVERY_MS });
    return server;
  } catch (error) {
    report(error);
    return null;
  }
}

/** Where the browser goes to sign in. */
export async function authorizationUrl(
  provider: Provider,
  trip: { state: string; nonce: string; codeVerifier: string },
  redirectUri: string,
): Promise<string> {
  const url = new URL(provider.server.authorization_endpoint ?? '');
  const parameters = {
    client_id: provider.client.client_id,
    redirect_uri: redirectUri,
    response_type: 'code',
    scope: 'openid email',
    state: trip.state,
    nonce: trip.nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(trip.codeVerifier),
    code_challenge_method: 'S256',
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url.href;
}

/** Exchanges the callback's code for a verified address (in its one form) and the provider's subject behind it. */
export async function exchange(
  provider: Provider,
  parameters: URLSearchParams,
  trip: { state: string; nonce: string; codeVerifier: string },
  redirectUri: string,
): Promise<
  | { ok: true; email: string; subject: string }
  | { ok: false; reason: 'email-not-verified' | 'sign-in-failed' }
> {
  const { server, client, authentication, insecure } = provider;
  try {
    // State and, where the provider sends it, `iss` (RFC 9207).
    const validated = oauth.validateAuthResponse(server, client, parameters, trip.state);
    const answer = await oauth.authorizationCodeGrantRequest(
      server,
      client,
      authentication,
      validated,
      redirectUri,
      trip.codeVerifier,
      options(insecure),
    );
    const result = await oauth.processAuthorizationCodeResponse(server, client, answer, {
      expectedNonce: trip.nonce,
      requireIdToken: true,
    });
    await oauth.validateApplicationLevelSignature(server, answer, options(insecure));
    const claims = oauth.getValidatedIdTokenClaims(result);
    if (claims === undefined) return { ok: false, reason: 'sign-in-failed' };
    // Some providers keep the address out of the ID token. Both claims come from one place, never one from each.
    const person =
      claims['email'] === undefined
        ? await oauth.processUserInfoResponse(
            server,
            client,
            claims.sub,
            await oauth.userInfoRequest(server, client, result.access_token, options(insecure)),
          )
        : claims;
    const email = typeof person['email'] === 'string' ? normaliseEmail(person['email']) : null;
    if (email === null || person['email_verified'] !== true)
      return { ok: false, reason: 'email-not-verified' };
    return { ok: true, email, subject: claims.sub };
  } catch (error) {
    report(error);
    return { ok: false, reason: 'sign-in-failed' };
  }
}

/** For whoever sets this up: the library's own code for what went wrong, one of a fixed list, and nothing else. */
function report(error: unknown): void {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreachable';
  logFailure('oidc-refused', /^[A-Z_]{1,64}$/.test(code) ? code : 'other');
}
