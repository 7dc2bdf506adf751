// /api: the routes of the dashboard, for signed-in members. Every request comes from our own pages (same-site.ts).
import { Hono } from 'hono/tiny';
import { finishRoutes } from '../http/route-group.ts';
import { listOrganisationsOf } from '../organisation/store.ts';
import { signIn } from '../sign-in/routes.ts';
import { requireSession } from '../sign-in/session.ts';
import { atPlace } from './access.ts';
import { activity } from './activity.ts';
import { requireSameSite } from './same-site.ts';
import type { PlaceEnv } from './access.ts';
import { tokens } from './tokens.ts';

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
  .route('/', signIn)
  .use('/organisations/:organisation/*', requireSession, atPlace)
  .route('/organisations/:organisation', tokens)
  .route('/organisations/:organisation', activity);

export type AdminApi = typeof routes;
export const admin = finishRoutes(routes);
