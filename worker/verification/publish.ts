// Publishes a committed change: waits until no place can use an older record, and says since when. Every hub is told of the change.
// A hub that does not answer only costs time, because its lease runs out.
import { logOften } from '../http/log.ts';
import type { TokenHash } from '../token/secret.ts';
import { isForeign } from './ownership.ts';
import { cacheKey } from './record.ts';
import type { Head } from './record.ts';
import { hubAt, placesOf } from './region.ts';
import type { Hubs, Place } from './region.ts';
import { askUnder, termsOf } from './terms.ts';

/** What a batch committed: the newest row of `changes` at its end, and the hashes in the rows that it wrote. */
export type Committed = { head: Head; hashes: TokenHash[] };

export type PublishPorts = {
  now(): number;
  sleep(ms: number): Promise<void>;
  /** The places of all hubs of the deployment. */
  places: readonly Place[];
  /** Resolves when the hub of this place has read every change up to `head`. */
  advance(place: Place, head: Head): Promise<unknown>;
  /** Forgets a hash in KV. Best effort: correctness does not depend on it. */
  forget(hash: TokenHash): Promise<unknown>;
  /** Called when not every hub has confirmed the change. The answer then waits for the longest lease. */
  unconfirmed?(): void;
  leaseMs: number;
  hubLeaseMs: number;
};

/** The rates of two clocks differ by 2 % at most. */
const RATE = 1.02;
/** Added to every lease, to be safe. */
const MARGIN_MS = 100;
const RETRY_MS = 200;
/** A hub that has not answered in this time is told once more, because the message may have been lost. */
const SILENCE_MS = 2000;

/** How many KV deletes are under way at once. An invocation has six connections, and hubs that are told again need some. */
const DELETES_AT_ONCE = 4;
/** No KV delete begins later than this after the first one. */
const DELETES_MS = 1000;

export const PUBLISH_RULES = {
  /**
   * How long a place may use what it knew before the change. A hub that was not told reads the change when it renews its lease. An
   * isolate that asked the database has a lease of its own.
   */
  longestLeaseMs(leaseMs: number, hubLeaseMs: number): number {
    return Math.max(hubLeaseMs, leaseMs);
  },
  /** How long to wait for the leases that isolates hold, in ms. */
  restMs(until: number, worst: number, now: number): number {
    return Math.max(0, Math.min(until, worst) - now);
  },
  /** Whether a hub has confirmed the change. `hasAnswered` is false if it failed or did not answer in time. */
  isConfirmed(hasAnswered: boolean): boolean {
    return hasAnswered;
  },
};
export type PublishRules = typeof PUBLISH_RULES;

/** Must be called right after the commit. Resolves at the instant `effectiveAt` (RFC 3339 with milliseconds). */
export async function publishChange(
  ports: PublishPorts,
  { head, hashes }: Committed,
  rules: PublishRules = PUBLISH_RULES,
): Promise<{ effectiveAt: string }> {
  const worst = ports.now() + rules.longestLeaseMs(ports.leaseMs, ports.hubLeaseMs) * RATE + MARGIN_MS;
  const told = Promise.all(ports.places.map((place) => advanceHub(ports, place, head, worst, rules)));
  // The hubs are told first: a KV that hangs must not use a connection that the answer needs.
  void Promise.race([told, ports.sleep(SILENCE_MS)]).then(() => forgetAll(ports, hashes));
  const confirmed = await Promise.race([
    told.then((all) => all.every(Boolean)),
    ports.sleep(worst - ports.now()).then(() => false),
  ]);
  if (!confirmed) ports.unconfirmed?.();
  const until = confirmed ? ports.now() + ports.leaseMs * RATE + MARGIN_MS : worst;
  const rest = rules.restMs(until, worst, ports.now());
  if (rest > 0) await ports.sleep(rest);
  return { effectiveAt: new Date(ports.now()).toISOString() };
}

/** Deletes the records of the hashes from KV, a few at a time, while time is left. */
async function forgetAll(ports: PublishPorts, hashes: TokenHash[]): Promise<void> {
  const until = ports.now() + DELETES_MS;
  const rest = hashes.values();
  const forgetInTurn = async (): Promise<void> => {
    for (const hash of rest) {
      if (ports.now() >= until) return;
      await ports.forget(hash).catch(() => undefined);
    }
  };
  await Promise.all(Array.from({ length: DELETES_AT_ONCE }, forgetInTurn));
}

async function advanceHub(
  ports: PublishPorts,
  place: Place,
  head: Head,
  worst: number,
  rules: PublishRules,
): Promise<boolean> {
  // An answer to an earlier message counts too.
  const answers: Promise<true>[] = [];
  while (ports.now() < worst) {
    answers.push(ports.advance(place, head).then(() => true));
    const hasAnswered = await Promise.race([
      Promise.any(answers).catch(() => ports.sleep(RETRY_MS).then(() => false)),
      ports.sleep(SILENCE_MS).then(() => false),
    ]);
    if (rules.isConfirmed(hasAnswered)) return true;
  }
  return false;
}

/** What publishing needs of a deployment. */
export type Publishing = {
  hubs: Hubs;
  /** Null in a jurisdiction, where KV is not used. */
  cache: { delete(key: string): Promise<unknown> } | null;
  /** The leases to wait for, in ms. */
  leaseMs: number;
  hubLeaseMs: number;
  /** Called when a hub says that the database belongs to another deployment. */
  refuse(): void;
};

/**
 * `publishChange` with the ports of a deployment. Rejects at once when a hub says that the database belongs to another deployment:
 * no promise holds for such a database.
 */
export function publishTo(
  { hubs, cache, leaseMs, hubLeaseMs, refuse }: Publishing,
  change: Committed,
): Promise<{ effectiveAt: string }> {
  const foreign = Promise.withResolvers<never>();
  const terms = termsOf(hubs.epoch);
  const published = publishChange(
    {
      now: () => Date.now(),
      sleep: (ms) =>
        new Promise((done) => {
          setTimeout(done, ms);
        }),
      places: placesOf(hubs),
      advance: (place, head) =>
        askUnder(terms, head, (point) => hubAt(hubs, place).advance(point)).catch((error: unknown) => {
          if (isForeign(error)) {
            refuse();
            foreign.reject(error);
          } else logOften('hub-unreachable', place);
          throw error;
        }),
      unconfirmed: () => logOften('change-unconfirmed', 'not every hub has answered'),
      forget: async (hash) => {
        await cache?.delete(cacheKey(hash)).catch(() => logOften('cache-failed', 'delete'));
      },
      leaseMs,
      hubLeaseMs,
    },
    change,
  );
  return Promise.race([published, foreign.promise]);
}
