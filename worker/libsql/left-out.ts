// What `#libsql` (package.json, "imports") is in a Worker for D1: the client of libSQL is not in its bundle. Where LIBSQL_URL is
// set, `npm run deploy` bundles bundled.ts in this place (docs/operating/libsql.md).
import type { Db } from '../database.ts';
import type { HubSource } from '../verification/record.ts';
import type { Address } from './client.ts';

export type Libsql = {
  isBundled: boolean;
  /** The stores' database, for one request. */
  openDatabase(address: Address): Promise<Db>;
  /** What verification reads and writes. */
  openSource(address: Address): HubSource;
};

/** D1 is never asked instead: a deployment whose settings name libSQL keeps its tokens there. */
function refuse(): never {
  throw new Error('LIBSQL_URL is set and the client of libSQL is not bundled');
}

export const libsql: Libsql = { isBundled: false, openDatabase: refuse, openSource: refuse };
