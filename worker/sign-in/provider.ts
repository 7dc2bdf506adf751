// The OpenID Connect provider, by oauth4webapi. An ID token is accepted only if its signature, issuer, audience, nonce and times are
// right. No text of the provider is logged or shown, only a code from a fixed list.
import * as oauth from 'oauth4webapi';
import type { OidcSettings } from '../deployment/oidc.ts';
import { logFailure } from '../http/log.ts';
import { normaliseEmail } from '../organisation/email.ts';

type Provider = {
  server: oauth.AuthorizationServer;
  client: oauth.Client;
  authentication: oauth.ClientAuth;
  settings: OidcSettings;
};

const DISCOVERY_MS = 10 * 60 * 1000;
/** After a failure the provider is not asked again for this time. */
const FAILURE_MS = 10 * 1000;
const TIMEOUT_MS = 10_000;
/** Data, never a promise: a request must not wait for another request's I/O. */
const discovered = new Map<string, { server: oauth.AuthorizationServer | null; until: number }>();

/** Asks the provider for its endpoints, once in ten minutes; null where it cannot be reached, or could not just now. */
export async function openProvider(settings: OidcSettings): Promise<Provider | null> {
  const { clientId, clientSecret: secret } = settings;
  const server = await discover(settings);
  if (server === null) return null;
  const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
  const authentication =
    secret === ''
      ? oauth.None()
      : methods.includes('client_secret_basic')
        ? oauth.ClientSecretBasic(secret)
        : oauth.ClientSecretPost(secret);
  return { server, client: { client_id: clientId }, authentication, settings };
}

/** A signal of its own for each call also keeps the library from sharing one request's fetch of the keys with another. */
function options({ issuer }: OidcSettings) {
  // The settings allow http for a provider on this machine, in local mode alone.
  return {
    [oauth.allowInsecureRequests]: issuer.protocol === 'http:',
    signal: () => AbortSignal.timeout(TIMEOUT_MS),
  };
}

async function discover(settings: OidcSettings): Promise<oauth.AuthorizationServer | null> {
  const { issuer } = settings;
  const kept = discovered.get(issuer.href);
  if (kept !== undefined && kept.until > Date.now()) return kept.server;
  try {
    const answer = await oauth.discoveryRequest(issuer, options(settings));
    const server = await oauth.processDiscoveryResponse(issuer, answer);
    discovered.set(issuer.href, { server, until: Date.now() + DISCOVERY_MS });
    return server;
  } catch (error) {
    report(error);
    discovered.set(issuer.href, { server: null, until: Date.now() + FAILURE_MS });
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
  const { server, client, authentication, settings } = provider;
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
      options(settings),
    );
    const result = await oauth.processAuthorizationCodeResponse(server, client, answer, {
      expectedNonce: trip.nonce,
      requireIdToken: true,
    });
    await oauth.validateApplicationLevelSignature(server, answer, options(settings));
    const claims = oauth.getValidatedIdTokenClaims(result);
    if (claims === undefined) return { ok: false, reason: 'sign-in-failed' };
    // Some providers keep the address out of the ID token. Both claims come from one place, never one from each.
    const person =
      claims['email'] === undefined
        ? await oauth.processUserInfoResponse(
            server,
            client,
            claims.sub,
            await oauth.userInfoRequest(server, client, result.access_token, options(settings)),
          )
        : claims;
    const email = typeof person['email'] === 'string' ? normaliseEmail(person['email']) : null;
    if (!isOfTenant(settings, claims)) return { ok: false, reason: 'sign-in-failed' };
    if (email === null || !isVerified(settings, person)) return { ok: false, reason: 'email-not-verified' };
    return { ok: true, email, subject: claims.sub };
  } catch (error) {
    report(error);
    return { ok: false, reason: 'sign-in-failed' };
  }
}

/** Whether the provider has verified the address. An explicit `false` of the provider counts more than any setting. */
function isVerified({ tenant, isEmailTrusted }: OidcSettings, person: Record<string, unknown>): boolean {
  const said = person['email_verified'];
  if (said !== undefined) return said === true;
  // Entra never says it. `xms_edov`, an optional claim, tells whether the owner of the address's domain is verified.
  if (tenant !== undefined) return [true, 1, '1', 'true'].some((yes) => person['xms_edov'] === yes);
  return isEmailTrusted;
}

/** Whether Entra made the token for the tenant that the settings name; always true for other issuers. */
function isOfTenant({ tenant }: OidcSettings, claims: { [claim: string]: unknown }): boolean {
  return tenant === undefined || claims['tid'] === tenant;
}

/** Logs the library's own code for the failure, one of a fixed list, for the operator. Nothing else is logged. */
function report(error: unknown): void {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreachable';
  logFailure('oidc-refused', /^[A-Z_]{1,64}$/.test(code) ? code : 'other');
}
