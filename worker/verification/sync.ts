// What an isolate asks a hub, and what a hub answers. Types alone, so that neither side imports the other. The terms that
// stand beside them are in terms.ts.
import type { TokenHash } from '../token/secret.ts';
import type { Head, TokenRecord } from './record.ts';

/** A caller's question: what changed since `head`; and of one token, whether what KV said (`cached`) still holds. */
export type Ask = { head: Head | null; hash?: TokenHash; cached?: Head };

export type Answer = {
  head: Head;
  /** Everything that changed since the caller's head, or `reset`: the caller's past is not known here. */
  changes: [hash: TokenHash, seq: number][] | 'reset';
  /** How long this view may be relied on, in ms from any moment before the call. */
  remaining: number;
  /** What is current of the token that was asked for: `cached` itself, a record, or nothing when the database is away. */
  record?: 'cached' | TokenRecord;
};

/** What a hub says of itself. `ageMs`: since its last read of the database began; null before the first one. */
export type HubLook = { head: Head | null; ageMs: number | null; startedAt: number };

/** Asks a hub about itself, in the place of an `Ask`. */
export type Look = { look: true };
/** Asks a hub to write what it was told of calls to the database, in the place of an `Ask`. */
export type Write = { write: true };

/** Accepted and refused calls by secret, since they were last told to a hub, each with the id of its token. */
export type Counts = Map<TokenHash, [accepted: number, refused: number, tokenId: string]>;
