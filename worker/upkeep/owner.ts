// The runs remove, retire and send by the settings of this deployment, so it must be this deployment's database.
import { eq } from 'drizzle-orm';
import type { Deployment } from '../deployment/deployment.ts';
import { deployment } from '../tables.ts';
import { foreignError } from '../verification/ownership.ts';

/** Rejects where the database belongs to another deployment. One that no hub has read yet belongs to no deployment. */
export async function requireOwnDatabase(own: Deployment): Promise<void> {
  const db = await own.openDatabase();
  const [owner] = await db.select({ hubs: deployment.hubs }).from(deployment).where(eq(deployment.id, 1));
  if (owner !== undefined && owner.hubs !== own.id) throw foreignError();
}
