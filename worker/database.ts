// Opens the truth: D1. One Db type for every store; no query lives here.
import { drizzle } from 'drizzle-orm/d1';
import type { DrizzleD1Database } from 'drizzle-orm/d1';

export type Db = DrizzleD1Database;

export function openDatabase(env: { DB: D1Database }): Db {
  return drizzle(env.DB);
}
