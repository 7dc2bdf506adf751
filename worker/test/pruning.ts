// Pruning in Node, where no deployment is opened.
import { openDatabase, readDatabaseSize } from '../deployment/database.ts';
import type { Pruning } from '../upkeep/prune.ts';
import type { Databases } from '../verification/source/source.ts';

/** What pruning needs of a deployment with this storage. */
export const pruningIn = (of: Databases, eventsRetentionDays: number | null = null): Pruning => ({
  openDatabase: () => openDatabase(of),
  readDatabaseSize: (db) => readDatabaseSize(of, db),
  settings: { eventsRetentionDays },
});
