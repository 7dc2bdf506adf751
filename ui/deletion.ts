// Deletes a token, and says after a failure what is true.
import { deleteToken } from './api.ts';
import type { Failure, Token } from './api.ts';
import { judge } from './tokens.ts';

export type Deletion =
  /** `at`: since when the token is refused everywhere (ISO 8601), or null where it was deleted before. */
  { is: 'gone'; at: string | null } | { is: 'shown' } | { is: 'unchanged' | 'unknown'; failure: Failure };

/** Deletes the token. A token that the list does not have any more counts as deleted. The table keeps its row. */
export async function tryToDelete(token: Token): Promise<Deletion> {
  const outcome = await deleteToken(token);
  if (outcome.ok) return { is: 'gone', at: outcome.value.effectiveAt };
  const verdict = await judge(token, outcome.failure);
  if (verdict === 'gone') return { is: 'gone', at: null };
  return verdict === 'shown' ? { is: 'shown' } : { is: verdict, failure: outcome.failure };
}
