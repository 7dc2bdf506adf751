// For other Workers of the same account: a service binding to the entrypoint `Verifier`, without HTTP.
import { WorkerEntrypoint } from 'cloudflare:workers';
import { isForwardablePath } from './api/path.ts';
import { openDeployment } from './deployment/deployment.ts';
import type { Env } from './deployment/env.ts';
import { Call, NO_REQUEST } from './http/call.ts';
import { NO_ORIGIN } from './verification/caller.ts';
import type { Verification } from './verification/verify.ts';

/**
 * The call that the other Worker answers. A limited token is refused where something is missing that its limits need. `path`
 * without a query, and none that servers read in different ways; `ip`: the caller's address; `origin`: the header `Origin`, or null
 * where the call has none.
 */
export type VerifiedCall = {
  method?: string | undefined;
  path?: string | undefined;
  ip?: string | undefined;
  origin?: string | null | undefined;
};

export class Verifier extends WorkerEntrypoint<Env> {
  /** Whether the secret may call, and for which organisation: data, never an exception for a bad token. */
  async verify(secret: string, { method, path, ip, origin }: VerifiedCall = {}): Promise<Verification> {
    const call = new Call(NO_REQUEST, this.ctx, openDeployment(this.env));
    // The caller's types are not checked on the way here.
    if (typeof secret !== 'string') return { ok: false, reason: 'invalid-token' };
    return call.deployment.verify(secret, {
      caller: {
        method: textOf(method),
        // Judged for limited tokens alone.
        get path() {
          return pathOf(path);
        },
        address: textOf(ip),
        origin: origin === null ? NO_ORIGIN : textOf(origin),
      },
      waitUntil: (promise) => call.waitUntil(promise),
    });
  }
}

function pathOf(value: unknown): string | null {
  const path = textOf(value);
  return path !== null && path.startsWith('/') && isForwardablePath(path) ? path : null;
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
