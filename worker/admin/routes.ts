// /api: the dashboard's face, for signed-in members. Every write comes from our own pages.
import { Hono } from 'hono/tiny';
import { finishFace } from '../face.ts';
import { listOrganisationsOf } from '../organisation/store.ts';
import { atPlace } from './access.ts';
import { activity } from './activity.ts';
import { requireSameSite } from './same-site.ts';
import { requireSession } from './session.ts';
import type { PlaceEnv } from './access.ts';
import { signIn } from './sign-in.ts';
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
export const admin = finishFace(routes);
