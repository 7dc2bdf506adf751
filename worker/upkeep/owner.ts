// The hourly run removes rows by the settings of this deployment, so it must be this deployment's database.
import { eq } from 'drizzle-orm';
import { openDatabase } from '../database.ts';
import type { DatabaseEnv } from '../database.ts';
import { deployment } from '../tables.ts';
import { deploymentIdOf, foreignError } from '../verification/ownership.ts';

/** Rejects where the database belongs to another deployment. One that no hub has read yet belongs to nobody. */
export async function requireOwnDatabase(
  env: DatabaseEnv & { CHANGE_HUB: Pick<DurableObjectNamespace, 'idFromName'> },
): Promise<void> {
  const db = await openDatabase(env);
  const [owner] = await db.select({ hubs: deployment.hubs }).from(deployment).where(eq(deployment.id, 1));
  if (owner !== undefined && owner.hubs !== deploymentIdOf(env.CHANGE_HUB)) throw foreignError();
}
