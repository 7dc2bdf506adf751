// Who makes a call, as far as who asks for its verification knows it. Read for limited tokens, and for a few calls of each token.
import type { Traits } from '../token/callers.ts';

/** Null: not known. A limited token is then refused where one of its limits needs it. */
export type Caller = {
  /** In capitals. */
  readonly method: string | null;
  /** As the caller sent it, without a query; nothing in it is decoded. */
  readonly path: string | null;
  readonly address: string | null;
  /** The header `Origin`. */
  readonly origin: string | typeof NO_ORIGIN | null;
  /** Who asks judges method and path itself (RFC 7662). */
  readonly judgesScope?: true;
  /** What is counted of the caller (isolate/counting.ts). */
  readonly traits: Traits;
};

/** The origin of a call without the header `Origin`, such as a server's. No header is equal to it. */
export const NO_ORIGIN = Symbol('no origin');
