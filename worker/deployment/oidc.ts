// The OpenID Connect provider that the settings name.
import { entraTenantOf } from './entra.ts';
import type { Env } from './env.ts';
import { WITH_USER, hasUser, isLocalHttp } from './reading.ts';
import type { Reading } from './reading.ts';

export type OidcSettings = {
  issuer: URL;
  clientId: string;
  /** Empty: a public client. */
  clientSecret: string;
  /** What the button of the sign-in page says. */
  name: string;
  /** The issuer verifies every address, but sends no `email_verified`. */
  isEmailTrusted: boolean;
  /** The tenant of Microsoft Entra that the issuer is; undefined where it is no issuer of Microsoft's. */
  tenant: string | undefined;
};

/** Null where no issuer is set: then this deployment offers no single sign-on. */
export function readOidc(env: Env, isLocalMode: boolean): Reading<OidcSettings | null> {
  const { OIDC_ISSUER: value, OIDC_CLIENT_ID: clientId = '', OIDC_EMAIL_TRUSTED: trusted = '' } = env;
  if (!value) return { value: null };
  const fault = (text: string) => ({ value: null, fault: text });
  const issuer = URL.parse(value);
  if (issuer === null) return fault('OIDC_ISSUER: not a URL');
  const tenant = entraTenantOf(issuer);
  if (tenant === null) return fault('OIDC_ISSUER: not the issuer of one tenant, named by its id');
  if (!['', '0', '1'].includes(trusted)) return fault('OIDC_EMAIL_TRUSTED: neither "1" nor "0"');
  if (issuer.protocol !== 'https:' && !isLocalHttp(isLocalMode, issuer))
    return fault('OIDC_ISSUER: not https');
  // OpenID Connect Discovery 1.0, section 3: an issuer has neither.
  if (issuer.search !== '' || issuer.hash !== '')
    return fault('OIDC_ISSUER: a URL with a query or a fragment');
  if (hasUser(issuer)) return fault(`OIDC_ISSUER: ${WITH_USER}`);
  if (clientId === '')
    return fault('OIDC_CLIENT_ID: not set. OIDC_ISSUER needs the id by which the issuer knows this client');
  return {
    value: {
      issuer,
      clientId,
      clientSecret: env.OIDC_CLIENT_SECRET ?? '',
      name: env.OIDC_NAME || 'single sign-on',
      isEmailTrusted: trusted === '1',
      tenant,
    },
  };
}
