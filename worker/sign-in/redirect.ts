// The common parts of all methods that sign in at another site: the answer to a failure, the session, and the page afterwards.
import type { Context, MiddlewareHandler } from 'hono';
import { causeOf } from '../activity/cause.ts';
import { logOften } from '../http/log.ts';
import { Problem } from '../http/problem.ts';
import { markedValue } from '../marked.ts';
import { HOME, SCREENS, TOKEN_PAGE } from '../paths.ts';
import { withReserve } from '../reserve.ts';
import { storageFailureOf } from '../storage-failure.ts';
import { cookiesOf, giveCookie } from './cookie.ts';
import { countSignIn } from './count-sign-in.ts';
import { judgeIdentity, signInAs } from './identity.ts';
import type { Identity } from './identity.ts';
import { KNOWN_COOKIE, isKnownBrowser, knownCookie } from './known-browser.ts';
import type { MethodName } from './names.ts';
import { SESSION_COOKIE } from './session.ts';
import type { AdminEnv } from './session.ts';

/** What the sign-in page can say of a round trip that failed. */
export type Failure =
  | 'unknown-member'
  | 'email-not-verified'
  | 'sign-in-expired'
  | 'provider-unavailable'
  | 'sign-in-failed'
  | 'too-many-requests'
  | 'storage-unavailable';

/** A person's browser opens these addresses, so failures are shown on the sign-in page and not as JSON. */
export const tellPeople: MiddlewareHandler<AdminEnv> = async (c, next) => {
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

/** Redirects to the sign-in page, which says what happened. */
export function fail(c: Context<AdminEnv>, failure: Failure): Response {
  return c.redirect(`${c.env.call.origin}/sign-in?error=${failure}`);
}

/** Signs in the person that the other site named, and redirects to `returnTo` (a path and query of ours). `now` in ms. */
export async function letIn(
  c: Context<AdminEnv>,
  method: MethodName,
  identity: Identity,
  returnTo: string,
  now: number,
): Promise<Response> {
  const { call } = c.env;
  const { email } = identity;
  const { tagKeys: ring } = call.deployment.settings;
  const cookies = cookiesOf(c);
  const db = await call.deployment.openDatabase();
  const judged = await judgeIdentity(db, identity);
  if (!judged.ok) return fail(c, judged.reason);
  await countSignIn(db, email, now);
  const signedIn = await signInAs(
    withReserve(db),
    method,
    identity,
    {
      session: cookies[SESSION_COOKIE],
      newSession: markedValue(ring, 'session'),
      isKnown: isKnownBrowser(ring, cookies[KNOWN_COOKIE], email),
    },
    causeOf(call, email),
    now,
  );
  if (!signedIn.ok) return fail(c, signedIn.reason);
  giveCookie(c, signedIn.cookie);
  giveCookie(c, knownCookie(ring, cookies[KNOWN_COOKIE], email));
  return c.redirect(call.origin + returnTo);
}

/** Whether a sign-in leads to this page. */
function isReturnPage(path: string): boolean {
  if (path.startsWith(TOKEN_PAGE)) return /^[\w-]+$/.test(path.slice(TOKEN_PAGE.length));
  return SCREENS.some((screen) => screen !== 'sign-in' && path === `/${screen}`);
}

/**
 * One of our pages with its query, or the dashboard. It is appended to the origin and never resolved against it, so that `//host`
 * and its disguises lead nowhere else.
 */
export function pathToReturnTo(path: string | undefined, base: string): string {
  if (path === undefined || path.length > 1024 || !path.startsWith('/')) return HOME;
  const { origin } = new URL(base);
  if (!URL.canParse(path, origin)) return HOME;
  const url = new URL(path, origin);
  if (url.origin !== origin || !isReturnPage(url.pathname)) return HOME;
  return url.pathname + url.search;
}
