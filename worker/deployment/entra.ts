// Microsoft Entra as an issuer. Its shared endpoints sign in the people of every tenant, and the administrator of any tenant may write
// any address into a token. So the issuer must be that of one tenant, named by its id.

const HOSTS = new Set([
  'login.microsoftonline.com',
  'login.microsoftonline.us',
  'login.partner.microsoftonline.cn',
  'login.windows.net',
  'sts.windows.net',
]);
const TENANT = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;
/** The tenant in which Microsoft keeps everybody's personal account. */
const PERSONAL = '9188040d-6c67-4c5b-b112-36a304b66dad';

/**
 * The tenant that the issuer names, in lower case; `null` where it names none or many (`common`, `organizations`, `consumers`, a
 * domain); `undefined` where the issuer is not Microsoft's.
 */
export function entraTenantOf(issuer: URL): string | null | undefined {
  if (!HOSTS.has(issuer.hostname) && !issuer.hostname.endsWith('.ciamlogin.com')) return undefined;
  const tenant = issuer.pathname.split('/')[1]?.toLowerCase() ?? '';
  return TENANT.test(tenant) && tenant !== PERSONAL ? tenant : null;
}
