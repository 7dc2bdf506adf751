// How many calls the tokens had, for members. Hubs do the counting (worker/verification/hub/usage.ts).
import { and, desc, eq, gt, gte, inArray } from 'drizzle-orm';
import type { Db } from '../database.ts';
import { refusedAddresses, tokens, tokenUsage } from '../tables.ts';
import { mayManage } from './guards.ts';
import { isWithin, parseNetwork } from './network.ts';
import type { Place } from './guards.ts';

/** Accepted and refused calls per token and hour of the organisation, from `since` (hours since 1970). */
export function listUsage(db: Db, place: Place, since: number) {
  return db
    .select({
      tokenId: tokenUsage.tokenId,
      at: tokenUsage.hour,
      accepted: tokenUsage.accepted,
      refused: tokenUsage.refused,
    })
    .from(tokenUsage)
    .where(
      and(
        inArray(
          tokenUsage.tokenId,
          db.select({ id: tokens.id }).from(tokens).where(eq(tokens.organisationId, place.organisationId)),
        ),
        gt(tokenUsage.hour, since),
        mayManage(db, place),
      ),
    );
}

/** How long the address of a refused call is kept and shown. */
const ADDRESS_MS = 24 * 60 * 60 * 1000;

/** Addresses from this instant on are kept (RFC 3339); `now` in ms. */
export function addressesSince(now: number): string {
  return new Date(now - ADDRESS_MS).toISOString();
}

/**
 * From where calls with the organisation's tokens were refused because of their networks, and still would be: as networks of one
 * address, the newest first, 20 of a token at most.
 */
export async function listRefusedAddresses(db: Db, place: Place, now: number) {
  const { tokenId, address, at } = refusedAddresses;
  const rows = await db
    .select({ tokenId, address, at, networks: tokens.networks })
    .from(tokens)
    .innerJoin(refusedAddresses, eq(tokenId, tokens.id))
    .where(
      and(
        eq(tokens.organisationId, place.organisationId),
        gte(at, addressesSince(now)),
        mayManage(db, place),
      ),
    )
    .orderBy(desc(at), desc(address));
  return rows.flatMap(({ networks, ...refused }) => (isCovered(networks, refused.address) ? [] : [refused]));
}

function isCovered(networks: readonly string[], address: string): boolean {
  const called = parseNetwork(address);
  return (
    called !== null &&
    networks.some((text) => {
      const network = parseNetwork(text);
      return network !== null && isWithin(network, called);
    })
  );
}
