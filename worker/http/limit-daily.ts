// Limits for a UTC day, as a refusal.
import { countDaily } from '../daily-limit.ts';
import type { DailyKind } from '../daily-limit.ts';
import type { Db } from '../database.ts';
import { Problem } from './problem.ts';

/** Counts one more, or `times` more, for the subject and the day, or refuses with `too-many-requests` and `detail`. `now` in ms. */
export async function limitDaily(
  db: Db,
  kind: DailyKind,
  subject: string,
  now: number,
  detail: string,
  most?: number,
  times?: number,
): Promise<void> {
  const counted = await countDaily(db, kind, subject, now, most, times);
  if (counted.ok) return;
  throw new Problem('too-many-requests', detail, { 'retry-after': String(counted.retryAfter) });
}
