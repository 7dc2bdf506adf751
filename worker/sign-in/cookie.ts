// The dashboard's cookies. All other code uses the names and attributes of a deployment, which only uses https. Local mode uses http,
// where Safari's engine refuses `__Host-` and `Secure`, also on localhost. There the cookies have other names and are not `Secure`.
import type { Context } from 'hono';
import { getCookie } from 'hono/cookie';
import type { CallEnv } from '../http/call.ts';

/** `Lax`, not `Strict`: a mailed link and an identity provider lead here from another site. */
export const COOKIE_ATTRIBUTES = 'Path=/; Secure; HttpOnly; SameSite=Lax';

const PREFIX = '__Host-';
const LOCAL_PREFIX = 'local-';

/** The part of a context that is needed here, so that contexts with and without a session fit. */
type Exchange = Pick<Context<CallEnv>, 'env' | 'header'>;

function isPlain({ env: { call } }: Pick<Exchange, 'env'>): boolean {
  return call.isLocal && call.request.url.startsWith('http:');
}

/** The cookies that the browser sent, by the names that a deployment gives them. */
export function cookiesOf(c: Context): Record<string, string> {
  const sent = getCookie(c);
  if (!isPlain(c)) return sent;
  return Object.fromEntries(
    Object.entries(sent)
      .filter(([name]) => !name.startsWith(PREFIX))
      .map(([name, value]) => [
        name.startsWith(LOCAL_PREFIX) ? PREFIX + name.slice(LOCAL_PREFIX.length) : name,
        value,
      ]),
  );
}

/** Sets a cookie, which is the `Set-Cookie` value of a deployment. Others that were set by this answer stay. */
export function giveCookie(c: Exchange, cookie: string): void {
  const value = isPlain(c) ? cookie.replace(PREFIX, LOCAL_PREFIX).replace('; Secure', '') : cookie;
  c.header('set-cookie', value, { append: true });
}
