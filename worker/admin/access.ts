// The organisation of a dashboard request, and whether its member may open Developer Zone there. The organisation is always the one in
// the path, never one from a header or a session.
import type { Context, MiddlewareHandler } from 'hono';
import { causeOf } from '../activity/cause.ts';
import { recordRefusal } from '../activity/store.ts';
import { DAILY_LIMITS, countDaily } from '../daily-limit.ts';
import type { DailyKind } from '../daily-limit.ts';
import type { Db } from '../database.ts';
import type { Call } from '../http/call.ts';
import { limit } from '../http/limit.ts';
import { limitDaily } from '../http/limit-daily.ts';
import { logFailure } from '../http/log.ts';
import { Problem } from '../http/problem.ts';
import { ORGANISATION_ID } from '../organisation/organisation.ts';
import { readAccess } from '../organisation/store.ts';
import { TOKEN_ID } from '../token/secret.ts';
import type { Place } from '../token/guards.ts';
import { isOurOwnWish } from './same-site.ts';
import type { AdminEnv } from '../sign-in/session.ts';

export type PlaceEnv = AdminEnv & { Variables: { place: Place } };

/**
 * Sets `place`, and reads nothing: the statements check access themselves. A request for something that is not the member's is
 * recorded after the answer, so that the time of the answer tells nothing.
 */
export const atPlace: MiddlewareHandler<PlaceEnv> = async (c, next) => {
  c.set('place', { organisationId: c.req.param('organisation') ?? '', email: c.var.session.email });
  try {
    await next();
    // Only now is the id that of a row, and not a text of the caller.
    c.env.call.note({ organisationId: c.var.place.organisationId });
  } catch (error) {
    const slug = error instanceof Problem ? error.slug : null;
    if (slug === 'organisation-not-found' || slug === 'token-not-found') {
      const tokenId = slug === 'token-not-found' ? (/\/tokens\/([^/]+)/.exec(c.req.path)?.[1] ?? '') : null;
      c.env.call.waitUntil(keepRefusal(c.env.call, c.var.db, c.var.place, tokenId));
    }
    throw error;
  }
};

/**
 * Records that a member asked for an organisation or a token that is not theirs, under /api or for a page. A request that
 * another site or a mailed link may have caused is not recorded, nor is a text that cannot be an id. Events are kept for a
 * long time, so at most 30 a minute and 100 a day are recorded for one member.
 */
export async function keepRefusal(call: Call, db: Db, place: Place, tokenId: string | null): Promise<void> {
  if (!isOurOwnWish(call.request)) return;
  if (!(tokenId === null ? ORGANISATION_ID.test(place.organisationId) : TOKEN_ID.test(tokenId))) return;
  try {
    await limit(call.deployment.limiters.failedLoginsPerClient, `refused:${place.email}`);
    if (!(await countDaily(db, { kind: 'refusal', subject: place.email, now: Date.now() })).ok) return;
    await recordRefusal(db, causeOf(call, place.email), place, tokenId);
  } catch (error) {
    // Over the limit, or no database: the call is refused all the same, and nothing was changed that needs a record.
    if (!(error instanceof Problem)) logFailure('refusal-not-recorded');
  }
}

/** Refuses with `organisation-not-found` (a stranger and a guesser alike) or `enterprise-plan-required`. */
export const requireAccess: MiddlewareHandler<PlaceEnv> = async (c, next) => {
  const { organisationId, email } = c.var.place;
  const access = await readAccess(c.var.db, organisationId, email);
  if (!access.ok) throw new Problem(access.reason);
  c.env.call.note({ organisationId });
  await next();
};

/** One member's reads of long tables are bounded in all organisations together: the database has one thread for everybody. */
export const limitReads: MiddlewareHandler<PlaceEnv> = async (c, next) => {
  await limit(c.env.call.deployment.limiters.activityPerMember, c.var.place.email);
  await next();
};

/**
 * Comes after `requireAccess`: a stranger must not be able to use up another organisation's changes. A change that only ends
 * a token is counted for each member, so that one member, or a thief of one session, cannot keep the others from ending it.
 */
export async function limitMutation(c: Context<PlaceEnv>, endsToken: boolean): Promise<void> {
  const { organisationId, email } = c.var.place;
  const { mutationsPerOrganisation } = c.env.call.deployment.limiters;
  await limit(mutationsPerOrganisation, endsToken ? `${organisationId} ${email}` : organisationId);
}

/**
 * Counts a change of the organisation, or `times` changes, for the day, or refuses with `too-many-requests`. Switching off and deleting are never
 * counted: they must go on working, and are bounded by the tokens that were made or switched on.
 */
export async function countChange(
  c: Context<PlaceEnv>,
  kind: Extract<DailyKind, 'change' | 'creation'>,
  times = 1,
) {
  const what = kind === 'creation' ? 'asked for tokens' : 'made changes';
  const detail = `This organisation has ${what} ${DAILY_LIMITS[kind]} times today (UTC). Tokens can still be switched off and deleted`;
  const subject = c.var.place.organisationId;
  await limitDaily(c.var.db, { kind, subject, now: Date.now(), times }, detail);
}
