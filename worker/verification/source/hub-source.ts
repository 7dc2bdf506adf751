// All that hubs read from the database. It is a separate file, so that the path of a call does not load it.
import { libsql } from '#libsql';
import { d1Lookups } from './lookup.ts';
import type { Change, HubSource, UsageRow } from '../record.ts';
import type { Databases } from './source.ts';
import { CLAIM, NEWEST_CHANGES, OWNER } from './statements.ts';

export function openSource({ d1, libsql: address }: Databases): HubSource {
  return address === null ? d1Source(d1) : libsql.openSource(address);
}

function d1Source(db: D1Database): HubSource {
  return {
    ...d1Lookups(db),
    async newestChanges(limit) {
      return (await db.prepare(NEWEST_CHANGES).bind(limit).all<Change>()).results.toReversed();
    },
    async addUsage(rows: UsageRow[]) {
      const { usageStatements } = await import('./usage-statements.ts');
      await db.batch(usageStatements(rows).map(({ sql, json }) => db.prepare(sql).bind(json)));
    },
    owner: () => db.prepare(OWNER).first<string>('hubs'),
    async claim(deployment) {
      await db.prepare(CLAIM).bind(deployment).run();
    },
  };
}
