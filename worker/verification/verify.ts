// The answer to "may this secret call?". THE HOT PATH: no Hono, no Drizzle, no schema library; synchronous when warm.
import { hasSecretShape, hashOfSecret, isGenuineSecret } from '../token/secret.ts';
import type { TagKeyRing } from '../token/secret.ts';
import type { Answer } from './sync.ts';
import { foreignError, isForeign } from './ownership.ts';
import { cacheKey, readCachedRecord, writeCachedRecord } from './record.ts';
import type { Lookups } from './record.ts';
import { hubAt, placeNear } from './region.ts';
import type { Hubs } from './region.ts';
import { askUnder, termsOf } from './terms.ts';
import { INVALID, Verifier } from './isolate/verifier.ts';
import type { Ports, Verification } from './isolate/verifier.ts';

export type { Verification } from './isolate/verifier.ts';

/** What verification needs of a deployment. */
export type Verifying = {
  hubs: Hubs;
  lookups: Lookups;
  /** Null in a jurisdiction: KV keeps its copies all over the world, and knows no other way. */
  cache: Pick<KVNamespace, 'get' | 'put'> | null;
  keys: TagKeyRing;
  leaseMs: number;
  /** Called where a hub says that the database belongs to another deployment. */
  refuse(): void;
};

/** Where the call came in, and what may outlive its answer. */
type VerifyContext = { waitUntil(promise: Promise<unknown>): void; cf?: unknown };

/** KV's expiry only bounds its storage: how fresh a record is, is judged by `seq`. KV refuses fewer than 60 s. */
const CACHE_SECONDS = 7 * 24 * 60 * 60;

/** At once when the isolate remembers; a promise when it has to ask. */
export type Verify = (secret: string, context: VerifyContext) => Verification | Promise<Verification>;

/** The function that verifies in this isolate. What it remembers is its own. */
export function verifyWith(verifying: Verifying): Verify {
  const { keys } = verifying;
  let verifier: Verifier | undefined;
  return (secret, context) => {
    if (!hasSecretShape(secret)) return INVALID;
    const hash = hashOfSecret(secret);
    const waitUntil = (promise: Promise<unknown>): void => context.waitUntil(promise);
    // What is remembered was genuine when it came in: checksum and tag need no second look.
    const recalled = verifier?.recall(hash, waitUntil);
    if (recalled !== undefined) return recalled;
    // Before anything is asked, so that a made-up secret costs no storage read, and no memory.
    if (!isGenuineSecret(keys, secret)) return INVALID;
    verifier ??= openVerifier(verifying, context.cf);
    return verifier.lookUp(hash, waitUntil);
  };
}

/** An isolate serves one place, so its first caller chooses the hub for all of them. */
function openVerifier({ hubs, lookups, cache, keys, leaseMs, refuse }: Verifying, cf: unknown): Verifier {
  const place = placeNear(cf, hubs);
  const terms = termsOf(hubs.epoch);
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
          // What a hub answers to an `Ask`.
          (question) => hubAt(hubs, place).sync(question, counts) as Promise<Answer>,
        ).catch((error: unknown) => {
          if (isForeign(error)) {
            isOwn = false;
            refuse();
          }
          throw error;
        }),
    },
    cache: cache === null ? NO_CACHE : cacheIn(cache, keys),
    source: {
      read: (hashes) => ifOwn(() => lookups.read(hashes)),
      changesFrom: (seq, limit) => ifOwn(() => lookups.changesFrom(seq, limit)),
    },
    failed: (asked, error) =>
      void import('./report.ts').then(({ logFailed }) => logFailed(asked, error, place)),
    random: () => Math.random(),
    leaseMs,
  });
}

function cacheIn(kv: Pick<KVNamespace, 'get' | 'put'>, ring: TagKeyRing): Ports['cache'] {
  return {
    get: async (hash) => readCachedRecord(ring, hash, await kv.get(cacheKey(hash))),
    put: async (hash, record) => {
      const text = writeCachedRecord(ring, hash, record);
      if (text !== null) await kv.put(cacheKey(hash), text, { expirationTtl: CACHE_SECONDS });
    },
  };
}

const NO_CACHE: Ports['cache'] = { get: async () => null, put: async () => undefined };
