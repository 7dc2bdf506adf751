// Which headers pass between a caller and the upstream API: fixed lists, and the additions of two settings. Names are in small
// letters. A trailing `*` stands for any end of a name.
import type { Reading } from './reading.ts';

type Names = { exact: ReadonlySet<string>; prefixes: readonly string[] };
/** `passes` takes a name in small letters. */
export type HeaderRule = { passes(name: string): boolean };
const MCP = 'mcp-protocol-version, mcp-session-id, mcp-method, mcp-name, mcp-param-*';
const REQUEST = `accept, accept-*, content-*, idempotency-key, if-*, last-event-id, ${MCP}, prefer, range, traceparent, tracestate, user-agent`;
const ANSWER = `accept-*, allow, content-*, deprecation, etag, last-modified, link, location, ${MCP}, preference-applied, ratelimit, ratelimit-*, retry-after, sunset, www-authenticate`;

/** No setting lets these pass, in any spelling that a server may read alike. */
const NEVER = readNames(
  // Who is calling: the gateway alone says it.
  'x-organisation-*, x-token-*, x-edge-*, x-request-id, forwarded, x-forwarded-*, via, x-real-ip, true-client-ip, cf-connecting-*, ' +
    // Credentials and cookies.
    'authorization, proxy-*, x-api-key, cf-access-*, cookie, cookie2, set-cookie, set-cookie2, ' +
    // Of one connection or of one message's frame (RFC 9110 section 7.6.1).
    'connection, keep-alive, te, trailer, transfer-encoding, upgrade, http2-settings, host, expect, content-length, ' +
    // What asks a server for another path or method than the one that was checked.
    'x-original-url, x-rewrite-url, x-http-method, x-http-method-override, x-method-override',
);
/** The dashboard has the same origin, so the API must not set rules for browsers and caches. */
const NEVER_IN_ANSWERS = readNames(
  'access-control-*, accept-ch, age, alt-svc, cache-control, clear-site-data, content-security-policy*, cross-origin-*, expires, nel, ' +
    'origin-agent-cluster, permissions-policy, pragma, referrer-policy, refresh, report-to, reporting-endpoints, server, ' +
    'service-worker-allowed, strict-transport-security, vary, x-content-type-options, x-frame-options',
);

const NAME = /^[\w!#$%&'+.^`|~-]+\*?$/;

/** The rule of one direction: its fixed list, and what the setting `value` of the name `setting` adds. */
export function readHeaderRule(
  setting: string,
  value: string,
  direction: 'request' | 'answer',
): Reading<HeaderRule> {
  const [fixed, never] = direction === 'request' ? [REQUEST, [NEVER]] : [ANSWER, [NEVER, NEVER_IN_ANSWERS]];
  const more = namesIn(value);
  const fault = !more.every((name) => NAME.test(name))
    ? 'not a comma-separated list of header names, each with at most one * and that at its end'
    : more.some((name) => isNever(name.replace('*', ''), never))
      ? 'names a header that never passes (identity, credentials, cookies, one connection, and what this product sets itself)'
      : null;
  return fault === null
    ? { value: ruleOf(readNames(`${fixed}, ${value}`), never) }
    : { value: ruleOf(readNames(fixed), never), fault: `${setting}: ${fault}` };
}

function ruleOf(names: Names, never: readonly Names[]): HeaderRule {
  return {
    passes: (name) => matches(names, name) && !isNever(name, never),
  };
}

/** CGI reads `X_Token_Id` and, in PHP, `X.Token.Id` as it reads `X-Token-Id`. */
function isNever(name: string, never: readonly Names[]): boolean {
  const folded = name.replaceAll(/[^a-z0-9]/g, '-');
  return never.some((names) => matches(names, folded));
}

function matches({ exact, prefixes }: Names, name: string): boolean {
  return exact.has(name) || prefixes.some((prefix) => name.startsWith(prefix));
}

function readNames(list: string): Names {
  const names = namesIn(list);
  return {
    exact: new Set(names.filter((name) => !name.endsWith('*'))),
    prefixes: names.filter((name) => name.endsWith('*')).map((name) => name.slice(0, -1)),
  };
}

/** The names of a comma-separated list, a header's or a setting's, in small letters. */
export function namesIn(list: string): string[] {
  return list
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '');
}
