// Which ways to sign in this deployment offers, and whether its settings are complete. Local mode needs both the setting and a local host: a
// setting that leaks into production opens nothing there. A fault names the setting, never its value.
import type { Env } from './env.ts';
import { entraTenantOf } from './entra.ts';
import { knownFault, setFault } from './fault.ts';
import { headerListFault } from './header-rules.ts';
import { readTagKeyRing } from './token/secret.ts';
import type { TagKeyRing } from './token/secret.ts';
import { JURISDICTIONS, jurisdictionOf } from './verification/jurisdiction.ts';

const SECRET_LENGTH = 32;
const LOCAL_HOSTS = new Set(['localhost', '127.0.0.1']);

/** The URL of a request to a local host, as the runtime writes it. */
const LOCAL_URL = /^https?:\/\/(?:localhost|127\.0\.0\.1)(?::\d+)?\//;

/** Whether local conveniences (a sign-in link in the answer, an http issuer) may be had by this request. */
export function isLocal(env: Pick<Env, 'LOCAL_MODE'>, request: Request): boolean {
  return isLocalUrl(env, request.url);
}

/** The same for the URL of a request. Called for every request: nothing is parsed. */
export function isLocalUrl(env: Pick<Env, 'LOCAL_MODE'>, url: string): boolean {
  return env.LOCAL_MODE === '1' && LOCAL_URL.test(url);
}

/** What is wrong with the deployment, as one sentence, or null. The settings are looked at once in an isolate. */
export function faultOf(env: Env): string | null {
  let fault = knownFault(env);
  if (fault === undefined) setFault(env, (fault = findFault(env)));
  return fault;
}

/** The ring of a deployment without a fault. */
export function tagKeysOf(env: Pick<Env, 'TAG_KEYS' | 'TAG_KEY_CURRENT'>): TagKeyRing {
  const reading = readTagKeyRing(env.TAG_KEYS, env.TAG_KEY_CURRENT);
  if (!reading.ok) throw new Error(reading.reason);
  return reading.ring;
}

function findFault(env: Env): string | null {
  // First: while it is at fault, no host may answer 200 (index.ts).
  const host = hostFault('VERIFY_HOST', env.VERIFY_HOST);
  if (host !== null) return host;
  const ring = readTagKeyRing(env.TAG_KEYS, env.TAG_KEY_CURRENT);
  if (!ring.ok) return ring.reason;
  return (
    originsFault(env) ??
    contactFault(env.CONTACT_URL) ??
    upstreamFault(env) ??
    numberFault('UPSTREAM_TIMEOUT_MS', env.UPSTREAM_TIMEOUT_MS, 1, 600_000) ??
    headersFault(env) ??
    numberFault('REVOCATION_LEASE_MS', env.REVOCATION_LEASE_MS, 0, 60_000) ??
    numberFault('HUB_LEASE_MS', env.HUB_LEASE_MS, 1, 60_000) ??
    numberFault('DATABASE_EPOCH', env.DATABASE_EPOCH, 1, 1_000_000) ??
    leaseFault(env) ??
    (env.JURISDICTION === '' || jurisdictionOf(env.JURISDICTION) !== null
      ? null
      : `JURISDICTION: not one of ${JURISDICTIONS.join(', ')}`) ??
    (env.HSTS_SUBDOMAINS === 'yes' || env.HSTS_SUBDOMAINS === 'no'
      ? null
      : 'HSTS_SUBDOMAINS: neither "yes" nor "no"') ??
    (env.LOG === 'all' || env.LOG === 'errors' ? null : 'LOG: neither "all" nor "errors"') ??
    (env.EVENTS_RETENTION_DAYS
      ? numberFault('EVENTS_RETENTION_DAYS', env.EVENTS_RETENTION_DAYS, 30, 36_500)
      : null) ??
    secretFault('OPERATOR_SECRET', env.OPERATOR_SECRET) ??
    secretFault('OPERATOR_SECRET_NEXT', env.OPERATOR_SECRET_NEXT) ??
    secretFault('UPSTREAM_SECRET', env.UPSTREAM_SECRET) ??
    corsFault(env.CORS_ORIGINS) ??
    clientsFault(env.INTROSPECTION_CLIENTS) ??
    issuerFault(env) ??
    libsqlFault(env)
  );
}

/** As a browser writes a host name: what the URL of a request is compared with. */
function hostFault(name: string, value: string): string | null {
  const isGood = value === '' || (!value.endsWith('.') && URL.parse(`https://${value}`)?.hostname === value);
  return isGood ? null : `${name}: not a host name in small letters, without scheme, port and path`;
}

function originsFault({ ORIGINS: value, VERIFY_HOST: host }: Env): string | null {
  if (value === '') return null;
  const origins = value.split(',').map((origin) => origin.trim());
  const isGood = origins.every((origin) => /^https:\/\/[a-z\d.:-]+$/.test(origin) && isOrigin(origin));
  if (!isGood) return 'ORIGINS: not a comma-separated list of exact https origins';
  // On that host no page, no call and no sign-in is answered.
  return origins.some((origin) => new URL(origin).hostname === host) ? 'ORIGINS: names VERIFY_HOST' : null;
}

/** Members follow it, and security.txt names it (RFC 9116 section 2.5.3). */
function contactFault(value: string): string | null {
  const protocol = urlOf(value)?.protocol ?? '';
  return ['https:', 'mailto:', 'tel:'].includes(protocol)
    ? null
    : 'CONTACT_URL: not an https, mailto or tel URL';
}

/** UPSTREAM_SECRET and every call travel to it: never in the clear. A service binding has no URL. */
function upstreamFault(env: Env): string | null {
  const { UPSTREAM_URL: value } = env;
  if (value === '') return null;
  const url = urlOf(value);
  if (url === null || !isOrigin(value)) return 'UPSTREAM_URL: not an http(s) origin';
  return url.protocol === 'https:' || isLocalHttp(env, url) ? null : 'UPSTREAM_URL: not https';
}

function headersFault(env: Env): string | null {
  const request = headerListFault(env.UPSTREAM_REQUEST_HEADERS, 'request');
  if (request !== null) return `UPSTREAM_REQUEST_HEADERS: ${request}`;
  const answer = headerListFault(env.UPSTREAM_ANSWER_HEADERS, 'answer');
  return answer === null ? null : `UPSTREAM_ANSWER_HEADERS: ${answer}`;
}

function numberFault(name: string, value: string, least: number, most: number): string | null {
  const isGood = /^\d+$/.test(value) && Number(value) >= least && Number(value) <= most;
  return isGood ? null : `${name}: not a whole number from ${least} to ${most}`;
}

/** A hub's lease covers its isolates', or an answer that waits for the one alone would come before the other is over. */
function leaseFault(env: Env): string | null {
  if (Number(env.HUB_LEASE_MS) < Number(env.REVOCATION_LEASE_MS))
    return 'HUB_LEASE_MS: below REVOCATION_LEASE_MS';
  const { REVOCATION_LEASE_MS_BEFORE: lease, HUB_LEASE_MS_BEFORE: hubLease } = env;
  return (
    (lease === undefined ? null : numberFault('REVOCATION_LEASE_MS_BEFORE', lease, 0, 60_000)) ??
    (hubLease === undefined ? null : numberFault('HUB_LEASE_MS_BEFORE', hubLease, 1, 60_000))
  );
}

/** An unset or empty secret switches its routes off. A short secret is a mistake, and so is one that no header can carry. */
function secretFault(name: string, value: string | undefined): string | null {
  if (value === undefined || value === '') return null;
  if (value.length < SECRET_LENGTH) return `${name}: shorter than ${SECRET_LENGTH} characters`;
  return /^[!-~]+$/.test(value) ? null : `${name}: a space, or another character than visible ASCII`;
}

function corsFault(value: string): string | null {
  if (value === '') return null;
  const isGood = value
    .split(',')
    .map((origin) => origin.trim())
    .every((origin) => origin === '*' || isCallersOrigin(origin));
  return isGood ? null : 'CORS_ORIGINS: not a comma-separated list of exact origins';
}

/** As a browser writes it: of a website, or of an app or an extension, whose scheme is its own (`capacitor://localhost`). */
function isCallersOrigin(value: string): boolean {
  const url = urlOf(value);
  return url !== null && url.host !== '' && value === `${url.protocol}//${url.host}` && !/\s/.test(value);
}

function clientsFault(value: string | undefined): string | null {
  if (value === undefined || value === '') return null;
  let clients: unknown;
  try {
    clients = JSON.parse(value);
  } catch {
    clients = null;
  }
  if (typeof clients !== 'object' || clients === null || Array.isArray(clients)) {
    return 'INTROSPECTION_CLIENTS: not a JSON object';
  }
  const isGood = Object.values(clients).every(
    (secret) => typeof secret === 'string' && secret.length >= SECRET_LENGTH,
  );
  return isGood ? null : `INTROSPECTION_CLIENTS: a secret is shorter than ${SECRET_LENGTH} characters`;
}

function issuerFault(env: Env): string | null {
  if (!env.OIDC_ISSUER) return null;
  const issuer = urlOf(env.OIDC_ISSUER);
  if (issuer === null) return 'OIDC_ISSUER: not a URL';
  if (entraTenantOf(issuer) === null) return 'OIDC_ISSUER: not the issuer of one tenant, named by its id';
  if (!['', '0', '1'].includes(env.OIDC_EMAIL_TRUSTED ?? ''))
    return 'OIDC_EMAIL_TRUSTED: neither "1" nor "0"';
  return issuer.protocol === 'https:' || isLocalHttp(env, issuer) ? null : 'OIDC_ISSUER: not https';
}

/** The token travels with every statement: never in the clear, and never in a URL, which ends up in logs. */
function libsqlFault(env: Env): string | null {
  if (!env.LIBSQL_URL) return null;
  const url = urlOf(env.LIBSQL_URL);
  if (url === null || url.hostname === '') return 'LIBSQL_URL: not a URL';
  if (url.search !== '' || url.hash !== '' || url.username !== '' || url.password !== '') {
    return 'LIBSQL_URL: more than a host and a path; the token goes into LIBSQL_AUTH_TOKEN';
  }
  const isGood = url.protocol === 'libsql:' || url.protocol === 'https:' || isLocalHttp(env, url);
  return isGood ? null : 'LIBSQL_URL: not libsql or https';
}

/** Whether a URL is of this machine, and http may be used for it: in local mode alone. */
export function isLocalHttp(env: Env, url: URL): boolean {
  return env.LOCAL_MODE === '1' && url.protocol === 'http:' && LOCAL_HOSTS.has(url.hostname);
}

function isOrigin(value: string): boolean {
  const url = urlOf(value);
  return (
    url !== null &&
    (url.protocol === 'https:' || url.protocol === 'http:') &&
    (value === url.origin || value === `${url.origin}/`)
  );
}

function urlOf(value: string): URL | null {
  try {
    return new URL(value);
  } catch {
    return null;
  }
}
