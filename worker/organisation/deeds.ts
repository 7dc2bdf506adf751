// What the platform can do to organisations. Each function first commits in one batch (register.ts), then publishes. An organisation
// that needs no change costs one read.
import type { Cause } from '../activity/events.ts';
import type { Db } from '../database.ts';
import { withReserve } from '../reserve.ts';
import type { TokenHash } from '../token/secret.ts';
import { opensDeveloperZone } from './organisation.ts';
import { setPause } from './pause.ts';
import { isAsWanted, putOrganisation, readStandings, removeOrganisation } from './register.ts';
import type { Registered, Wanted } from './register.ts';
import { publishUnlessSettled, settledUntil } from './store.ts';
import type { ChangeHead, Publish } from './store.ts';

export type Outcome =
  | { id: string; outcome: 'created' | 'changed' | 'unchanged'; organisation: Registered }
  | { id: string; outcome: 'stale-version'; version: number };

/**
 * Each organisation is created or changed by itself; a failure of the database in between leaves the rest for a repeat, which
 * completes it. `effectiveAt` is the instant (RFC 3339) from which on all of it holds everywhere. 100 organisations at most.
 */
export async function putOrganisations(
  db: Db,
  publish: Publish,
  wanted: [Wanted, ...Wanted[]],
  cause: Cause,
): Promise<{ outcomes: Outcome[]; effectiveAt: string }> {
  const settled = settledUntil(cause.at);
  const [first, ...more] = wanted;
  const standings = await readStandings(db, [first.id, ...more.map(({ id }) => id)]);
  const outcomes: Outcome[] = [];
  const hashes: TokenHash[] = [];
  let newest: ChangeHead | null = null;
  for (const each of wanted) {
    const { id } = each;
    const standing = standings.get(id);
    if (standing !== undefined && isAsWanted(standing, each) && standing.planSince < settled) {
      outcomes.push({ id, outcome: 'unchanged', organisation: standing.organisation });
      continue;
    }
    // A full database must not prevent the end of a plan. It takes no new organisation.
    const isClosing = standing !== undefined && !opensDeveloperZone(each.plan);
    const put = await putOrganisation(isClosing ? withReserve(db) : db, each, cause);
    if (!put.ok) {
      outcomes.push({ id, outcome: put.reason, version: put.version });
      continue;
    }
    outcomes.push({ id, outcome: put.outcome, organisation: put.standing.organisation });
    if (put.standing.planSince < settled) continue;
    hashes.push(...put.hashes);
    if (newest === null || put.head.seq > newest.seq) newest = put.head;
  }
  if (newest === null || hashes.length === 0) return { outcomes, effectiveAt: new Date().toISOString() };
  return { outcomes, ...(await publish({ head: newest, hashes })) };
}

export type PauseOutcome =
  | { ok: true; organisation: Registered; effectiveAt: string }
  | { ok: false; reason: 'organisation-not-found' };

/**
 * Pauses the organisation, or ends its pause. Resolves when this is in effect everywhere; `effectiveAt` says since when (RFC 3339).
 * The plan and the tokens stay as they are.
 */
export async function pauseOrganisation(
  db: Db,
  publish: Publish,
  id: string,
  isPaused: boolean,
  cause: Cause,
): Promise<PauseOutcome> {
  // A full database must not prevent a pause.
  const paused = await setPause(isPaused ? withReserve(db) : db, id, isPaused, cause);
  if (!paused.ok) return paused;
  const { organisation, hashes, head, changedAt } = paused;
  return {
    ok: true,
    organisation,
    ...(await publishUnlessSettled(publish, { head, hashes }, changedAt, cause.at)),
  };
}

/**
 * Deletes the organisation with everything that belongs to it. Resolves when this is in effect everywhere; `effectiveAt` says since
 * when (RFC 3339). It publishes even if there was nothing to delete: an earlier call may have deleted it and lost its answer.
 */
export async function deleteOrganisation(
  db: Db,
  publish: Publish,
  id: string,
  cause: Cause,
): Promise<{ effectiveAt: string }> {
  return publish(await removeOrganisation(withReserve(db), id, cause));
}
