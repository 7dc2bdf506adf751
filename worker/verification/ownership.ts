// One database belongs to one deployment. Hubs are told of the changes that their own Worker makes: a second Worker on the same
// database would change it behind their back, and its own hubs would not hear of theirs.

/** The fault of a Worker whose database belongs to another one. */
export const FOREIGN_FAULT =
  'DB or LIBSQL_URL: the database belongs to another deployment (docs/operating/environments.md#whose-the-database-is)';
const FOREIGN = 'hub: the database belongs to another deployment';

/** What tells this deployment from another one: ids of hubs are derived from their namespace. It sends no request. */
export function deploymentIdOf(hubs: Pick<DurableObjectNamespace, 'idFromName'>): string {
  return hubs.idFromName('deployment').toString();
}

/** What a hub rejects with. Of an error that it throws, a caller gets the message. */
export function foreignError(): Error {
  return new Error(FOREIGN);
}

export function isForeign(error: unknown): boolean {
  return error instanceof Error && error.message.endsWith(FOREIGN);
}
