// The status of the deployment: its version, its database, its hubs, and the rows that wait to be removed.
import type { Db } from '../database.ts';
import type { Deployment } from '../deployment/deployment.ts';
import { sizeOfReserve } from '../reserve.ts';
import { readHead } from '../organisation/register.ts';
import { BACKLOG_COUNTED, readBacklog } from '../upkeep/backlog.ts';

/** Reads every part anew. The status says which hubs cannot be reached. Throws if the database cannot be read. */
export async function readStatus(deployment: Deployment, db: Db) {
  const [bytes, head, reserveBytes, backlog, hubs] = await Promise.all([
    deployment.readDatabaseSize(db),
    readHead(db),
    sizeOfReserve(db),
    readBacklog(db, deployment.settings.eventsRetentionDays, Date.now()),
    deployment.lookAtHubs(),
  ]);
  const { id, tag, timestamp } = deployment.version;
  return {
    version: { id, tag: tag === '' ? null : tag, createdAt: timestamp },
    database: { kind: deployment.databaseKind, bytes, reserveBytes, head },
    hubs: hubs.map((hub) => ({
      region: hub.place,
      isReachable: hub.look !== null,
      head: hub.look?.head?.seq ?? null,
      // Counted from the hub's last read of the database; null where it has read nothing since it started.
      ageMs: hub.look?.ageMs ?? null,
      startedAt: hub.look === null ? null : new Date(hub.look.startedAt).toISOString(),
    })),
    backlog: { ...backlog, countedUpTo: BACKLOG_COUNTED },
  };
}
