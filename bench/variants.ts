// The variants that are measured. Each one names its Worker, its requests and the status that it must answer.
import type { Before } from './before.ts';
import { bundle, wrapperModule } from './bundle.ts';
import { openFleet, ours, peer, type Fleet, type WorkerOptions } from './fleet.ts';
import { request } from './load.ts';
import {
  addTokens,
  ALLOWED_ADDRESS,
  forgedSecrets,
  genuineSecrets,
  limitToken,
  migrate,
  PER_ORGANISATION,
  ring,
  tokenIdOf,
  type Database,
} from './tokens.ts';
import { bundleWorker } from '../scripts/bundle.ts';
import { hashOfSecret } from '../worker/token/secret.ts';
import { cacheKey, writeCachedRecord } from '../worker/verification/record.ts';

export type Variant = {
  key: string;
  title: string;
  port: number;
  requests: Uint8Array[];
  /** A request with a bad token; null for a Worker that checks nothing. */
  bad: Uint8Array | null;
  status: number;
  /** The process in which it runs. */
  pid: number | null;
  /** A peer whose failures are counted instead of ending the run. */
  mayFail: boolean;
  /** The number of requests before the first slice, to fill the memories. */
  fill: number;
  /** Where the requests of the next load begin. */
  next: number;
};

/** More than an isolate remembers (10,000 records), so that calls with all of them in turn never find one in memory. */
const MORE_THAN_MEMORY = 12_000;

/** How many callers, each with its own network and agent, take turns. */
const CALLERS = 1000;
const COUNTRIES = ['AU', 'DE', 'IE', 'US'];

export const PATH = '/v1/ping';

/** `fleet`: the process of all variants except better-auth. `wrapper`: the module that removes KV from the product. */
export type Bench = {
  fleet: Fleet;
  variants: Variant[];
  product: string;
  wrapper: string;
  dispose(): Promise<void>;
};

export type Opening = {
  before: Before;
  /** How many tokens the walks use. A smoke run uses fewer than an isolate remembers. */
  tokens?: number;
  inspectorPort?: number;
  /** Keeps the names in the product's bundle, for a profile. */
  readable?: boolean;
};

/** The values that verification writes to KV for each secret of `addTokens`, by their keys, as of the newest change. */
async function currentRecords(d1: Database, secrets: string[]): Promise<string> {
  const head = await d1
    .prepare('SELECT seq, nonce FROM changes ORDER BY seq DESC LIMIT 1')
    .first<{ seq: number; nonce: string }>();
  if (head === null) throw new Error('no row in changes');
  const entries = secrets.map((secret, index) => {
    const hash = hashOfSecret(secret);
    const organisationId = `org-${Math.floor(index / PER_ORGANISATION)}`;
    const holder = { tokenId: tokenIdOf(index), organisationId, plan: 'enterprise', active: true } as const;
    return [cacheKey(hash), writeCachedRecord(ring, hash, { asOf: head, holder })];
  });
  return JSON.stringify(Object.fromEntries(entries));
}

export async function openVariants({
  before,
  tokens = MORE_THAN_MEMORY,
  inspectorPort,
  readable = false,
}: Opening): Promise<Bench> {
  const { code: product } = bundleWorker({ flags: readable ? ['--no-minify'] : [] });
  const wrapper = wrapperModule('without-kv');
  const constant = genuineSecrets(1)[0] ?? '';
  const database = 'product';
  const workers: WorkerOptions[] = [
    peer('bare', await bundle('bench/peers/bare.ts')),
    peer('hono-open', await bundle('bench/peers/hono-open.ts')),
    peer('hono-same-answer', await bundle('bench/peers/hono-same-answer.ts')),
    peer('hono-bearer', await bundle('bench/peers/hono-bearer.ts'), {
      TOKEN: { type: 'text', value: constant },
    }),
    ours({ name: 'ours', code: product, database }),
    ours({ name: 'ours-forged', code: product, database }),
    ours({ name: 'ours-limited', code: product, database }),
    ours({ name: 'ours-callers', code: product, database }),
    ...['before', 'before-forged', 'before-callers'].map((name) =>
      ours({ name, code: before.code, deployedVars: before.vars, database }),
    ),
    ours({ name: 'ours-lease-0', code: product, database, vars: { REVOCATION_LEASE_MS: '0' } }),
    ours({ name: 'ours-kv', code: product, database, wrapper: wrapperModule('one-kv') }),
    ours({ name: 'ours-d1', code: product, database, wrapper }),
  ];
  const fleet = await openFleet(workers, inspectorPort);
  // A separate process, because it sometimes hangs and stops its workerd.
  const betterAuth = await openFleet([
    peer('better-auth', await bundle('bench/peers/better-auth.ts'), {
      DB: { type: 'd1', id: 'better-auth' },
    }),
  ]);
  const d1 = await fleet.miniflare.getD1Database('DB', 'ours');
  await migrate(d1);
  const secrets = await addTokens(d1, tokens);
  const limited = secrets.at(-1) ?? '';
  await limitToken(d1, limited, PATH);
  const kv = await fleet.miniflare.getKVNamespace('TOKEN_CACHE', 'ours-kv');
  await kv.put('records', await currentRecords(d1, secrets));
  await kv.put('record', 'as long as a record is: '.padEnd(160, '.'));
  const good = request(PATH, secrets[0] ?? '');
  const bad = request(PATH, genuineSecrets(1)[0] ?? '');
  const walk = secrets.slice(0, -1).map((secret) => request(PATH, secret));
  const forged = forgedSecrets(1000).map((secret) => request(PATH, secret));
  // No two calls in a row are of the same caller.
  const changing = Array.from({ length: CALLERS }, (_, index) =>
    request(PATH, secrets[0] ?? '', {
      agent: `agent-${index}/1.0`,
      cf: {
        asn: 64_512 + index,
        asOrganization: `Network ${index}`,
        country: COUNTRIES[index % COUNTRIES.length] ?? '',
      },
    }),
  );
  const setUp = await fetch(`http://127.0.0.1:${await betterAuth.port('better-auth')}/setup`, {
    method: 'POST',
  });
  // The answer of peers/better-auth.ts.
  const { key: apiKey } = (await setUp.json()) as { key: string };

  const variant = async (
    key: string,
    title: string,
    rest: Partial<Variant> = {},
    home: Fleet = fleet,
  ): Promise<Variant> => ({
    key,
    title,
    port: await home.port(key),
    pid: home.pid,
    requests: [good],
    bad,
    status: 200,
    mayFail: false,
    fill: 1000,
    next: 0,
    ...rest,
  });
  return {
    fleet,
    product,
    wrapper,
    async dispose() {
      await Promise.all([fleet.dispose(), betterAuth.dispose()]);
    },
    variants: [
      await variant('bare', 'bare Worker, constant answer', { bad: null }),
      await variant('hono-open', 'Hono, no check (the floor)', { bad: null }),
      await variant('hono-same-answer', 'Hono, no check, our answer’s headers', { bad: null }),
      await variant('hono-bearer', 'Hono `bearerAuth`, a constant', { requests: [request(PATH, constant)] }),
      await variant('ours', 'ours, warm'),
      await variant('ours-forged', 'ours, forged secrets', { requests: forged, status: 401 }),
      await variant('ours-limited', 'ours, warm, ten networks and five paths', {
        requests: [request(PATH, limited, { address: ALLOWED_ADDRESS })],
      }),
      await variant('ours-callers', 'ours, warm, another caller on each call', { requests: changing }),
      await variant('before', `the version before (${before.title}), warm`),
      await variant('before-forged', `the version before (${before.title}), forged secrets`, {
        requests: forged,
        status: 401,
      }),
      await variant('before-callers', `the version before (${before.title}), another caller on each call`, {
        requests: changing,
      }),
      await variant('ours-lease-0', 'ours, lease 0 (a hub call each)'),
      await variant('ours-kv', 'ours, a KV hit each', {
        requests: walk,
        bad: forged[0] ?? null,
        fill: 100,
      }),
      await variant('ours-d1', 'ours, a D1 read each', { requests: walk, fill: 100 }),
      await variant(
        'better-auth',
        'better-auth API key, D1',
        {
          requests: [request(PATH, apiKey)],
          // One instance for all requests, as in its own guide. Sometimes workerd ends all of its requests as hung.
          mayFail: true,
          fill: 100,
          bad: request(PATH, apiKey.toLowerCase()),
        },
        betterAuth,
      ),
    ],
  };
}
