// What verification knows of one token, and since when. Pure.
// A record is current when no change of its hash is newer than `asOf`: sequence numbers, never clocks.
import { isPlan } from '../organisation/organisation.ts';
import type { Plan } from '../organisation/organisation.ts';
import type { TokenHash } from '../token/secret.ts';

/** A point in the sequence of changes. The nonce tells it from the same number of a database that was restored. */
export type Head = { seq: number; nonce: string };

export function isSameHead(one: Head | null, other: Head | null): boolean {
  return one?.seq === other?.seq && one?.nonce === other?.nonce;
}

/** `null`: a genuine secret that no row knows, which is worth remembering as much as one that a row knows. */
export type Holder = { tokenId: string; organisationId: string; plan: Plan; active: boolean };
export type TokenRecord = { asOf: Head; holder: Holder | null };

/** One row of `changes`. */
export type Change = Head & { hash: TokenHash };

/** What a call may have to ask of the truth. Every call may reject. */
export type Lookups = {
  /** The token's record and the newest head, from one statement. */
  read(hash: TokenHash): Promise<TokenRecord>;
  /** Changes from `seq` on (inclusive), ascending, at most `limit`. */
  changesFrom(seq: number, limit: number): Promise<Change[]>;
};

/** Where the truth lives: D1, or another database that reads what it committed. */
export type Truth = Lookups & {
  /** The newest changes, ascending, at most `limit`; never empty. */
  newestChanges(limit: number): Promise<Change[]>;
  /** Adds accepted and refused calls to the hours, and moves `lastUsedAt` forward. */
  addUsage(rows: UsageRow[]): Promise<void>;
};

/** Calls of one token in one hour (hours since 1970); `usedAt` in RFC 3339, or null when none was accepted. */
export type UsageRow = {
  tokenId: string;
  hour: number;
  accepted: number;
  refused: number;
  usedAt: string | null;
};

/** The KV key of a hash; nothing else is ever a key. */
export function cacheKey(hash: TokenHash): string {
  return `t:${hash}`;
}

/** The record in a KV value, or null for anything that this Worker did not write: KV is a hint, not an authority. */
export function readCachedRecord(text: string | null): TokenRecord | null {
  if (text === null) return null;
  try {
    // Any JSON at all: each field is checked before it is used.
    const [seq, nonce, tokenId, organisationId, plan, active] = JSON.parse(text) as unknown[];
    const isRecord =
      Number.isSafeInteger(seq) &&
      typeof nonce === 'string' &&
      typeof tokenId === 'string' &&
      typeof organisationId === 'string' &&
      isPlan(plan) &&
      typeof active === 'boolean';
    if (!isRecord) return null;
    return { asOf: { seq: seq as number, nonce }, holder: { tokenId, organisationId, plan, active } };
  } catch {
    return null;
  }
}

export function writeCachedRecord({ seq, nonce }: Head, holder: Holder): string {
  return JSON.stringify([seq, nonce, holder.tokenId, holder.organisationId, holder.plan, holder.active]);
}
