// Who calls with a token, how often, and why calls are refused; and who still calls with a secret that has ended. For members. Hubs do
// the counting (worker/verification/hub/usage.ts).
import { and, desc, eq, exists, gt, gte, isNull, sql } from 'drizzle-orm';
import { batch } from '../database.ts';
import type { Db } from '../database.ts';
import { judgeStanding, selectStanding } from '../organisation/store.ts';
import type { AccessRefusal } from '../organisation/store.ts';
import { callers, refusalReasons, replacedSecrets, tokens, tokenUsage, tombstones } from '../tables.ts';
import { OTHERS } from './callers.ts';
import type { Reason } from './callers.ts';
import { mayManage } from './guards.ts';
import type { Place } from './guards.ts';
import type { Ending } from './retirement.ts';

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;
const HOURS_SHOWN = 24;
/** How many days of callers are kept and shown, with today. */
const CALLER_DAYS = 30;
export const CALLERS_SHOWN = 20;
/**
 * How many rows of callers are read of a token, the newest days first. Two secrets have 1,300 in 30 days. Of a token whose value is
 * replaced a hundred times a day, and that is still called with all of them, the oldest days are left out.
 */
export const CALLERS_READ = 5000;
const RECENT_MS = DAY_MS;
const STILL_CALLING_MS = 7 * DAY_MS;
const STILL_CALLING_SHOWN = 50;
const CALLERS_OF_ENDED = 3;

/** Calls of one caller. Shares are approximate: an isolate looks at a few calls, and counts those in between for the same callers. */
type CountedCaller = {
  /** The AS number and its name; null: not known. */
  network: { number: number; name: string } | null;
  /** Two letters; null: not known. */
  country: string | null;
  /** A program without its version, `browser`, `unknown`, or through what was asked: `via gateway`, … */
  agent: string;
  accepted: number;
  refused: number;
  /** RFC 3339; up to a minute late. */
  lastAt: string;
};
type Sum = { accepted: number; refused: number; lastAt: string };
/** Oldest first. */
type Series = { accepted: number[]; refused: number[] };

export type Calls = {
  /** The end of the current hour. */
  until: string;
  /** The last 24 hours; the last one is the current hour. */
  hours: Series;
  /** The last 30 UTC days; the last one is today. */
  days: Series;
  /** Refused calls of the last 24 hours, the most first. `lastHour`: the beginning of the last hour that had one. */
  reasons: { reason: Reason | 'retired'; calls: number; lastHour: string }[];
  /** Of 30 days, the most calls first, 20 at most. */
  callers: CountedCaller[];
  /** All other callers of 30 days together. */
  others: Sum | null;
  /** Those of today and yesterday that called in the last 24 hours, the most calls first, 20 at most. */
  recent: CountedCaller[];
  /** The 30 days of each secret that is not retired, the current one first. */
  values: ({ preview: string } & Series)[];
};

/** The calls of a token at `now` (ms), or why they are not shown. */
export async function readCalls(
  db: Db,
  place: Place,
  id: string,
  now: number,
): Promise<{ ok: true; calls: Calls } | { ok: false; reason: 'token-not-found' | AccessRefusal }> {
  const hour = Math.floor(now / HOUR_MS);
  const day = Math.floor(now / DAY_MS);
  const here = and(eq(tokens.id, id), eq(tokens.organisationId, place.organisationId), mayManage(db, place));
  const isHere = exists(
    db
      .select({ one: sql`1` })
      .from(tokens)
      .where(here),
  );
  const usageDay = sql<number>`${tokenUsage.hour} / 24`;
  const found = await batch(db, {
    standing: selectStanding(db, place.organisationId, place.email),
    current: db.select({ hash: tokens.hash, preview: tokens.preview }).from(tokens).where(here),
    retiring: db
      .select({ hash: replacedSecrets.hash, preview: replacedSecrets.preview })
      .from(replacedSecrets)
      .where(
        and(
          eq(replacedSecrets.tokenId, id),
          isNull(replacedSecrets.retiredAt),
          gt(replacedSecrets.retiresAt, new Date(now).toISOString()),
          isHere,
        ),
      ),
    hours: db
      .select({ at: tokenUsage.hour, accepted: tokenUsage.accepted, refused: tokenUsage.refused })
      .from(tokenUsage)
      .where(and(eq(tokenUsage.tokenId, id), gt(tokenUsage.hour, hour - HOURS_SHOWN), isHere)),
    days: db
      .select({
        at: usageDay.as('at'),
        accepted: sql<number>`sum(${tokenUsage.accepted})`.as('accepted'),
        refused: sql<number>`sum(${tokenUsage.refused})`.as('refused'),
      })
      .from(tokenUsage)
      .where(and(eq(tokenUsage.tokenId, id), gte(tokenUsage.hour, (day - CALLER_DAYS + 1) * 24), isHere))
      .groupBy(usageDay),
    reasons: db
      .select({
        reason: refusalReasons.reason,
        calls: sql<number>`sum(${refusalReasons.calls})`.as('calls'),
        hour: sql<number>`max(${refusalReasons.hour})`.as('hour'),
      })
      .from(refusalReasons)
      .where(and(eq(refusalReasons.tokenId, id), gt(refusalReasons.hour, hour - HOURS_SHOWN), isHere))
      .groupBy(refusalReasons.reason),
    callers: db
      .select(callerColumns)
      .from(callers)
      .where(and(eq(callers.tokenId, id), gt(callers.day, day - CALLER_DAYS), isHere))
      .orderBy(desc(callers.day))
      .limit(CALLERS_READ),
  });
  const access = judgeStanding(found.standing[0]);
  if (!access.ok) return access;
  if (found.current.length === 0) return { ok: false, reason: 'token-not-found' };
  const all = found.callers;
  const sums = sumsOf(all.filter(({ network }) => network !== OTHERS));
  const others = [...all.filter(({ network }) => network === OTHERS), ...sums.slice(CALLERS_SHOWN)];
  const since = new Date(now - RECENT_MS).toISOString();
  const recent = sumsOf(all.filter((row) => row.network !== OTHERS && row.at >= day - 1));
  return {
    ok: true,
    calls: {
      until: new Date((hour + 1) * HOUR_MS).toISOString(),
      hours: seriesOf(found.hours, hour, HOURS_SHOWN),
      days: seriesOf(found.days, day, CALLER_DAYS),
      reasons: found.reasons
        .toSorted((one, other) => other.calls - one.calls || one.reason.localeCompare(other.reason))
        .map(({ reason, calls, hour: last }) => ({
          // Hubs write these words alone (verification/source/usage-statements.ts).
          reason: reason as Reason | 'retired',
          calls,
          lastHour: new Date(last * HOUR_MS).toISOString(),
        })),
      callers: sums.slice(0, CALLERS_SHOWN),
      others: others.length === 0 ? null : others.reduce(plus, NONE),
      recent: recent.filter(({ lastAt }) => lastAt >= since).slice(0, CALLERS_SHOWN),
      values: [...found.current, ...found.retiring].map(({ hash, preview }) => {
        const own = all.filter((row) => row.hash === hash.toLowerCase());
        const { accepted, refused } = seriesOf(own, day, CALLER_DAYS);
        return { preview, accepted, refused };
      }),
    },
  };
}

/** A secret that has ended, and is still called. All of these calls are refused. */
export type StillCalling = {
  kind: Ending;
  tokenId: string;
  preview: string;
  name: string | null;
  endedAt: string;
  /** The actor of the event; null where there is none. */
  endedBy: string | null;
  /** Calls of this UTC day and of the day before, after the end. */
  today: number;
  yesterday: number;
  lastAt: string;
  /** Of the last seven days, the most calls first, three at most. */
  callers: CountedCaller[];
};

/** The ended secrets of the organisation that were called in the last seven days, the last call first, 50 at most; `now` in ms. */
export async function listStillCalling(
  db: Db,
  place: Place,
  now: number,
): Promise<{ ok: true; stillCalling: StillCalling[] } | { ok: false; reason: AccessRefusal }> {
  const day = Math.floor(now / DAY_MS);
  const since = now - STILL_CALLING_MS;
  const ended = db
    .select()
    .from(tombstones)
    .where(
      and(
        eq(tombstones.organisationId, place.organisationId),
        gte(tombstones.calledAt, new Date(since).toISOString()),
        gt(tombstones.calledAt, tombstones.endedAt),
        mayManage(db, place),
      ),
    )
    .orderBy(desc(tombstones.calledAt))
    .limit(STILL_CALLING_SHOWN);
  const each = ended.as('ended');
  const found = await batch(db, {
    standing: selectStanding(db, place.organisationId, place.email),
    ended,
    callers: db
      // A call on the day of the end may have been accepted, before it.
      .select({ ...callerColumns, accepted: sql<number>`0`.as('accepted') })
      .from(each)
      .innerJoin(callers, and(eq(callers.hash, each.hash), gte(callers.day, Math.floor(since / DAY_MS))))
      .where(and(gt(callers.refused, 0), gt(callers.lastAt, each.endedAt))),
  });
  const access = judgeStanding(found.standing[0]);
  if (!access.ok) return access;
  return {
    ok: true,
    stillCalling: found.ended.map(({ hash, kind, tokenId, preview, name, endedAt, endedBy, calledAt }) => {
      const own = found.callers.filter((row) => row.hash === hash);
      const callsOn = (which: number) =>
        own.reduce((sum, row) => sum + (row.at === which ? row.refused : 0), 0);
      return {
        kind,
        tokenId,
        preview,
        name,
        endedAt,
        endedBy,
        today: callsOn(day),
        yesterday: callsOn(day - 1),
        lastAt: calledAt ?? endedAt,
        callers: sumsOf(own.filter(({ network }) => network !== OTHERS)).slice(0, CALLERS_OF_ENDED),
      };
    }),
  };
}

const callerColumns = {
  hash: callers.hash,
  /** The day. */
  at: callers.day,
  network: callers.network,
  networkName: callers.networkName,
  country: callers.country,
  agent: callers.agent,
  accepted: callers.accepted,
  refused: callers.refused,
  lastAt: callers.lastAt,
};
type Row = Sum & {
  hash: string;
  at: number;
  network: number;
  networkName: string;
  country: string;
  agent: string;
};

const NONE: Sum = { accepted: 0, refused: 0, lastAt: '' };

/** The rows added up by caller, the most calls first. */
function sumsOf(rows: readonly Row[]): CountedCaller[] {
  const sums = new Map<string, CountedCaller>();
  for (const { network, networkName, country, agent, accepted, refused, lastAt } of rows) {
    const key = JSON.stringify([network, country, agent]);
    const sum = sums.get(key);
    sums.set(key, {
      network: network === 0 ? null : { number: network, name: networkName },
      country: country === '' ? null : country,
      agent,
      ...plus(sum ?? NONE, { accepted, refused, lastAt }),
    });
  }
  const callsOf = ({ accepted, refused }: Sum) => accepted + refused;
  return [...sums.values()].toSorted((one, other) => callsOf(other) - callsOf(one));
}

function plus(one: Sum, other: Sum): Sum {
  return {
    accepted: one.accepted + other.accepted,
    refused: one.refused + other.refused,
    lastAt: one.lastAt > other.lastAt ? one.lastAt : other.lastAt,
  };
}

/** `count` numbers that end with the one of `last`. */
export function seriesOf(
  rows: readonly { at: number; accepted: number; refused: number }[],
  last: number,
  count: number,
): Series {
  const series = { accepted: Array<number>(count).fill(0), refused: Array<number>(count).fill(0) };
  for (const { at, accepted, refused } of rows) {
    const place = count - 1 - (last - at);
    if (place < 0 || place >= count) continue;
    series.accepted[place] = (series.accepted[place] ?? 0) + accepted;
    series.refused[place] = (series.refused[place] ?? 0) + refused;
  }
  return series;
}
