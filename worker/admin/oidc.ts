// /api/sign-in/oidc: the OpenID Connect code flow (PKCE, state, nonce), bound to the asking browser, within ten minutes. The provider names a person. It never makes a member, and no text of it reaches our pages.
import { Hono } from 'hono/tiny';
import type { Context, MiddlewareHandler } from 'hono';
import { causeOf } from '../activity/cause.ts';
import type { OidcSettings } from '../deployment/oidc.ts';
import type { Call } from '../http/call.ts';
import { limitClient } from '../http/limit.ts';
import { logOften } from '../http/log.ts';
import { Problem } from '../http/problem.ts';
import { markedValue } from '../marked.ts';
import { randomValue } from '../random.ts';
import { withReserve } from '../reserve.ts';
import { storageFailureOf } from '../storage-failure.ts';
import { cookiesOf, giveCookie } from './cookies.ts';
import { countSignIn } from './count-sign-in.ts';
import { judgeIdentity, signInAs } from './identity.ts';
import { authorizationUrl, exchange, openProvider } from './provider.ts';
import { beginRoundTrip, endRoundTrip, readRoundTrip } from './round-trip.ts';
import { SESSION_COOKIE } from './session.ts';
import type { AdminEnv } from './session.ts';

/** What the sign-in page can say of a round trip that failed. */
type Failure =
  | 'unknown-member'
  | 'email-not-verified'
  | 'sign-in-expired'
  | 'provider-unavailable'
  | 'sign-in-failed'
  | 'too-many-requests'
  | 'storage-unavailable';

/** A person's browser stands at these addresses: what may pass is told on the sign-in page, not as JSON. */
const tellPeople: MiddlewareHandler<AdminEnv> = async (c, next) => {
  try {
    await next();
  } catch (error) {
    const isLimit = error instanceof Problem && error.slug === 'too-many-requests';
    const failure = storageFailureOf(error);
    if (!isLimit && failure === null) throw error;
    if (failure !== null) logOften('storage-failed', failure);
    c.res = fail(c, isLimit ? 'too-many-requests' : 'storage-unavailable');
  }
};

export const oidc = new Hono<AdminEnv>()
  .use('/sign-in/oidc', tellPeople)
  .use('/sign-in/oidc/callback', tellPeople)
  .get('/sign-in/oidc', async (c) => {
    const { call } = c.env;
    const settings = settingsOf(call);
    // Before the provider is asked for anything.
    await limitClient(call, call.deployment.limiters.signInsPerClient, 'begin ');
    const provider = await openProvider(settings);
    if (provider === null) return fail(c, 'provider-unavailable');
    const trip = {
      state: randomValue(),
      nonce: randomValue(),
      codeVerifier: randomValue(),
      returnTo: pathToReturnTo(c.req.query('return_to'), c.req.url),
    };
    const url = await authorizationUrl(provider, trip, callbackOf(call));
    const { tagKeys } = call.deployment.settings;
    for (const cookie of await beginRoundTrip(
      tagKeys,
      trip,
      boundOf(call, settings),
      cookiesOf(c),
      Date.now(),
    ))
      giveCookie(c, cookie);
    return c.redirect(url);
  })
  .get('/sign-in/oidc/callback', async (c) => {
    const { call } = c.env;
    const settings = settingsOf(call);
    const { tagKeys: ring } = call.deployment.settings;
    const now = Date.now();
    const parameters = new URL(c.req.url).searchParams;
    const state = parameters.get('state') ?? '';
    const trip = await readRoundTrip(ring, state, boundOf(call, settings), cookiesOf(c), now);
    if (trip === null) {
      await limitClient(call, call.deployment.limiters.failedLoginsPerClient);
      return fail(c, 'sign-in-expired');
    }
    await limitClient(call, call.deployment.limiters.signInsPerClient, 'finish ');
    const provider = await openProvider(settings);
    if (provider === null) return fail(c, 'provider-unavailable');
    const outcome = await exchange(provider, parameters, trip, callbackOf(call));
    // The code is used up, whatever comes of it.
    giveCookie(c, endRoundTrip(state));
    if (!outcome.ok) return fail(c, outcome.reason);
    const { email, subject } = outcome;
    const db = await call.deployment.openDatabase();
    const identity = { issuer: provider.server.issuer, email, subject };
    const judged = await judgeIdentity(db, identity);
    if (!judged.ok) return fail(c, judged.reason);
    await countSignIn(db, email, now);
    const signedIn = await signInAs(
      withReserve(db),
      identity,
      { session: cookiesOf(c)[SESSION_COOKIE], newSession: markedValue(ring, 'session') },
      causeOf(call, email),
      now,
    );
    if (!signedIn.ok) return fail(c, signedIn.reason);
    giveCookie(c, signedIn.cookie);
    return c.redirect(call.origin + trip.returnTo);
  });

/** A round trip is good for the provider, the client and the callback that it began with. */
function boundOf(call: Call, { issuer, clientId }: OidcSettings): string {
  return JSON.stringify([issuer.href, clientId, callbackOf(call)]);
}

function callbackOf({ origin }: Call): string {
  return `${origin}/api/sign-in/oidc/callback`;
}

function fail(c: Context<AdminEnv>, failure: Failure): Response {
  return c.redirect(`${c.env.call.origin}/sign-in?error=${failure}`);
}

/** The provider that the settings name. One on this machine is asked in the clear, which a caller from elsewhere may not cause. */
function settingsOf({ deployment, isLocal }: Call): OidcSettings {
  const { oidc: settings } = deployment.settings;
  if (settings === null) throw new Problem('not-found');
  if (settings.issuer.protocol !== 'https:' && !isLocal)
    throw new Problem('misconfigured', 'OIDC_ISSUER: not https, which only a caller on this machine may use');
  return settings;
}

/** The pages that a sign-in leads to. */
const RETURN_PAGES = new Set(['/developer-zone', '/activity', '/sessions']);

/**
 * One of our pages with its query, or the dashboard. It is appended to the origin and never resolved against it, so that `//host`
 * and its disguises lead nowhere else.
 */
export function pathToReturnTo(path: string | undefined, base: string): string {
  const HOME = '/developer-zone';
  if (path === undefined || path.length > 1024 || !path.startsWith('/')) return HOME;
  const { origin } = new URL(base);
  if (!URL.canParse(path, origin)) return HOME;
  const url = new URL(path, origin);
  if (url.origin !== origin || !RETURN_PAGES.has(url.pathname)) return HOME;
  return url.pathname + url.search;
}
