// The settings of a deployment, each read once and typed. If one has a fault, every answer but that of /healthz names it.
import { libsql } from '#libsql';
import { readTagKeyRing } from '../token/secret.ts';
import type { TagKeyRing } from '../token/secret.ts';
import { JURISDICTIONS, jurisdictionOf } from '../verification/jurisdiction.ts';
import type { Env } from './env.ts';
import { readHeaderRule } from './header-rules.ts';
import { readReadRequests } from './read-requests.ts';
import {
  WITH_USER,
  hasUser,
  isLocalHttp,
  originOf,
  readClients,
  readHost,
  readNumber,
  readSecret,
  readWord,
} from './reading.ts';
import type { Reading } from './reading.ts';
import { readSignIn } from './sign-in.ts';
import { readWebhook } from './webhook.ts';

export type Settings = ReturnType<typeof readSettings>['settings'];

/**
 * All settings, and the first fault among them or null. A setting with a fault has the value of a missing one; `isVerifyHostKnown`
 * tells that from no VERIFY_HOST.
 */
export function readSettings(env: Env) {
  const isLocalMode = env.LOCAL_MODE === '1';
  const leaseMs = readNumber(env, 'REVOCATION_LEASE_MS', 0, 60_000);
  const verifyHost = readHost(env, 'VERIFY_HOST');
  // In the order in which their faults are told.
  const readings = {
    verifyHost,
    tagKeys: readTagKeys(env),
    origins: readOrigins(env.ORIGINS, verifyHost.value),
    contactUrl: readContact(env.CONTACT_URL),
    upstreamOrigin: readUpstream(env.UPSTREAM_URL, isLocalMode),
    upstreamTimeoutMs: readNumber(env, 'UPSTREAM_TIMEOUT_MS', 1, 600_000),
    requestHeaders: readHeaderRule('UPSTREAM_REQUEST_HEADERS', env.UPSTREAM_REQUEST_HEADERS, 'request'),
    isRead: readReadRequests(env.READ_REQUESTS),
    answerHeaders: readHeaderRule('UPSTREAM_ANSWER_HEADERS', env.UPSTREAM_ANSWER_HEADERS, 'answer'),
    leaseMs,
    hubLeaseMs: readHubLease(env, leaseMs.value),
    databaseEpoch: readNumber(env, 'DATABASE_EPOCH', 1, 1_000_000),
    // Of the deployment before this one, where this one shortened them: its isolates may still run.
    leaseMsBefore: readNumber(env, 'REVOCATION_LEASE_MS_BEFORE', 0, 60_000, '0'),
    hubLeaseMsBefore: readNumber(env, 'HUB_LEASE_MS_BEFORE', 1, 60_000, '1'),
    jurisdiction: readJurisdiction(env.JURISDICTION),
    hstsSubdomains: readWord(env, 'HSTS_SUBDOMAINS', ['yes', 'no']),
    log: readWord(env, 'LOG', ['all', 'errors']),
    exposedTokens: readWord(env, 'EXPOSED_TOKENS', ['pause', 'record']),
    githubKeysUrl: readGithubKeys(env.GITHUB_KEYS_URL, isLocalMode),
    eventsRetentionDays: readRetention(env),
    operatorSecret: readSecret(env, 'OPERATOR_SECRET'),
    operatorSecretNext: readSecret(env, 'OPERATOR_SECRET_NEXT'),
    upstreamSecret: readSecret(env, 'UPSTREAM_SECRET'),
    verifySecret: readSecret(env, 'VERIFY_SECRET'),
    corsOrigins: readCorsOrigins(env.CORS_ORIGINS),
    introspectionClients: readClients(env, 'INTROSPECTION_CLIENTS'),
    mailFrom: readSender(env.EMAIL_FROM),
    signIn: readSignIn(env, isLocalMode),
    webhook: readWebhook(env, isLocalMode),
    libsqlUrl: readLibsql(env.LIBSQL_URL, isLocalMode),
    productName: { value: env.PRODUCT_NAME },
    isLocalMode: { value: isLocalMode },
  } satisfies Record<string, Reading<unknown>>;
  const all: Reading<unknown>[] = Object.values(readings);
  const settings = Object.fromEntries(Object.entries(readings).map(([name, { value }]) => [name, value])) as {
    // Each value stands under the name of its reading.
    [Name in keyof typeof readings]: (typeof readings)[Name]['value'];
  };
  const fault = all.find((reading) => reading.fault !== undefined)?.fault ?? null;
  return { settings, fault, isVerifyHostKnown: verifyHost.fault === undefined };
}

/** A hub's lease covers its isolates', or an answer that waits for the one alone would come before the other is over. */
function readHubLease(env: Env, leaseMs: number): Reading<number> {
  const reading = readNumber(env, 'HUB_LEASE_MS', 1, 60_000);
  if (reading.fault !== undefined || reading.value >= leaseMs) return reading;
  return { ...reading, fault: 'HUB_LEASE_MS: below REVOCATION_LEASE_MS' };
}

function readTagKeys(env: Env): Reading<TagKeyRing> {
  const reading = readTagKeyRing(env.TAG_KEYS, env.TAG_KEY_CURRENT);
  return reading.ok
    ? { value: reading.ring }
    : { value: { current: '', keys: new Map() }, fault: reading.reason };
}

/** The origins of the deployment, the first of which it calls itself by, and how the URL of a request begins that is answered. */
type Origins = { all: readonly string[]; prefixes: readonly string[] };

/** Without the setting, every host that Cloudflare routes here is accepted, and sign-in is closed. */
const EVERY_HOST: Origins = { all: [], prefixes: ['https://'] };

function readOrigins(value: string, verifyHost: string): Reading<Origins> {
  if (value === '') return { value: EVERY_HOST };
  const all = value.split(',').map((origin) => origin.trim());
  const isGood = all.every((origin) => /^https:\/\/[a-z\d.:-]+$/.test(origin) && originOf(origin) === origin);
  if (!isGood)
    return { value: EVERY_HOST, fault: 'ORIGINS: not a comma-separated list of exact https origins' };
  const origins = { all, prefixes: all.map((origin) => `${origin}/`) };
  // On that host no page, no call and no sign-in is answered.
  return all.some((origin) => new URL(origin).hostname === verifyHost)
    ? { value: origins, fault: 'ORIGINS: names VERIFY_HOST' }
    : { value: origins };
}

/** Members follow it, and security.txt names it (RFC 9116 section 2.5.3). */
function readContact(value: string): Reading<string> {
  const protocol = URL.parse(value)?.protocol ?? '';
  return ['https:', 'mailto:', 'tel:'].includes(protocol)
    ? { value }
    : { value: '', fault: 'CONTACT_URL: not an https, mailto or tel URL' };
}

/** UPSTREAM_SECRET and every call travel to it: never in the clear. A service binding has no URL. */
function readUpstream(value: string, isLocalMode: boolean): Reading<string | null> {
  if (value === '') return { value: null };
  const origin = originOf(value);
  if (origin === null) return { value: null, fault: 'UPSTREAM_URL: not an http(s) origin' };
  return origin.startsWith('https:') || isLocalHttp(isLocalMode, new URL(origin))
    ? { value: origin }
    : { value: null, fault: 'UPSTREAM_URL: not https' };
}

/** Where GitHub's public keys are. Null: no report of GitHub is accepted. A server at this address could report any token. */
function readGithubKeys(value: string, isLocalMode: boolean): Reading<string | null> {
  if (value === '') return { value: null };
  const url = URL.parse(value);
  if (url === null || (url.protocol !== 'https:' && !isLocalHttp(isLocalMode, url)))
    return { value: null, fault: 'GITHUB_KEYS_URL: not an https URL' };
  return hasUser(url) ? { value: null, fault: `GITHUB_KEYS_URL: ${WITH_USER}` } : { value: url.href };
}

/** Who sends all mails: an address, also with a name before it. Null: no mail is sent. */
function readSender(value: string): Reading<string | null> {
  if (!value) return { value: null };
  return /^(?:[^<>@]+ <[^\s<>@]+@[^\s<>@]+>|[^\s<>@]+@[^\s<>@]+)$/.test(value)
    ? { value }
    : { value: null, fault: 'EMAIL_FROM: not an e-mail address' };
}

function readJurisdiction(value: string) {
  const jurisdiction = jurisdictionOf(value);
  return value === '' || jurisdiction !== null
    ? { value: jurisdiction }
    : { value: null, fault: `JURISDICTION: not one of ${JURISDICTIONS.join(', ')}` };
}

/** How many days an event is kept, or null: for ever. */
function readRetention(env: Env): Reading<number | null> {
  return env.EVENTS_RETENTION_DAYS ? readNumber(env, 'EVENTS_RETENTION_DAYS', 30, 36_500) : { value: null };
}

/** The websites whose scripts may call /v1. */
type CorsOrigins = { any: boolean; exact: ReadonlySet<string> };

/** Null: none. */
function readCorsOrigins(value: string): Reading<CorsOrigins | null> {
  if (value === '') return { value: null };
  const origins = value.split(',').map((origin) => origin.trim());
  return origins.every((origin) => origin === '*' || isCallersOrigin(origin))
    ? { value: { any: origins.includes('*'), exact: new Set(origins) } }
    : { value: null, fault: 'CORS_ORIGINS: not a comma-separated list of exact origins' };
}

/** As a browser writes it: of a website, or of an app or an extension, whose scheme is its own (`capacitor://localhost`). */
function isCallersOrigin(value: string): boolean {
  const url = URL.parse(value);
  return url !== null && url.host !== '' && value === `${url.protocol}//${url.host}` && !/\s/.test(value);
}

/** The token travels with every statement: never in the clear, and never in a URL, which ends up in logs. */
function readLibsql(value: string | undefined, isLocalMode: boolean): Reading<string | null> {
  if (!value) return { value: null };
  const url = URL.parse(value);
  const fault = (text: string) => ({ value: null, fault: text });
  if (url === null || url.hostname === '') return fault('LIBSQL_URL: not a URL');
  if (url.search !== '' || url.hash !== '' || hasUser(url))
    return fault('LIBSQL_URL: more than a host and a path; the token goes into LIBSQL_AUTH_TOKEN');
  const isGood = url.protocol === 'libsql:' || url.protocol === 'https:' || isLocalHttp(isLocalMode, url);
  if (!isGood) return fault('LIBSQL_URL: not libsql or https');
  return libsql.isBundled
    ? { value }
    : fault(
        'LIBSQL_URL: this Worker was built for D1. Run "npm run deploy" with LIBSQL_URL in its environment (docs/operating/libsql.md)',
      );
}
