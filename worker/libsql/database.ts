// The stores' Db over libSQL.
import { drizzle } from 'drizzle-orm/libsql/http';
import { openClient } from './client.ts';
import type { Address } from './client.ts';

export function openLibsqlDatabase(address: Address) {
  return drizzle({ client: openClient(address) });
}
