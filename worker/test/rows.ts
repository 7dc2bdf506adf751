// Rows that tests insert directly, into D1 or libSQL, and why a database takes no other.
import type { Db } from '../database.ts';
import type { Plan } from '../organisation/organisation.ts';
import { sha256Hex } from '../random.ts';
import { members, organisations, tokens } from '../tables.ts';
import type { TokenHash } from '../token/secret.ts';
import type { Token } from '../token/store.ts';

/** What a token has that nothing restrains. */
export const UNLIMITED = {
  expiresAt: null,
  access: 'full',
  paths: [],
  networks: [],
  origins: [],
} satisfies Partial<Token>;

/** A new organisation with its members. Ids are random, so that tests do not affect each other. */
export async function insertOrganisation(
  db: Db,
  plan: Plan = 'enterprise',
  emails: readonly string[] = ['owner@example.com'],
): Promise<string> {
  const id = `org-${crypto.randomUUID()}`;
  const createdAt = new Date().toISOString();
  await db.insert(organisations).values({ id, name: id, plan, createdAt });
  for (const email of emails) await db.insert(members).values({ email, organisationId: id, createdAt });
  return id;
}

let inserted = 0;

/** A token of the organisation under the hash of its own id, and a preview that no other token has. */
export async function insertToken(
  db: Db,
  organisationId: string,
  active = true,
  createdAt = new Date().toISOString(),
): Promise<{ id: string; hash: TokenHash }> {
  const id = crypto.randomUUID();
  // A SHA-256 in hex, of anything.
  const hash = sha256Hex(id) as TokenHash;
  const preview = `9p${(inserted++).toString(36).padStart(3, '0')}`;
  await db
    .insert(tokens)
    .values({ id, organisationId, hash, preview, active, createdBy: 'owner@example.com', createdAt });
  return { id, hash };
}

/** Why the database refused; the clients wrap its words differently. */
export async function refusalOf(statement: PromiseLike<unknown>): Promise<string> {
  const failure: unknown = await Promise.resolve(statement).catch((error: unknown) => error);
  return failure instanceof Error ? `${failure.message} ${String(failure.cause)}` : 'done';
}
