// /api: the dashboard's face, for signed-in members. Every write comes from our own pages.
import { Hono } from 'hono';
import { finishFace } from '../face.ts';
import { listOrganisationsOf } from '../organisation/store.ts';
import { requireSameSite } from './same-site.ts';
import { requireSession } from './session.ts';
import type { AdminEnv } from './session.ts';
import { signIn } from './sign-in.ts';
import { tokens } from './tokens.ts';

const routes = new Hono<AdminEnv>()
  .basePath('/api')
  .use(requireSameSite)
  .use(async (c, next) => {
    await next();
    c.header('cache-control', 'no-store');
  })
  .get('/session', requireSession, async (c) => {
    const { email } = c.var.session;
    return c.json({ member: { email }, organisations: await listOrganisationsOf(c.var.db, email) });
  })
  .route('/', signIn)
  .route('/organisations/:organisation', tokens);

export type AdminApi = typeof routes;
export const admin = finishFace(routes);
