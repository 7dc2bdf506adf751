/**
 * The environment in which wrangler bundles the client of libSQL: `#libsql` has two files in package.json, and the condition
 * chooses. The others are wrangler's own (https://developers.cloudflare.com/workers/wrangler/bundling/#conditional-exports).
 */
export const WITH_LIBSQL = { WRANGLER_BUILD_CONDITIONS: 'libsql,workerd,worker,browser' };
