// An event as members see it. The number of its row counts the events of all organisations, so members never see it. Their ids and
// cursors tell nothing about other organisations.
import { seal, unseal } from '../seal.ts';
import { currentKeyOf, mac } from '../token/secret.ts';
import type { TagKeyRing } from '../token/secret.ts';
import { EXPOSERS, OPERATOR } from './events.ts';
import type { Event } from './store.ts';

/** The caller who sent a secret in a URL is shown: members find their own integration by it. */
const UNKNOWN: ReadonlySet<string> = new Set([OPERATOR, EXPOSERS.report, EXPOSERS.github]);

/**
 * Shows events of one organisation to its members. The id is 64 bits of a MAC over organisation and number, in hex: the same for
 * the same event until `TAG_KEY_CURRENT` changes. Members do not see who is not a member: an event of the operator, or of someone who
 * reported a token, has no address and no client.
 */
export function shownTo(ring: TagKeyRing, organisationId: string): (event: Event) => Event {
  const key = currentKeyOf(ring);
  return (event) => {
    const { high, low } = mac(key, `dz-event-id-v1:${organisationId}:${event.id}`);
    const id = high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0');
    return UNKNOWN.has(event.actor) ? { ...event, id, ip: null, userAgent: null } : { ...event, id };
  };
}

/** The cursor of the page after the event of this number. It is valid only for this organisation. */
export function sealCursor(ring: TagKeyRing, organisationId: string, id: string): Promise<string> {
  return seal(ring, 'activity-cursor', id, organisationId);
}

/** The number in a cursor, or null if the cursor is not one of this organisation. */
export async function openCursor(
  ring: TagKeyRing,
  organisationId: string,
  cursor: string,
): Promise<number | null> {
  // A sealed number has 59 to 80 characters.
  const id = cursor.length > 100 ? null : await unseal(ring, 'activity-cursor', cursor, organisationId);
  return id === null ? null : Number(id);
}
