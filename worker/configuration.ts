// Which doors this deployment opens. Local mode needs both the setting and a local host: a setting that leaks into
// production opens nothing there.
import type { Env } from './env.ts';

/** Whether local conveniences (a sign-in link in the answer, an http issuer) may be had by this request. */
export function isLocal(env: Pick<Env, 'LOCAL_MODE'>, request: Request): boolean {
  if (env.LOCAL_MODE !== '1') return false;
  const { hostname } = new URL(request.url);
  return hostname === 'localhost' || hostname === '127.0.0.1';
}
