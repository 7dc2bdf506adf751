// What verification knows of one token, and as of which change. Pure.
// A record is current if no change of its hash is newer than `asOf`. Changes are compared by number, never by time.
import { ORGANISATION_ID, isPlan } from '../organisation/organisation.ts';
import type { Plan } from '../organisation/organisation.ts';
import type { CallerCount, Reason } from '../token/callers.ts';
import { readLimits, writeLimits } from '../token/limits.ts';
import type { Limits } from '../token/limits.ts';
import { TOKEN_ID, isSameSecret, sealOf } from '../token/secret.ts';
import type { TagKeyRing, TokenHash } from '../token/secret.ts';

/** A point in the sequence of changes. A restored database uses numbers again; the nonce tells such changes apart. */
export type Head = { seq: number; nonce: string };

export function isSameHead(one: Head | null, other: Head | null): boolean {
  return one?.seq === other?.seq && one?.nonce === other?.nonce;
}

/** What a secret stands for. Null in a record: no token has this genuine secret. That is remembered too. */
export type Holder = {
  tokenId: string;
  organisationId: string;
  plan: Plan;
  active: boolean;
  /** The secret is refused from this instant on (ms since 1970), by the clock of the place that verifies. Absent: it has no end. */
  expiresAt?: number;
  /** What its calls must keep to. Absent: nothing. */
  limits?: Limits;
  /** The operator has paused the organisation. Absent: it is not paused. */
  isPaused?: true;
};
export type TokenRecord = { asOf: Head; holder: Holder | null };

/** One row of `changes`. */
export type Change = Head & { hash: TokenHash };

/** The reads that a call may need. Each may reject. */
export type Lookups = {
  /** A record for each hash, as of the newest head, from one statement. */
  read(hashes: TokenHash[]): Promise<Map<TokenHash, TokenRecord>>;
  /** Changes from `seq` on (inclusive), ascending, at most `limit`. */
  changesFrom(seq: number, limit: number): Promise<Change[]>;
};

/** The reads and writes of a hub. Each read must see all committed changes. */
export type Source = Lookups & {
  /** The newest changes, ascending, at most `limit`; never empty. */
  newestChanges(limit: number): Promise<Change[]>;
  /** Adds accepted and refused calls to the hours, and moves `lastUsedAt` forward. */
  addUsage(rows: UsageRow[]): Promise<void>;
};

/** All that a hub asks of the database. */
export type HubSource = Source & {
  /** The id of the deployment that owns the database, or null if no owner is written down. */
  owner(): Promise<string | null>;
  /** Writes down a deployment as the owner, unless the database has one. */
  claim(deployment: string): Promise<void>;
};

/** Refused calls by reason. */
export type Reasons = Partial<Record<Reason, number>>;

export function plusReasons(before: Reasons = {}, more: Reasons = {}): Reasons {
  const sum: Record<string, number> = { ...before };
  for (const [reason, calls] of Object.entries(more)) sum[reason] = (sum[reason] ?? 0) + calls;
  return sum;
}

/** Calls with one secret in one hour (hours since 1970); `usedAt` in RFC 3339, or null when none was accepted. */
export type UsageRow = {
  tokenId: string;
  /** Absent in rows of the release before, which counted by token. */
  hash?: TokenHash;
  hour: number;
  accepted: number;
  refused: number;
  usedAt: string | null;
  /** From where calls were refused because of the token's networks, and when that was told last (RFC 3339). Absent: from nowhere. */
  addresses?: string[];
  addressesAt?: string;
  /** Absent: none was refused, or the release before counted. The database tells a retired secret from an inactive token. */
  reasons?: Reasons;
  /** Absent in rows of the release before. */
  callers?: CallerCount[];
};

/** How many refused addresses are kept of a token. */
const ADDRESSES_KEPT = 20;

/** The last addresses, each once, the newest at the end. */
export function lastAddresses(before: readonly string[] = [], newer: readonly string[] = []): string[] {
  return [...before.filter((address) => !newer.includes(address)), ...newer].slice(-ADDRESSES_KEPT);
}

/** The key of a hash in KV. There are no other keys. */
export function cacheKey(hash: TokenHash): string {
  return `t:${hash}`;
}

/** A record that may be in KV: that of a token that has a row. */
export type CachedRecord = { asOf: Head; holder: Holder };

/**
 * Raised with every change of the meaning or the form of a record (docs/operating/upgrade.md). A record is written in the oldest
 * version that can say all of it, so that the releases before can read it. They cannot read a record with an end, with limits, or of
 * a paused organisation.
 */
const RECORD_VERSION = '2';
const VERSION_WITH_END = '3';
const VERSION_WITH_LIMITS = '4';
const VERSION_OF_PAUSED = '5';
/** Version, id of the tag key, seal and record. Only printable ASCII, because the seal reads one byte of each character. */
const SEALED = /^([2345])([0-9A-Za-z])([0-9A-Za-z]{11})(\[[\x20-\x7e]*\])$/;
const NONCE = /^[0-9a-f]{16}$/;

/**
 * The record in a value of KV. Null unless this deployment wrote the value for this hash. Every key of the ring counts, also one
 * that is not current.
 */
export function readCachedRecord(
  ring: TagKeyRing,
  hash: TokenHash,
  text: string | null,
): CachedRecord | null {
  const [, version, keyId, seal, body] = SEALED.exec(text ?? '') ?? [];
  if (version === undefined || keyId === undefined || seal === undefined || body === undefined) return null;
  const key = ring.keys.get(keyId);
  if (key === undefined || !isSameSecret(sealOf(key, hash, body), seal)) return null;
  const record = parseRecord(body);
  return record === null || versionOf(record) !== version ? null : record;
}

function versionOf({ holder }: CachedRecord): string {
  if (holder.isPaused === true) return VERSION_OF_PAUSED;
  if (holder.limits !== undefined) return VERSION_WITH_LIMITS;
  return holder.expiresAt === undefined ? RECORD_VERSION : VERSION_WITH_END;
}

/** Null if the record could not be read again, because an id has a shape that this product does not make. */
export function writeCachedRecord(ring: TagKeyRing, hash: TokenHash, record: CachedRecord): string | null {
  const { asOf, holder } = record;
  const { tokenId, organisationId, plan, active, expiresAt, limits, isPaused } = holder;
  const fields: unknown[] = [asOf.seq, asOf.nonce, tokenId, organisationId, plan, active];
  if (isPaused === true)
    fields.push(expiresAt ?? null, limits === undefined ? null : writeLimits(limits), 'paused');
  else if (limits !== undefined) fields.push(expiresAt ?? null, writeLimits(limits));
  else if (expiresAt !== undefined) fields.push(expiresAt);
  const body = JSON.stringify(fields);
  const key = ring.keys.get(ring.current);
  if (key === undefined || parseRecord(body) === null) return null;
  return versionOf(record) + ring.current + sealOf(key, hash, body) + body;
}

/** Checks every field. A release with other fields has another version. */
function parseRecord(body: string): CachedRecord | null {
  let fields: unknown;
  try {
    fields = JSON.parse(body);
  } catch {
    return null;
  }
  if (!Array.isArray(fields) || fields.length < 6 || fields.length > 9) return null;
  const [seq, nonce, tokenId, organisationId, plan, active, expiresAt, written, pause] = fields as unknown[];
  const isPaused = fields.length === 9;
  const limits = fields.length === 8 || (isPaused && written !== null) ? readLimits(written) : undefined;
  const hasNoEnd = fields.length === 6 || (fields.length >= 8 && expiresAt === null);
  const isRecord =
    Number.isSafeInteger(seq) &&
    isOf(NONCE, nonce) &&
    isOf(TOKEN_ID, tokenId) &&
    isOf(ORGANISATION_ID, organisationId) &&
    isPlan(plan) &&
    typeof active === 'boolean' &&
    (hasNoEnd || Number.isSafeInteger(expiresAt)) &&
    (!isPaused || pause === 'paused');
  if (!isRecord || limits === null) return null;
  const holder: Holder = { tokenId, organisationId, plan, active };
  if (!hasNoEnd) holder.expiresAt = expiresAt as number;
  if (limits !== undefined) holder.limits = limits;
  if (isPaused) holder.isPaused = true;
  return { asOf: { seq: seq as number, nonce }, holder };
}

function isOf(shape: RegExp, value: unknown): value is string {
  return typeof value === 'string' && shape.test(value);
}
