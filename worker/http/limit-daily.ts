// Limits for a UTC day, as a refusal.
import { countDaily } from '../daily-limit.ts';
import type { DailyCount } from '../daily-limit.ts';
import type { Db } from '../database.ts';
import { Problem } from './problem.ts';

/** Counts, or refuses with `too-many-requests` and `detail`. */
export async function limitDaily(db: Db, count: DailyCount, detail: string): Promise<void> {
  const counted = await countDaily(db, count);
  if (counted.ok) return;
  throw new Problem('too-many-requests', detail, { 'retry-after': String(counted.retryAfter) });
}
