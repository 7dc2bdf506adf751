// The state of the hubs, for the operator's status. It changes nothing, and no hub asks the database for it.
import type { HubLook, Look } from './sync.ts';
import { hubAt, placesOf } from './region.ts';
import type { Hubs, Place } from './region.ts';
import { askUnder, termsOf } from './terms.ts';

/** A hub that takes longer counts as unreachable. */
const LOOK_MS = 3000;
const LOOK: Look = { look: true };

/** Each hub with its state. Null for a hub that cannot be reached or runs another release. */
export async function lookAtHubs(hubs: Hubs): Promise<{ place: Place; look: HubLook | null }[]> {
  const terms = termsOf(hubs.epoch);
  return Promise.all(
    placesOf(hubs).map(async (place) => {
      const look = askUnder(
        terms,
        LOOK,
        // A hub answers a `Look` with its state.
        (question) => hubAt(hubs, place).sync(question, new Map()) as Promise<HubLook>,
      );
      return { place, look: await Promise.race([look, late()]).catch(() => null) };
    }),
  );
}

function late(): Promise<null> {
  return new Promise((done) => {
    setTimeout(() => done(null), LOOK_MS);
  });
}
