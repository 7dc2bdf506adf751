// The member behind a dashboard request: opaque sessions in D1, hashed; read with every request.
import type { MiddlewareHandler } from 'hono';
import type { Env } from '../env.ts';
import { Problem } from '../problem.ts';

export type Session = { hash: string; id: string; email: string; method: 'link' | 'oidc'; createdAt: number };
export type AdminEnv = { Bindings: Env; Variables: { session: Session } };

/** Sets `session`, or refuses with `sign-in-required`. */
export const requireSession: MiddlewareHandler<AdminEnv> = async () => {
  throw new Problem('sign-in-required');
};
