// The few functions of node:crypto that this Worker uses (nodejs_compat), declared here because Node's own types
// would let Node's globals creep into a Worker. For tests: in the Worker its import costs 5 ms at every isolate's start,
// and token/sha-256.ts does the same faster.
declare module 'node:crypto' {
  type Hash = {
    update(data: string | Uint8Array): Hash;
    digest(): Uint8Array;
    digest(encoding: 'hex'): string;
  };
  export function createHash(algorithm: 'sha256'): Hash;
  export function createHmac(algorithm: 'sha256', key: Uint8Array): Hash;
  export function timingSafeEqual(a: Uint8Array, b: Uint8Array): boolean;
}
