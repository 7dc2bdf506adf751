// The data that a holder may read about itself. Loaded at the first such call, so that a verification never loads Drizzle.
import { batch } from '../database.ts';
import type { Db } from '../database.ts';
import { TOKEN_LIMIT } from '../organisation/organisation.ts';
import { countTokens, findOrganisation } from '../organisation/store.ts';
import { findToken } from '../token/store.ts';
import { Problem } from '../http/problem.ts';
import { refusal } from './bearer.ts';

/** The organisation that the token belongs to, with its count of tokens. */
export async function readOrganisation(db: Db, organisationId: string) {
  const {
    found: [organisation],
    counts: [tokens],
  } = await batch(db, {
    found: findOrganisation(db, organisationId),
    counts: countTokens(db, organisationId),
  });
  // The organisation was deleted between the verification and this read, and the token with it.
  if (organisation === undefined || tokens === undefined) throw invalidToken();
  return { ...organisation, tokens: { active: tokens.active, total: tokens.total, limit: TOKEN_LIMIT } };
}

/**
 * The token's own row, without the members behind it, its retired secrets, its networks and its websites: programs of other
 * companies may hold the token. No token that makes a call is marked as exposed.
 */
export async function readToken(db: Db, tokenId: string) {
  const [token] = await findToken(db, tokenId);
  if (token === undefined) throw invalidToken();
  const { createdBy: _, retired: __, networks: ___, origins: ____, ...more } = token;
  const { exposed: _____, pausedTogether: ______, ...shown } = more;
  return shown;
}

function invalidToken(): Problem {
  const { slug, detail, headers } = refusal('invalid-token');
  return new Problem(slug, detail, headers);
}
