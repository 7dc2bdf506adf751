// The hourly run removes rows by the settings of this deployment, so it must be this deployment's database.
import { openDatabase } from '../database.ts';
import type { DatabaseEnv } from '../database.ts';
import { deployment } from '../tables.ts';
import { deploymentIdOf, foreignError } from '../verification/ownership.ts';

/** Rejects where the database belongs to another deployment. One that no hub has read yet belongs to nobody. */
export async function requireOwnDatabase(
  env: DatabaseEnv & { CHANGE_HUB: Pick<DurableObjectNamespace, 'idFromName'> },
): Promise<void> {
  const [owner] = await (await openDatabase(env)).select({ hubs: deployment.hubs }).from(deployment).limit(1);
  if (owner !== undefined && owner.hubs !== deploymentIdOf(env.CHANGE_HUB)) throw foreignError();
}
