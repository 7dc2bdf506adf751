// /api: the routes of the dashboard, for signed-in members. Every request comes from our own pages (same-site.ts).
import { Hono } from 'hono/tiny';
import type { MiddlewareHandler } from 'hono';
import { hasOwnOrigin } from '../http/origins.ts';
import { Problem } from '../http/problem.ts';
import { finishRoutes } from '../http/route-group.ts';
import { listOrganisationsOf } from '../organisation/store.ts';
import { atPlace } from './access.ts';
import { activity } from './activity.ts';
import { requireSameSite } from './same-site.ts';
import { requireSession } from './session.ts';
import type { AdminEnv } from './session.ts';
import type { PlaceEnv } from './access.ts';
import { signIn } from './sign-in.ts';
import { tokens } from './tokens.ts';

/** A link or redirect made of the address of the request would lead wherever the sender of the request wants. */
const requireOwnOrigin: MiddlewareHandler<AdminEnv> = async (c, next) => {
  if (!hasOwnOrigin(c.env.call))
    throw new Problem('misconfigured', 'ORIGINS: not set. Signing in needs the address of this deployment');
  await next();
};

const routes = new Hono<PlaceEnv>()
  .basePath('/api')
  .use(requireSameSite)
  .use(async (c, next) => {
    await next();
    c.header('cache-control', 'no-store');
  })
  .get('/session', requireSession, async (c) => {
    const { email } = c.var.session;
    return c.json({ member: { email }, organisations: await listOrganisationsOf(c.var.db, email) }, 200);
  })
  .use('/sign-in/*', requireOwnOrigin)
  .route('/', signIn)
  .use('/organisations/:organisation/*', requireSession, atPlace)
  .route('/organisations/:organisation', tokens)
  .route('/organisations/:organisation', activity);

export type AdminApi = typeof routes;
export const admin = finishRoutes(routes);
