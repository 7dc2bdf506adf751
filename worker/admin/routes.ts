// /api: the dashboard's face, for signed-in members.
import { Hono } from 'hono';
import { requireSession } from './session.ts';
import type { AdminEnv } from './session.ts';

export const admin = new Hono<AdminEnv>()
  .basePath('/api')
  .get('/session', requireSession, (c) =>
    c.json({ member: { email: c.var.session.email }, organisations: [] }),
  );

export type AdminApi = typeof admin;
