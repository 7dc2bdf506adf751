// The plan of a deployment, from its flags and wrangler.toml, or the reason to refuse it. It sends no request and changes nothing.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { unstable_readConfig as readConfig } from 'wrangler';
import { JURISDICTIONS, jurisdictionOf } from '../worker/verification/jurisdiction.ts';

type Config = ReturnType<typeof readConfig>;

/** Flags of `wrangler deploy` that do not change the name or the place of the deployment. */
const PASSED = {
  'dry-run': { type: 'boolean' },
  'keep-vars': { type: 'boolean' },
  strict: { type: 'boolean' },
  minify: { type: 'boolean' },
  logpush: { type: 'boolean' },
  'secrets-file': { type: 'string' },
  var: { type: 'string', multiple: true },
  message: { type: 'string' },
  tag: { type: 'string' },
  outdir: { type: 'string' },
  metafile: { type: 'string' },
  'old-asset-ttl': { type: 'string' },
} as const;

export type DeployPlan = {
  /** The name of the Worker; an environment has its own. */
  worker: string;
  database: { name: string; id: string | undefined };
  /** `--env NAME`, or nothing. Every step gets it, so that all steps use the same environment. */
  environment: string[];
  /** Flags for `wrangler deploy` only. */
  flags: string[];
  isDryRun: boolean;
  secretsFile: string | undefined;
  /** LIBSQL_URL where it is a variable and not a secret, or empty. */
  libsqlUrl: string;
  /** Flags of `wrangler d1 create`: where the database is made. */
  place: string[];
  /** The jurisdiction of the database, also of an existing one; empty for none. */
  jurisdiction: string;
  /** The title under which wrangler makes the KV namespace, or null when wrangler.toml names one by its id. */
  namespaceTitle: string | null;
  /** Whether the deployment is told its own addresses, by wrangler.toml or by `--var`. */
  hasOrigins: boolean;
};
export type Planned = { ok: true; plan: DeployPlan } | { ok: false; reason: string };

/** `root` is the folder of wrangler.toml. `argv`: the arguments after `npm run deploy --`. */
export function planDeployment(root: string, argv: string[]): Planned {
  const parsed = parse(argv);
  if (!parsed.ok) return parsed;
  const { env, ...rest } = parsed.values;
  const file = join(root, 'wrangler.toml');
  const base = readConfig({ config: file });
  if (env !== undefined && !/^[\w-]+$/.test(env))
    return refused(`--env ${env}: not the name of an environment`);
  if (env !== undefined && !new RegExp(`^\\[env\\.${env}[\\].]`, 'm').test(readFileSync(file, 'utf8'))) {
    return refused(`--env ${env}: wrangler.toml has no [env.${env}]`);
  }
  const config = env === undefined ? base : readConfig({ config: file, env });
  const [database] = config.d1_databases;
  if (database?.database_name === undefined)
    return refused('wrangler.toml: [[d1_databases]] names no database');
  const fault = env === undefined ? null : (sharedResource(base, config) ?? missingBinding(base, config));
  if (fault !== null) return refused(`[env.${env}]: ${fault}`);
  // wrangler has no type for them.
  const hubs = config.durable_objects.bindings as { name: string; script_name?: string }[];
  const borrowed = hubs.find((binding) => binding.script_name !== undefined);
  if (borrowed !== undefined) {
    return refused(
      `${borrowed.name}: script_name is ${borrowed.script_name}. The hubs of another Worker read its database, and are not told of the changes in this one`,
    );
  }
  const settings = settingsOf(config, rest.var ?? []);
  const place = placeOf(settings);
  if (!place.ok) return place;
  const [cache] = config.kv_namespaces;
  const worker = config.name ?? 'developer-zone';
  return {
    ok: true,
    plan: {
      worker,
      database: { name: database.database_name, id: database.database_id },
      environment: env === undefined ? [] : ['--env', env],
      flags: flagsOf(rest),
      isDryRun: rest['dry-run'] === true,
      secretsFile: rest['secrets-file'],
      libsqlUrl: settings('LIBSQL_URL'),
      place: place.flags,
      jurisdiction: settings('JURISDICTION'),
      namespaceTitle: cache?.id === undefined ? `${worker}-token-cache` : null,
      hasOrigins: settings('ORIGINS') !== '',
    },
  };
}

function refused(reason: string): { ok: false; reason: string } {
  return { ok: false, reason };
}

function parse(argv: string[]) {
  try {
    const options = { ...PASSED, env: { type: 'string', short: 'e' } } as const;
    return { ok: true as const, values: parseArgs({ args: argv, options, strict: true }).values };
  } catch (error) {
    const what = error instanceof Error ? error.message.split('. ')[0] : 'unknown flag';
    return refused(
      `${what}. Flags that deploy under another name, from another file or to another place are refused: a second Worker on ` +
        'one database is not told of its changes. Use an environment: docs/operating/environments.md',
    );
  }
}

function flagsOf(values: Record<string, string | boolean | string[] | undefined>): string[] {
  return Object.entries(values).flatMap(([name, value]) => {
    if (value === undefined || value === false) return [];
    if (value === true) return [`--${name}`];
    return [value].flat().flatMap((text) => [`--${name}`, text]);
  });
}

/** A resource that an environment must not share with the deployment at the top of wrangler.toml, as a sentence, or null. */
function sharedResource(base: Config, own: Config): string | null {
  if (own.name === base.name) return 'the same name as the deployment at the top';
  const theirs = base.d1_databases[0];
  const ours = own.d1_databases[0];
  if (ours?.database_name === theirs?.database_name) {
    return `the same database, ${ours?.database_name}: the hubs of one Worker are not told of the other's changes`;
  }
  if (ours?.database_id !== undefined && ours.database_id === theirs?.database_id) {
    return 'the same database_id: the hubs of one Worker are not told of the other’s changes';
  }
  // wrangler has no type for them.
  const limits = (config: Config) => (config.ratelimits ?? []) as { name: string; namespace_id: string }[];
  const taken = new Set(limits(base).map((limit) => limit.namespace_id));
  const both = limits(own).find((limit) => taken.has(limit.namespace_id));
  return both === undefined
    ? null
    : `${both.name} counts under namespace_id ${both.namespace_id}, as the deployment at the top does: the account has one counter for both`;
}

/**
 * What the Worker needs and the environment does not have, as a sentence, or null. wrangler hands none of these on from the top
 * to an environment, and only warns.
 */
function missingBinding(base: Config, own: Config): string | null {
  const has = new Set(bindingsOf(own));
  const missing = bindingsOf(base).filter((name) => !has.has(name));
  return missing.length === 0 ? null : `has no ${missing.join(', ')}, which the deployment at the top has`;
}

function bindingsOf(config: Config): string[] {
  // wrangler has no type for these lists.
  const bound = [...config.d1_databases, ...config.kv_namespaces, ...(config.services ?? [])] as {
    binding: string;
  }[];
  const named = [...config.durable_objects.bindings, ...(config.ratelimits ?? []), ...config.send_email] as {
    name: string;
  }[];
  return [
    ...bound.map(({ binding }) => binding),
    ...named.map(({ name }) => name),
    ...(config.version_metadata === undefined ? [] : [config.version_metadata.binding]),
    ...Object.keys(config.vars),
  ];
}

/** The variables that the Worker will have: those of wrangler.toml, under those of `--var NAME:value`. */
function settingsOf(config: Config, flags: string[]): (name: string) => string {
  return (name) => {
    const flag = flags.findLast((text) => text.startsWith(`${name}:`));
    if (flag !== undefined) return flag.slice(name.length + 1);
    const value: unknown = config.vars[name];
    return typeof value === 'string' ? value : '';
  };
}

const LOCATIONS = ['wnam', 'enam', 'weur', 'eeur', 'apac', 'oc'];

/**
 * https://developers.cloudflare.com/d1/configuration/data-location/: a place is chosen once, when the database is made. One
 * setting says the jurisdiction of the database and of the hub, so that they cannot differ.
 */
function placeOf(
  setting: (name: string) => string,
): { ok: true; flags: string[] } | { ok: false; reason: string } {
  const [location, jurisdiction] = [setting('D1_LOCATION'), setting('JURISDICTION')];
  if (setting('D1_JURISDICTION') !== '') {
    return refused('D1_JURISDICTION: its name is JURISDICTION now, and the hub is kept there as well');
  }
  if (location !== '' && !LOCATIONS.includes(location)) {
    return refused(`D1_LOCATION: not one of ${LOCATIONS.join(', ')}`);
  }
  if (jurisdiction !== '' && jurisdictionOf(jurisdiction) === null) {
    return refused(`JURISDICTION: not one of ${JURISDICTIONS.join(', ')}`);
  }
  if (location !== '' && jurisdiction !== '')
    return refused('D1_LOCATION and JURISDICTION: one of them alone');
  if (jurisdiction !== '') return { ok: true, flags: ['--jurisdiction', jurisdiction] };
  return { ok: true, flags: location === '' ? [] : ['--location', location] };
}
