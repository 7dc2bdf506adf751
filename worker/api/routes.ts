// /v1: the face for services that hold a token.
import { Hono } from 'hono';
import type { Env } from '../env.ts';
import { Problem } from '../problem.ts';
import { readCredential } from '../verification/credential.ts';
import { verify } from '../verification/verify.ts';

export const api = new Hono<{ Bindings: Env }>();

api.get('/v1/ping', async (c) => {
  const credential = readCredential(c.req.raw.headers);
  if (!credential.ok) throw new Problem(credential.reason);
  const verification = await verify(credential.secret, c.env, c.executionCtx);
  if (!verification.ok) throw new Problem(verification.reason);
  return c.json({ status: 'ok', organisationId: verification.organisationId, tokenId: verification.tokenId });
});
