// For other Workers of the same account: a service binding to the entrypoint `Verifier`, without HTTP.
import { WorkerEntrypoint } from 'cloudflare:workers';
import type { Env } from './env.ts';
import { verify, type Verification } from './verification/verify.ts';

export class Verifier extends WorkerEntrypoint<Env> {
  /** Whether the secret may call, and for which organisation: data, never an exception for a bad token. */
  async verify(secret: string): Promise<Verification> {
    // The caller's types are not checked on the way here.
    if (typeof secret !== 'string') return { ok: false, reason: 'invalid-token' };
    return verify(secret, this.env, this.ctx);
  }
}
