// One database belongs to one deployment. A Worker tells only its own hubs of its changes. If two Workers used one database, the
// hubs of each would not learn of the changes of the other.

/** The fault of a Worker whose database belongs to another one. */
export const FOREIGN_FAULT =
  'DB or LIBSQL_URL: the database belongs to another deployment (docs/operating/environments.md#whose-the-database-is)';
const FOREIGN = 'hub: the database belongs to another deployment';

/** The id of this deployment. It differs between deployments, because ids are derived from the namespace. Sends no request. */
export function deploymentIdOf(hubs: { idFromName(name: string): { toString(): string } }): string {
  return hubs.idFromName('deployment').toString();
}

/** The error that a hub rejects with. RPC passes on its message only. */
export function foreignError(): Error {
  return new Error(FOREIGN);
}

export function isForeign(error: unknown): boolean {
  return error instanceof Error && error.message.endsWith(FOREIGN);
}
