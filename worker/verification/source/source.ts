// Chooses the database that verification reads: D1, or libSQL where LIBSQL_URL is set.
import { libsql } from '#libsql';
import type { Lookups } from '../record.ts';
import { d1Lookups } from './lookup.ts';

/** Where the data is: in libSQL, or in D1 if `libsql` is null. */
export type Databases = { d1: D1Database; libsql: { url: string; authToken: string | undefined } | null };

/** The reads of a call. Hubs open more (hub-source.ts). */
export function openLookups({ d1, libsql: address }: Databases): Lookups {
  return address === null ? d1Lookups(d1) : libsql.openSource(address);
}
