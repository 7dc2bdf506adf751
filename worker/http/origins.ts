// Which addresses are this deployment's own. Outside local mode a request is answered over https alone, and, where ORIGINS is
// set, at the origins that it names and no other: a person who controls another host that is routed here could otherwise have a
// sign-in link mailed that leads to them.
import type { Call } from './call.ts';
import { Problem } from './problem.ts';

/** Whether a request is sent to the host that answers forward-auth alone, on any port and by any scheme. */
export function isAtVerifyHost({ request, deployment }: Call): boolean {
  const { verifyHost } = deployment.settings;
  return verifyHost !== '' && isSentTo(request.url, verifyHost);
}

/**
 * Whether a URL leads to this host, on any port; `host` as a URL writes it. A final dot names the same host, and so do large
 * letters, which a runtime may leave as the caller wrote them.
 */
export function isSentTo(url: string, host: string): boolean {
  const start = url.indexOf('//') + 2;
  const end = start + host.length;
  if (url.slice(start, end).toLowerCase() !== host) return false;
  const next = url.charAt(url.charAt(end) === '.' ? end + 1 : end);
  return next === '/' || next === ':';
}

/** Whether the call came to an address of ours. Asked for every call: no URL is parsed. */
function isOurs(call: Call): boolean {
  return call.isLocal || isOurUrl(call, call.request.url);
}

function isOurUrl({ deployment }: Call, url: string): boolean {
  const { origins, verifyHost, isLocalMode } = deployment.settings;
  for (const prefix of origins.prefixes) if (url.startsWith(prefix)) return true;
  if (verifyHost === '' || !isSentTo(url, verifyHost)) return false;
  // A name below localhost is this machine (RFC 6761 section 6.3).
  return url.startsWith('https://') || (isLocalMode && verifyHost.endsWith('.localhost'));
}

/** Why a call at this address is refused, over http to a host of ours or to another host; or null: it is ours. */
export function addressProblem(call: Call): Problem | null {
  if (isOurs(call)) return null;
  return isOursBySecure(call)
    ? new Problem(
        'https-required',
        `Call ${call.secureSentTo}. A credential that was sent over http is to be replaced.`,
      )
    : new Problem('misdirected-request', 'This deployment does not answer at this host');
}

function isOursBySecure(call: Call): boolean {
  return isOurUrl(call, `${call.secureSentTo}/`);
}

/** Whether this deployment knows its own address, which links and redirects of a sign-in are made of. */
export function hasOwnOrigin({ deployment, isLocal }: Call): boolean {
  return deployment.settings.origins.all.length > 0 || isLocal;
}

/** What takes a credential or answers a program; everything else is a page or a public document. */
const NO_PAGE = /^\/(?:v1|api|verify|introspect|operator|report|healthz)(?:\/|$)/;

/**
 * Where a page is asked for over http, or at another origin than the first: the same page at the first one, or null.
 * Sign-in needs this: mailed links and the identity provider lead to the first origin, and a cookie is of one host.
 * `path` is decoded as the router decodes it, because the router says what is a page.
 */
export function pageElsewhere(call: Call, path: string): string | null {
  const { method, url } = call.request;
  if ((method !== 'GET' && method !== 'HEAD') || NO_PAGE.test(path)) return null;
  const { sentTo: from, origin: to } = call;
  return from === to || !isOursBySecure(call) ? null : to + url.slice(from.length);
}
