// For other Workers of the same account: a service binding to the entrypoint `Verifier`, without HTTP.
import { WorkerEntrypoint } from 'cloudflare:workers';
import { plainPathOf } from './api/path.ts';
import { openDeployment } from './deployment/deployment.ts';
import type { Env } from './deployment/env.ts';
import { Call, NO_REQUEST } from './http/call.ts';
import { NO_ORIGIN } from './verification/caller.ts';
import type { Caller } from './verification/caller.ts';
import type { Verification } from './verification/verify.ts';

/**
 * The call that the other Worker answers. A limited token is refused where something is missing that its limits need, and for a path
 * that not every server reads alike. `path` as the caller sent it; `ip`: the caller's address; `origin`: the header `Origin`, or null
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
  async verify(secret: string, verified?: VerifiedCall): Promise<Verification> {
    // The caller's types are not checked on the way here.
    const { method, path, ip, origin } = verified ?? {};
    const call = new Call(NO_REQUEST, this.ctx, openDeployment(this.env));
    if (typeof secret !== 'string') return { ok: false, reason: 'invalid-token' };
    const caller: Caller = {
      method: textOf(method),
      // Judged for limited tokens alone.
      get path() {
        return plainPathOf(textOf(path) ?? '');
      },
      address: textOf(ip),
      origin: origin === null ? NO_ORIGIN : textOf(origin),
      traits: VIA_RPC,
    };
    return call.deployment.verify(secret, call.verifiedFor(caller));
  }
}

/** A service binding has no network. */
const VIA_RPC: Caller['traits'] = { network: 0, networkName: '', country: '', agent: 'via RPC' };

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
