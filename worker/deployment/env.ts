// What the deployment gives the Worker: the bindings and variables of wrangler.toml (bindings.d.ts is generated
// from it), and the secrets and optional bindings that it does not name. Only worker/deployment reads it.

export type Env = Cloudflare.Env & {
  REVOCATION_LEASE_MS_BEFORE?: string;
  HUB_LEASE_MS_BEFORE?: string;
  TAG_KEYS?: string;
  TAG_KEY_CURRENT?: string;
  OPERATOR_SECRET?: string;
  OPERATOR_SECRET_NEXT?: string;
  UPSTREAM_SECRET?: string;
  VERIFY_SECRET?: string;
  INTROSPECTION_CLIENTS?: string;
  OIDC_ISSUER?: string;
  OIDC_CLIENT_ID?: string;
  OIDC_CLIENT_SECRET?: string;
  OIDC_NAME?: string;
  OIDC_EMAIL_TRUSTED?: string;
  WEBHOOK_URL?: string;
  WEBHOOK_SECRET?: string;
  WEBHOOK_SECRET_NEXT?: string;
  LIBSQL_URL?: string;
  LIBSQL_AUTH_TOKEN?: string;
  LOCAL_MODE?: string;
  UPSTREAM?: Fetcher;
  EMAIL?: SendEmail;
};
