// The shape of a way to sign in.
import type { Hono } from 'hono';
import type { Call } from '../http/call.ts';
import type { AdminEnv } from './session.ts';

export type Method = {
  /** The data that the sign-in page needs to offer the method; `none` if this deployment does not offer it. */
  offer(call: Call): unknown;
  none: unknown;
  /** Its routes below /api, each of them under /sign-in. */
  routes: Hono<AdminEnv>;
};
