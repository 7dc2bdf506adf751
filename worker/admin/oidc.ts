// /api/sign-in/oidc: the OpenID Connect code flow (PKCE, state, nonce), bound to the asking browser, once, within ten
// minutes. The provider says who somebody is; it never makes a member, and none of its words reaches our pages.
import { Hono } from 'hono/tiny';
import type { Context, MiddlewareHandler } from 'hono';
import { getCookie } from 'hono/cookie';
import { causeOf } from '../activity/cause.ts';
import { clientKey } from '../client-address.ts';
import { openDatabase } from '../database.ts';
import { limit } from '../limit.ts';
import { logOften } from '../log.ts';
import { ownOrigin } from '../origins.ts';
import { Problem } from '../problem.ts';
import { randomValue } from '../random.ts';
import { withReserve } from '../reserve.ts';
import { storageFailureOf } from '../storage-failure.ts';
import { BROWSER_COOKIE_NAME, browserCookie } from './link.ts';
import { keepRoundTrip, signInAs, takeRoundTrip } from './identity.ts';
import { authorizationUrl, exchange, openProvider } from './provider.ts';
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
    const opened = await openProvider(c.env, c.req.raw);
    if (!opened.ok) return refuse(c, opened.reason);
    await limit(c.env.LINKS_PER_CLIENT, clientKey(c.req.raw));
    const browser = getCookie(c, BROWSER_COOKIE_NAME) ?? randomValue();
    const trip = { state: randomValue(), nonce: randomValue(), codeVerifier: randomValue() };
    const url = await authorizationUrl(opened.provider, trip, callbackOf(c));
    await keepRoundTrip(
      await openDatabase(c.env),
      { ...trip, returnTo: pathToReturnTo(c.req.query('return_to'), c.req.url) },
      browser,
      Date.now(),
    );
    c.header('set-cookie', browserCookie(browser));
    return c.redirect(url);
  })
  .get('/sign-in/oidc/callback', async (c) => {
    const opened = await openProvider(c.env, c.req.raw);
    if (!opened.ok) return refuse(c, opened.reason);
    const db = await openDatabase(c.env);
    const now = Date.now();
    const parameters = new URL(c.req.url).searchParams;
    // Taken before anything else is looked at: a callback counts once, whatever comes of it.
    const trip = await takeRoundTrip(
      db,
      parameters.get('state') ?? '',
      getCookie(c, BROWSER_COOKIE_NAME),
      now,
    );
    if (trip === null) return fail(c, 'sign-in-expired');
    const outcome = await exchange(opened.provider, parameters, trip, callbackOf(c));
    if (!outcome.ok) return fail(c, outcome.reason);
    const { email, subject } = outcome;
    const signedIn = await signInAs(
      withReserve(db),
      { issuer: opened.provider.server.issuer, email, subject },
      getCookie(c, SESSION_COOKIE),
      causeOf(c, email),
      now,
    );
    if (!signedIn.ok) return fail(c, signedIn.reason);
    c.header('set-cookie', signedIn.cookie);
    return c.redirect(ownOrigin(c.env, c.req.raw) + trip.returnTo);
  });

function callbackOf(c: Context<AdminEnv>): string {
  return `${ownOrigin(c.env, c.req.raw)}/api/sign-in/oidc/callback`;
}

function fail(c: Context<AdminEnv>, failure: Failure): Response {
  return c.redirect(`${ownOrigin(c.env, c.req.raw)}/sign-in?error=${failure}`);
}

function refuse(
  c: Context<AdminEnv>,
  reason: 'not-configured' | 'misconfigured' | 'provider-unavailable',
): Response {
  if (reason === 'not-configured') throw new Problem('not-found');
  if (reason === 'provider-unavailable') return fail(c, 'provider-unavailable');
  throw new Problem(
    'unexpected',
    'OIDC_ISSUER must be an https URL (http on localhost in local mode alone), and OIDC_CLIENT_ID be set',
  );
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
