// /api/organisations/:organisation/activity: the audit log for members who may open Developer Zone, page by page or as
// a file.
import { Hono } from 'hono/tiny';
import type { Context, MiddlewareHandler } from 'hono';
import { ACTIONS } from '../activity/events.ts';
import { openCursor, sealCursor, shownTo } from '../activity/shown.ts';
import { listEvents, listPeople } from '../activity/store.ts';
import type { Filter } from '../activity/store.ts';
import { DAILY_LIMITS } from '../daily-limit.ts';
import { limitDaily } from '../http/limit-daily.ts';
import { Problem } from '../http/problem.ts';
import { TOKEN_ID } from '../token/secret.ts';
import { limitReads, requireAccess } from './access.ts';
import type { PlaceEnv } from './access.ts';
import { exportActivity } from './activity-export.ts';

type Query = { before?: string; action?: string; actor?: string; token?: string };

/** Reads `before` (a cursor), `action`, `actor` and `token` (an id), or refuses with `invalid-body` naming the field. */
const readFilter: MiddlewareHandler<
  PlaceEnv,
  string,
  { in: { query: Query }; out: { query: Filter } }
> = async (c, next) => {
  const { before, action, actor, token } = c.req.query() as Query;
  const { tagKeys } = c.env.call.deployment.settings;
  const cursor =
    before === undefined ? undefined : await openCursor(tagKeys, c.var.place.organisationId, before);
  if (cursor === null) throw new Problem('invalid-body', 'Query "before": no cursor');
  if (action !== undefined && !ACTIONS.some((known) => known === action)) {
    throw new Problem('invalid-body', 'Query "action": unknown');
  }
  if (actor !== undefined && actor.length > 254) {
    throw new Problem('invalid-body', 'Query "actor": longer than 254 characters');
  }
  if (token !== undefined && !TOKEN_ID.test(token)) {
    throw new Problem('invalid-body', 'Query "token": no id of a token');
  }
  const filter: Filter = {
    ...(cursor === undefined ? {} : { before: cursor }),
    ...(action === undefined ? {} : { action }),
    // The log has addresses in their one form only.
    ...(actor === undefined ? {} : { actor: actor.toLowerCase() }),
    ...(token === undefined ? {} : { token }),
  };
  c.req.addValidatedData('query', filter);
  await next();
};

/** A file may hold 200,000 events. Comes after everything else that refuses. */
const limitFiles: MiddlewareHandler<PlaceEnv> = async (c, next) => {
  const detail = `This member has saved ${DAILY_LIMITS.creation} files of the activity today (UTC)`;
  await limitDaily(c.var.db, 'creation', c.var.place.email, Date.now(), detail);
  await next();
};

export const activity = new Hono<PlaceEnv>()
  .get('/activity', readFilter, limitReads, requireAccess, async (c) => {
    const { organisationId } = c.var.place;
    const ring = c.env.call.deployment.settings.tagKeys;
    const { events, next } = await listEvents(c.var.db, organisationId, c.req.valid('query'));
    return c.json(
      {
        events: events.map(shownTo(ring, organisationId)),
        next: next === null ? null : await sealCursor(ring, organisationId, next),
      },
      200,
    );
  })
  .get('/activity/people', limitReads, requireAccess, async (c) =>
    c.json(await listPeople(c.var.db, c.var.place.organisationId), 200),
  )
  .get('/activity.csv', readFilter, limitReads, requireAccess, limitFiles, (c) =>
    exported(c, c.req.valid('query'), 'csv'),
  )
  .get('/activity.jsonl', readFilter, limitReads, requireAccess, limitFiles, (c) =>
    exported(c, c.req.valid('query'), 'jsonl'),
  );

function exported(c: Context<PlaceEnv>, filter: Filter, format: 'csv' | 'jsonl'): Response {
  const { organisationId } = c.var.place;
  const ring = c.env.call.deployment.settings.tagKeys;
  const addressAfter = async (id: string): Promise<string> => {
    const url = new URL(c.req.url);
    url.searchParams.set('before', await sealCursor(ring, organisationId, id));
    return url.pathname + url.search;
  };
  return exportActivity(
    c.var.db,
    organisationId,
    filter,
    shownTo(ring, organisationId),
    format,
    addressAfter,
  );
}
