// For other Workers of the same account: a service binding to the entrypoint `Verifier`, without HTTP.
import { WorkerEntrypoint } from 'cloudflare:workers';
import { openDeployment } from './deployment/deployment.ts';
import type { Env } from './deployment/env.ts';
import { Call, NO_REQUEST } from './http/call.ts';
import type { Verification } from './verification/verify.ts';

export class Verifier extends WorkerEntrypoint<Env> {
  /** Whether the secret may call, and for which organisation: data, never an exception for a bad token. */
  async verify(secret: string): Promise<Verification> {
    const call = new Call(NO_REQUEST, this.ctx, openDeployment(this.env));
    // The caller's types are not checked on the way here.
    if (typeof secret !== 'string') return { ok: false, reason: 'invalid-token' };
    return call.deployment.verify(secret, call);
  }
}
