// /api/sign-in, /api/sign-out, /api/sessions: signing in by every method, signing out, and the member's own sessions.
import { Hono } from 'hono/tiny';
import type { MiddlewareHandler } from 'hono';
import { causeOf } from '../activity/cause.ts';
import { hasOwnOrigin } from '../http/origins.ts';
import { Problem } from '../http/problem.ts';
import { withReserve } from '../reserve.ts';
import { browserOf } from './asker.ts';
import { giveCookie } from './cookie.ts';
import { SIGN_IN_METHODS, offersOf } from './methods.ts';
import type { MethodName } from './names.ts';
import {
  CLEARED_SESSION_COOKIE,
  endSession,
  endSessionById,
  endSessionsOf,
  listSessions,
  requireSession,
} from './session.ts';
import type { AdminEnv } from './session.ts';

/** Not "cookies": that ends the sessions of every other site of the same registrable domain. */
const CLEARED_SITE_DATA = '"cache", "storage"';

/** A link or redirect made of the address of the request would lead wherever the sender of the request wants. */
const requireOwnOrigin: MiddlewareHandler<AdminEnv> = async (c, next) => {
  if (!hasOwnOrigin(c.env.call))
    throw new Problem('misconfigured', 'ORIGINS: not set. Signing in needs the address of this deployment');
  await next();
};

type SchemaOf<T> = T extends Hono<AdminEnv, infer Schema> ? Schema : never;

/** The routes of every method in the list. */
const methodRoutes = new Hono<AdminEnv>();
for (const { routes } of Object.values(SIGN_IN_METHODS)) methodRoutes.route('/', routes);

export const signIn = new Hono<AdminEnv>()
  .use('/sign-in/*', requireOwnOrigin)
  .get('/sign-in/methods', (c) => c.json(offersOf(c.env.call)))
  // For the typed client: the schemas of all methods together.
  .route('/', methodRoutes as Hono<AdminEnv, SchemaOf<(typeof SIGN_IN_METHODS)[MethodName]['routes']>>)
  .post('/sign-out', requireSession, async (c) => {
    await endSession(withReserve(c.var.db), c.var.session, causeOf(c.env.call, c.var.session.email));
    giveCookie(c, CLEARED_SESSION_COOKIE);
    c.header('clear-site-data', CLEARED_SITE_DATA);
    return c.body(null, 204);
  })
  .get('/sessions', requireSession, async (c) => {
    const rows = await listSessions(c.var.db, c.var.session.email, Date.now());
    return c.json({
      sessions: rows.map((row) => ({
        id: row.id,
        method: row.method,
        createdAt: new Date(row.createdAt).toISOString(),
        seenAt: new Date(row.seenAt).toISOString(),
        browser: browserOf(row.userAgent, 'Unknown browser'),
        userAgent: row.userAgent,
        current: row.hash === c.var.session.hash,
      })),
    });
  })
  .delete('/sessions/:id', requireSession, async (c) => {
    const { session, db } = c.var;
    const ended = await endSessionById(
      withReserve(db),
      session.email,
      c.req.param('id'),
      causeOf(c.env.call, session.email),
    );
    if (!ended) throw new Problem('not-found');
    return c.body(null, 204);
  })
  .post('/sessions/sign-out-everywhere', requireSession, async (c) => {
    const { session, db } = c.var;
    await endSessionsOf(withReserve(db), session.email, causeOf(c.env.call, session.email));
    giveCookie(c, CLEARED_SESSION_COOKIE);
    c.header('clear-site-data', CLEARED_SITE_DATA);
    return c.body(null, 204);
  });
