// The one place that writes to the log. Fields are named here and nowhere else: never a secret, a hash, a cookie, an e-mail
// address, a body or a query string.

/** A deployment that is set up wrongly; `detail` names the setting, never its value. */
export function logMisconfigured(detail: string): void {
  // oxlint-disable-next-line no-console -- the log of a Worker
  console.error(JSON.stringify({ level: 'error', event: 'misconfigured', detail }));
}
