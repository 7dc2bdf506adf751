// Organisations as the billing system wants them, one or many: what stands as it is wanted costs one read.
import type { Cause } from '../activity/events.ts';
import type { Db } from '../database.ts';
import type { Env } from '../env.ts';
import { opensDeveloperZone } from '../organisation/organisation.ts';
import { isAsWanted, putOrganisation, readStandings } from '../organisation/register.ts';
import type { Registered, Wanted } from '../organisation/register.ts';
import type { ChangeHead } from '../organisation/store.ts';
import { withReserve } from '../reserve.ts';
import type { TokenHash } from '../token/secret.ts';
import { publish } from '../verification/publish.ts';

/**
 * A plan that stands for longer has been seen by every isolate and hub: leases last a minute at most, and a hub of the
 * deployment before this one five minutes. A repeat before that may be one whose first answer was lost, and is published again.
 */
const SETTLED_MS = 10 * 60 * 1000;

export type Outcome =
  | { id: string; outcome: 'created' | 'changed' | 'unchanged'; organisation: Registered }
  | { id: string; outcome: 'stale-version'; version: number };

/**
 * Each organisation is created or changed by itself; a failure of the database in between leaves the rest for a repeat, which
 * completes it. `effectiveAt` is the instant (RFC 3339) from which on all of it holds everywhere. 100 organisations at most.
 */
export async function putOrganisations(
  env: Env,
  db: Db,
  wanted: [Wanted, ...Wanted[]],
  cause: Cause,
): Promise<{ outcomes: Outcome[]; effectiveAt: string }> {
  const settled = new Date(Date.parse(cause.at) - SETTLED_MS).toISOString();
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
    // A full database must not keep a plan open; it takes no new organisation.
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
  return { outcomes, ...(await publish(env, { head: newest, hashes })) };
}
