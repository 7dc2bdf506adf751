// /api/organisations/:organisation/activity: the audit log for members who may open Developer Zone, page by page or as
// a file.
import { Hono } from 'hono/tiny';
import type { Context, MiddlewareHandler } from 'hono';
import {
  exactOptional,
  maxLength,
  object,
  picklist,
  pipe,
  regex,
  safeParse,
  string,
  toLowerCase,
} from 'valibot';
import type { InferInput } from 'valibot';
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

const Query = object({
  /** A cursor. */
  before: exactOptional(string()),
  action: exactOptional(picklist(ACTIONS, 'unknown')),
  // The log has addresses in their one form only.
  actor: exactOptional(pipe(string(), maxLength(254, 'longer than 254 characters'), toLowerCase())),
  token: exactOptional(pipe(string(), regex(TOKEN_ID, 'no id of a token'))),
});

/** Reads the filter from the query, or refuses with `invalid-body` naming the field. */
const readFilter: MiddlewareHandler<
  PlaceEnv,
  string,
  { in: { query: InferInput<typeof Query> }; out: { query: Filter } }
> = async (c, next) => {
  const read = safeParse(Query, c.req.query(), { abortEarly: true });
  if (!read.success) {
    const [{ path, message }] = read.issues;
    throw refusal(String(path?.[0].key), message);
  }
  const { before, ...filter } = read.output;
  const { tagKeys } = c.env.call.deployment.settings;
  const cursor =
    before === undefined ? undefined : await openCursor(tagKeys, c.var.place.organisationId, before);
  if (cursor === null) throw refusal('before', 'no cursor');
  c.req.addValidatedData('query', { ...filter, ...(cursor === undefined ? {} : { before: cursor }) });
  await next();
};

function refusal(name: string, reason: string): Problem {
  return new Problem('invalid-body', `Query "${name}": ${reason}`);
}

/** A file may hold 200,000 events. Comes after everything else that refuses. */
const limitFiles: MiddlewareHandler<PlaceEnv> = async (c, next) => {
  const detail = `This member has saved ${DAILY_LIMITS.creation} files of the activity today (UTC)`;
  await limitDaily(c.var.db, { kind: 'creation', subject: c.var.place.email, now: Date.now() }, detail);
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
