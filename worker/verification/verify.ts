// The answer to "may this secret call?". THE HOT PATH: no Hono, no Drizzle, no schema library; synchronous when warm.
import { hasSecretShape, hashOfSecret, isGenuineSecret, readTagKeyRing } from '../token/secret.ts';
import type { TagKeyRing } from '../token/secret.ts';
import type { Answer } from './sync.ts';
import { foreignError, isForeign, refuseFrom } from './ownership.ts';
import { cacheKey, readCachedRecord, writeCachedRecord } from './record.ts';
import { hubAt, placeNear } from './region.ts';
import type { HubsEnv } from './region.ts';
import { askUnder, termsOf } from './terms.ts';
import { openLookups } from './source/source.ts';
import { INVALID, Verifier } from './isolate/verifier.ts';
import type { Ports, Verification } from './isolate/verifier.ts';

export type { Verification } from './isolate/verifier.ts';

/** What verification needs of the deployment. */
export type VerifyEnv = HubsEnv & {
  DB: D1Database;
  LIBSQL_URL?: string;
  LIBSQL_AUTH_TOKEN?: string;
  TOKEN_CACHE: KVNamespace;
  TAG_KEYS?: string;
  TAG_KEY_CURRENT?: string;
  REVOCATION_LEASE_MS: string;
};

/** Where the call came in, and what may outlive its answer. */
export type VerifyContext = { waitUntil(promise: Promise<unknown>): void; cf?: unknown };

/** Long enough that every name of the key is long gone: KV refuses fewer than 60 s, and correctness needs none. */
const CACHE_SECONDS = 7 * 24 * 60 * 60;
const verifiers = new WeakMap<VerifyEnv, Verifier>();

/** At once when the isolate remembers; a promise when it has to ask. Rejects on a broken TAG_KEYS ring alone. */
export function verify(
  secret: string,
  env: VerifyEnv,
  context: VerifyContext,
): Verification | Promise<Verification> {
  const keys = readTagKeyRing(env.TAG_KEYS, env.TAG_KEY_CURRENT);
  if (!keys.ok) throw new Error(keys.reason);
  if (!hasSecretShape(secret)) return INVALID;
  const hash = hashOfSecret(secret);
  const waitUntil = (promise: Promise<unknown>): void => context.waitUntil(promise);
  let verifier = verifiers.get(env);
  // What is remembered was genuine when it came in: checksum and tag need no second look.
  const recalled = verifier?.recall(hash, waitUntil);
  if (recalled !== undefined) return recalled;
  // Before anything is asked, so that a made-up secret costs no storage read, and no memory.
  if (!isGenuineSecret(keys.ring, secret)) return INVALID;
  if (verifier === undefined) verifiers.set(env, (verifier = openVerifier(env, keys.ring, context.cf)));
  return verifier.lookUp(hash, waitUntil);
}

/** An isolate serves one place, so its first caller chooses the hub for all of them. */
function openVerifier(env: VerifyEnv, ring: TagKeyRing, cf: unknown): Verifier {
  const place = placeNear(cf, env);
  const terms = termsOf(env.DATABASE_EPOCH);
  const lookups = openLookups(env);
  // Of a database of another deployment nothing counts, not even what it says itself.
  let isOwn = true;
  const ifOwn = <T>(ask: () => Promise<T>): Promise<T> => (isOwn ? ask() : Promise.reject(foreignError()));
  return new Verifier({
    now: () => Date.now(),
    sleep: (ms) =>
      new Promise((done) => {
        setTimeout(done, ms);
      }),
    hub: {
      sync: (ask, counts) =>
        askUnder(
          terms,
          ask,
          // The RPC types widen tuples to lists; the structured clone that carries them does not.
          (question) => hubAt(env, place).sync(question, counts) as Promise<Answer>,
        ).catch((error: unknown) => {
          if (isForeign(error)) {
            isOwn = false;
            refuseFrom(env);
          }
          throw error;
        }),
    },
    cache: env.JURISDICTION === '' ? cacheIn(env.TOKEN_CACHE, ring) : NO_CACHE,
    source: {
      read: (hashes) => ifOwn(() => lookups.read(hashes)),
      changesFrom: (seq, limit) => ifOwn(() => lookups.changesFrom(seq, limit)),
    },
    failed: (asked, error) =>
      void import('./report.ts').then(({ logFailed }) => logFailed(asked, error, place)),
    random: () => Math.random(),
    leaseMs: Number(env.REVOCATION_LEASE_MS),
  });
}

function cacheIn(kv: KVNamespace, ring: TagKeyRing): Ports['cache'] {
  return {
    get: async (hash) => readCachedRecord(ring, hash, await kv.get(cacheKey(hash))),
    put: async (hash, record) => {
      const text = writeCachedRecord(ring, hash, record);
      if (text !== null) await kv.put(cacheKey(hash), text, { expirationTtl: CACHE_SECONDS });
    },
  };
}

/** In a jurisdiction: KV keeps its copies all over the world, and knows no other way. */
const NO_CACHE: Ports['cache'] = { get: async () => null, put: async () => undefined };
