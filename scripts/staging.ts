// A second environment for the tests of the deployment, as docs/operating/environments.md describes one.

/** The sections to append to a wrangler.toml: the same as at its top, with a separate database and separate counters. */
export function stagingOf(toml: string, own: { database?: string; firstNamespace?: number } = {}): string {
  const { database = 'developer-zone-staging', firstNamespace = 9501 } = own;
  const variables = toml.split('[vars]\n')[1]?.split('\n[')[0] ?? '';
  const limits = [...toml.matchAll(/^\[\[ratelimits\]\]\nname = "(\w+)"/gm)].map(
    ([, name], index) =>
      `[[env.staging.ratelimits]]\nname = "${name}"\nnamespace_id = "${firstNamespace + index}"\nsimple = { limit = 5, period = 60 }\n`,
  );
  return `
[env.staging]
[env.staging.vars]
${variables}
[[env.staging.d1_databases]]
binding = "DB"
database_name = "${database}"
migrations_dir = "migrations"
[[env.staging.kv_namespaces]]
binding = "TOKEN_CACHE"
[[env.staging.durable_objects.bindings]]
name = "CHANGE_HUB"
class_name = "ChangeHub"
[env.staging.durable_objects.code_update_strategy]
mode = "immediate"
[env.staging.version_metadata]
binding = "VERSION"
${limits.join('')}`;
}
