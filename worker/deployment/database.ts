// Opens the database: D1, or libSQL where LIBSQL_URL is set.
import { sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import { libsql } from '#libsql';
import type { Db } from '../database.ts';
import { namingFailures } from '../storage-failure.ts';
import type { Databases } from '../verification/source/source.ts';

/** For one request. Whatever the database rejects with has a name in storage-failure.ts. */
export async function openDatabase({ d1, libsql: address }: Databases): Promise<Db> {
  return address === null ? drizzle(namingFailures(d1)) : libsql.openDatabase(address);
}

/** The size of the database in bytes. D1 refuses the pragmas and tells it with every answer. */
export async function readDatabaseSize({ d1, libsql: address }: Databases, db: Db): Promise<number> {
  if (address === null) {
    const { meta } = await namingFailures(d1).prepare('SELECT 1').run();
    return meta.size_after;
  }
  const [row] = await db.all<{ bytes: number }>(
    sql`SELECT page_count * page_size AS bytes FROM pragma_page_count(), pragma_page_size()`,
  );
  return row?.bytes ?? 0;
}
