// Verifies a secret. THE HOT PATH: no Hono, no Drizzle, no schema library; synchronous when warm.
import { hasSecretShape, hashOfSecret, isGenuineSecret } from '../token/secret.ts';
import type { TagKeyRing } from '../token/secret.ts';
import type { Answer } from './sync.ts';
import { foreignError, isForeign } from './ownership.ts';
import { cacheKey, readCachedRecord, writeCachedRecord } from './record.ts';
import type { Lookups } from './record.ts';
import { hubAt, placeNear } from './region.ts';
import type { Hubs, Place } from './region.ts';
import { askUnder, termsOf } from './terms.ts';
import { INVALID, IsolateVerifier } from './isolate/verifier.ts';
import type { Asked, Context, Ports, Verification } from './isolate/verifier.ts';

export type { Verification } from './isolate/verifier.ts';

/** What is used of a namespace of KV. */
type Cache = {
  get(key: string): Promise<string | null>;
  put(key: string, text: string, options: { expirationTtl: number }): Promise<void>;
};

/** What verification needs of a deployment. */
export type Verifying = {
  hubs: Hubs;
  lookups: Lookups;
  /** Null in a jurisdiction, because KV has copies all over the world. */
  cache: Cache | null;
  keys: TagKeyRing;
  leaseMs: number;
  /** Whether the setting READ_REQUESTS names this call. */
  isRead(method: string, path: string): boolean;
  /** Called when a hub says that the database belongs to another deployment. */
  refuse(): void;
  /** Told of each question that failed; `place`: of the hub that this isolate asks. Only for the log. */
  failed(asked: Asked, error: unknown, place: Place): void;
};

/** One call. `cf` tells where it came in. */
export type VerifyContext = Context & { readonly cf?: unknown };

/** The expiry in KV only bounds its storage. Freshness is judged by `seq`. KV refuses less than 60 s. */
const CACHE_SECONDS = 7 * 24 * 60 * 60;

/** Verifies a secret. Answers a promise only if the isolate has to ask KV, a hub or the database. */
export type Verify = (secret: string, context: VerifyContext) => Verification | Promise<Verification>;

/** The function that verifies in this isolate. It has its own memory. */
export function verifyWith(verifying: Verifying): Verify {
  const { keys } = verifying;
  let verifier: IsolateVerifier | undefined;
  return (secret, context) => {
    if (!hasSecretShape(secret)) return INVALID;
    const hash = hashOfSecret(secret);
    // A secret that is remembered was genuine. Its checksum and tag are not checked again.
    const recalled = verifier?.recall(hash, context);
    if (recalled !== undefined) return recalled;
    // Checked before anything is asked, so that a made-up secret costs no storage read and no memory.
    if (!isGenuineSecret(keys, secret)) return INVALID;
    verifier ??= openVerifier(verifying, context.cf);
    return verifier.lookUp(hash, context);
  };
}

/** An isolate runs in one place, so its first call chooses the hub for all calls. */
function openVerifier(
  { hubs, lookups, cache, keys, leaseMs, isRead, refuse, failed }: Verifying,
  cf: unknown,
): IsolateVerifier {
  const place = placeNear(cf, hubs);
  const terms = termsOf(hubs.epoch);
  // After a hub said that the database belongs to another deployment, it is not read any more.
  let isOwn = true;
  const ifOwn = <T>(ask: () => Promise<T>): Promise<T> => (isOwn ? ask() : Promise.reject(foreignError()));
  return new IsolateVerifier({
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
          // A hub answers an `Ask` with an `Answer`.
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
    failed: (asked, error) => failed(asked, error, place),
    random: () => Math.random(),
    leaseMs,
    isRead,
  });
}

function cacheIn(kv: Cache, ring: TagKeyRing): Ports['cache'] {
  return {
    get: async (hash) => readCachedRecord(ring, hash, await kv.get(cacheKey(hash))),
    put: async (hash, record) => {
      const text = writeCachedRecord(ring, hash, record);
      if (text !== null) await kv.put(cacheKey(hash), text, { expirationTtl: CACHE_SECONDS });
    },
  };
}

const NO_CACHE: Ports['cache'] = { get: async () => null, put: async () => undefined };
