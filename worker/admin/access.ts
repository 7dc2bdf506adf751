// Where a dashboard request happens, and whether its member may open Developer Zone there. The organisation is always
// the one in the path; no header and no session remembers another.
import type { MiddlewareHandler } from 'hono';
import { limit } from '../limit.ts';
import { note } from '../log.ts';
import { readAccess } from '../organisation/store.ts';
import { Problem } from '../problem.ts';
import type { Place } from '../token/store.ts';
import type { AdminEnv } from './session.ts';

export type PlaceEnv = AdminEnv & { Variables: { place: Place } };

/** Sets `place`. Asks nothing yet: a statement that carries the guard itself needs no question before it. */
export const atPlace: MiddlewareHandler<PlaceEnv> = async (c, next) => {
  c.set('place', { organisationId: c.req.param('organisation') ?? '', email: c.var.session.email });
  await next();
};

/** Refuses with `organisation-not-found` (a stranger and a guesser alike) or `enterprise-plan-required`. */
export const requireAccess: MiddlewareHandler<PlaceEnv> = async (c, next) => {
  const { organisationId, email } = c.var.place;
  const access = await readAccess(c.var.db, organisationId, email);
  if (!access.ok) throw new Problem(access.reason);
  note(c.req.raw, { organisationId });
  await next();
};

/** Comes after `requireAccess`: a stranger must not be able to use up another organisation's changes. */
export const limitMutations: MiddlewareHandler<PlaceEnv> = async (c, next) => {
  await limit(c.env.MUTATIONS_PER_ORGANISATION, c.var.place.organisationId);
  await next();
};
