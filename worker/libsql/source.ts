// The reads of verification in libSQL: the same statements as for D1, with the same promise.
import type { Row as LibsqlRow } from '@libsql/client/http';
import {
  CHANGES_FROM,
  CLAIM,
  NEWEST_CHANGES,
  OWNER,
  READ,
  recordsOf,
} from '../verification/source/statements.ts';
import type { Row } from '../verification/source/statements.ts';
import { usageStatements } from '../verification/source/usage-statements.ts';
import type { Change, HubSource } from '../verification/record.ts';
import { openClient } from './client.ts';
import type { Address } from './client.ts';

export function libsqlSource(address: Address): HubSource {
  const run = async (sql: string, ...args: (string | number)[]) =>
    (await openClient(address).execute({ sql, args })).rows;
  return {
    async read(hashes) {
      return recordsOf((await run(READ, JSON.stringify(hashes))).map(rowAs<Row>));
    },
    async changesFrom(seq, limit) {
      return (await run(CHANGES_FROM, seq, limit)).map(rowAs<Change>);
    },
    async newestChanges(limit) {
      return (await run(NEWEST_CHANGES, limit)).map(rowAs<Change>).toReversed();
    },
    async addUsage(rows) {
      await openClient(address).batch(usageStatements(rows).map(({ sql, json }) => ({ sql, args: [json] })));
    },
    async owner() {
      return (await run(OWNER)).map(rowAs<{ hubs: string }>)[0]?.hubs ?? null;
    },
    async claim(deployment) {
      await run(CLAIM, deployment);
    },
  };
}

/** T names what the statement selects; the columns are STRICT, and integers arrive as numbers. */
function rowAs<T>(row: LibsqlRow): T {
  return row as unknown as T;
}
