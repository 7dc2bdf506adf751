// /api/sign-in/oidc: the OpenID Connect code flow (PKCE, state, nonce), bound to the asking browser, within ten minutes. The provider names a person. It never makes a member, and no text of it reaches our pages.
import { Hono } from 'hono/tiny';
import type { Context, MiddlewareHandler } from 'hono';
import { causeOf } from '../activity/cause.ts';
import { tagKeysOf } from '../configuration.ts';
import { openDatabase } from '../database.ts';
import { limitClient } from '../limit.ts';
import { logOften } from '../log.ts';
import { markedValue } from '../marked.ts';
import { ownOrigin } from '../origins.ts';
import { Problem } from '../problem.ts';
import { randomValue } from '../random.ts';
import { withReserve } from '../reserve.ts';
import { storageFailureOf } from '../storage-failure.ts';
import { cookiesOf, giveCookie } from './cookies.ts';
import { countSignIn } from './count-sign-in.ts';
import { judgeIdentity, signInAs } from './identity.ts';
import { authorizationUrl, exchange, openProvider, readProvider } from './provider.ts';
import type { ProviderSettings } from './provider.ts';
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
    const read = readProvider(c.env, c.req.raw);
    if (!read.ok) return refuse(read.reason);
    // Before the provider is asked for anything.
    await limitClient(c.env, c.env.SIGN_INS_PER_CLIENT, c.req.raw, 'begin ');
    const provider = await openProvider(read.settings);
    if (provider === null) return fail(c, 'provider-unavailable');
    const trip = {
      state: randomValue(),
      nonce: randomValue(),
      codeVerifier: randomValue(),
      returnTo: pathToReturnTo(c.req.query('return_to'), c.req.url),
    };
    const url = await authorizationUrl(provider, trip, callbackOf(c));
    const bound = boundOf(c, read.settings);
    for (const cookie of await beginRoundTrip(tagKeysOf(c.env), trip, bound, cookiesOf(c), Date.now()))
      giveCookie(c, cookie);
    return c.redirect(url);
  })
  .get('/sign-in/oidc/callback', async (c) => {
    const read = readProvider(c.env, c.req.raw);
    if (!read.ok) return refuse(read.reason);
    const ring = tagKeysOf(c.env);
    const now = Date.now();
    const parameters = new URL(c.req.url).searchParams;
    const state = parameters.get('state') ?? '';
    const trip = await readRoundTrip(ring, state, boundOf(c, read.settings), cookiesOf(c), now);
    if (trip === null) {
      await limitClient(c.env, c.env.FAILED_LOGINS_PER_CLIENT, c.req.raw);
      return fail(c, 'sign-in-expired');
    }
    await limitClient(c.env, c.env.SIGN_INS_PER_CLIENT, c.req.raw, 'finish ');
    const provider = await openProvider(read.settings);
    if (provider === null) return fail(c, 'provider-unavailable');
    const outcome = await exchange(provider, parameters, trip, callbackOf(c));
    // The code is used up, whatever comes of it.
    giveCookie(c, endRoundTrip(state));
    if (!outcome.ok) return fail(c, outcome.reason);
    const { email, subject } = outcome;
    const db = await openDatabase(c.env);
    const identity = { issuer: provider.server.issuer, email, subject };
    const judged = await judgeIdentity(db, identity);
    if (!judged.ok) return fail(c, judged.reason);
    await countSignIn(db, email, now);
    const signedIn = await signInAs(
      withReserve(db),
      identity,
      { session: cookiesOf(c)[SESSION_COOKIE], newSession: markedValue(ring, 'session') },
      causeOf(c, email),
      now,
    );
    if (!signedIn.ok) return fail(c, signedIn.reason);
    giveCookie(c, signedIn.cookie);
    return c.redirect(ownOrigin(c.env, c.req.raw) + trip.returnTo);
  });

/** A round trip is good for the provider, the client and the callback that it began with. */
function boundOf(c: Context<AdminEnv>, { issuer, clientId }: ProviderSettings): string {
  return JSON.stringify([issuer.href, clientId, callbackOf(c)]);
}

function callbackOf(c: Context<AdminEnv>): string {
  return `${ownOrigin(c.env, c.req.raw)}/api/sign-in/oidc/callback`;
}

function fail(c: Context<AdminEnv>, failure: Failure): Response {
  return c.redirect(`${ownOrigin(c.env, c.req.raw)}/sign-in?error=${failure}`);
}

function refuse(reason: 'not-configured' | 'misconfigured'): never {
  if (reason === 'not-configured') throw new Problem('not-found');
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
