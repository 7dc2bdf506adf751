// Which addresses are this deployment's own. Outside local mode a request is answered over https alone, and, where ORIGINS is
// set, at the origins that it names and no other: whoever controls another host that is routed here could otherwise have a
// sign-in link mailed that leads to them.
import { isLocalUrl } from './configuration.ts';
import type { Env } from './env.ts';
import { Problem } from './problem.ts';
import { isSentTo, originOf } from './request-id.ts';

type Addresses = {
  env: Env | null;
  /** The origins of ORIGINS, the first of which this deployment calls itself by; empty where it is not set. */
  origins: readonly string[];
  /** How the URL of a request begins that is answered. */
  prefixes: readonly string[];
};
/** Of the last deployment that asked: an isolate has one. */
let known: Addresses = { env: null, origins: [], prefixes: [] };

/** The origins that a comma-separated setting names. */
function listOrigins(setting: string): string[] {
  return setting
    .split(',')
    .map((origin) => origin.trim())
    .filter((origin) => origin !== '');
}

function addressesOf(env: Env): Addresses {
  if (known.env === env) return known;
  const origins = listOrigins(env.ORIGINS);
  // Without the setting, every host that Cloudflare routes here is accepted, and sign-in is closed.
  const prefixes = origins.length === 0 ? ['https://'] : origins.map((origin) => `${origin}/`);
  return (known = { env, origins, prefixes });
}

/** Whether a request is sent to the host that answers forward-auth alone, on any port and by any scheme. */
export function isAtVerifyHost(request: Request, env: Env): boolean {
  return env.VERIFY_HOST !== '' && isSentTo(request, env.VERIFY_HOST);
}

/** Whether a request to this URL is answered. Called for every request: no URL is parsed. */
export function isOurs(url: string, env: Env): boolean {
  for (const prefix of addressesOf(env).prefixes) if (url.startsWith(prefix)) return true;
  if (isLocalUrl(env, url)) return true;
  if (env.VERIFY_HOST === '' || !isSentTo({ url }, env.VERIFY_HOST)) return false;
  // A name below localhost is this machine (RFC 6761 section 6.3).
  return url.startsWith('https://') || (env.LOCAL_MODE === '1' && env.VERIFY_HOST.endsWith('.localhost'));
}

/** Why a request that is not ours is refused: over http to a host of ours, or to another host. */
export function addressProblem(request: Request, env: Env): Problem {
  const secure = secureOriginOf(request);
  return isOurs(`${secure}/`, env)
    ? new Problem('https-required', `Call ${secure}. A credential that was sent over http is to be replaced.`)
    : new Problem('misdirected-request', 'This deployment does not answer at this host');
}

/** Whether this deployment knows its own address, which links and redirects of a sign-in are made of. */
export function hasOwnOrigin(env: Env, request: Request): boolean {
  return addressesOf(env).origins.length > 0 || isLocalUrl(env, request.url);
}

/**
 * The origin that this deployment calls itself by: in mails, redirects, problem types, documentation and as an issuer.
 * The first of ORIGINS; in local mode, and where the setting is missing, the request's own.
 */
export function ownOrigin(env: Env, request: Request): string {
  const [first] = addressesOf(env).origins;
  if (isLocalUrl(env, request.url)) return originOf(request);
  return first ?? secureOriginOf(request);
}

/** What takes a credential or answers a program; everything else is a page or a public document. */
const NO_PAGE = /^\/(?:v1|api|verify|introspect|operator|healthz)(?:\/|$)/;

/**
 * Where a page is asked for over http, or at another origin than the first: the same page at the first one, or null.
 * Sign-in needs this: mailed links and the identity provider lead to the first origin, and a cookie is of one host.
 * `path` is decoded as the router decodes it, because the router says what is a page.
 */
export function pageElsewhere(path: string, request: Request, env: Env): string | null {
  const { method, url } = request;
  if ((method !== 'GET' && method !== 'HEAD') || NO_PAGE.test(path)) return null;
  const [from, to] = [originOf(request), ownOrigin(env, request)];
  return from === to || !isOurs(`${secureOriginOf(request)}/`, env) ? null : to + url.slice(from.length);
}

function secureOriginOf(request: Request): string {
  return originOf(request).replace(/^http:/, 'https:');
}
