// The shape of a way to sign in.
import type { Hono } from 'hono';
import type { Call } from '../http/call.ts';
import type { AdminEnv } from './session.ts';

export type Method = {
  /** What the sign-in page needs in order to offer it; `none` where this deployment does not. */
  offer(call: Call): unknown;
  none: unknown;
  /** Its routes below /api, each of them under /sign-in. */
  routes: Hono<AdminEnv>;
};
