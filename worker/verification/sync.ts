// The questions that an isolate asks a hub, and their answers. Only types, so that neither side imports the other. Each question
// and answer also has the terms (terms.ts).
import type { CallerCount } from '../token/callers.ts';
import type { TokenHash } from '../token/secret.ts';
import type { Head, Reasons, TokenRecord } from './record.ts';

/** Asks what changed since `head`. With `hash`: also asks for the record of a token. `cached`: the point of the record in KV, if there is one. */
export type Ask = { head: Head | null; hash?: TokenHash; cached?: Head };

export type Answer = {
  head: Head;
  /** All changes since the caller's head, or `reset` if the hub does not know that head. */
  changes: [hash: TokenHash, seq: number][] | 'reset';
  /** How long the answer may be used, in ms from before the call. */
  remaining: number;
  /** The current record of the token: the one in KV (`cached`), or this one. Absent if the database is away. */
  record?: 'cached' | TokenRecord;
};

/** The state of a hub. `ageMs`: the time since its last read of the database began; null before the first read. */
export type HubLook = { head: Head | null; ageMs: number | null; startedAt: number };

/** Asks for the state of a hub, in place of an `Ask`. */
export type Look = { look: true };
/** Asks a hub to write its counts to the database, in place of an `Ask`. */
export type Write = { write: true };

/** Calls with one secret since the last call to a hub. */
export type Counted = {
  tokenId: string;
  accepted: number;
  refused: number;
  /** Refused calls by reason. Absent: none was refused. */
  reasons?: Reasons;
  /** Those that were refused because of the token's networks, the last twenty of them, as networks of one address. Absent: none. */
  addresses?: string[];
  callers: CallerCount[];
};
export type Counts = Map<TokenHash, Counted>;
