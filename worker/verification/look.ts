// What the operator's status says of the hubs. It changes nothing, and no hub asks the database for it.
import type { ChangeHub } from './change-hub.ts';
import type { HubLook } from './hub.ts';
import { REGIONS, hubIn } from './region.ts';
import type { Region } from './region.ts';
import { askUnder, termsOf } from './terms.ts';

/** A hub that takes longer counts as not reachable. */
const LOOK_MS = 3000;

/** Each region's hub, and what it says of itself; null for one that cannot be reached, or runs another release. */
export async function lookAtHubs(env: {
  CHANGE_HUB: DurableObjectNamespace<ChangeHub>;
  DATABASE_EPOCH: string;
}): Promise<{ region: Region; look: HubLook | null }[]> {
  const terms = termsOf(env.DATABASE_EPOCH);
  return Promise.all(
    REGIONS.map(async (region) => {
      const look = askUnder(terms, {}, (question) =>
        hubIn(env.CHANGE_HUB, region, terms.epoch).look(question),
      );
      return { region, look: await Promise.race([look, late()]).catch(() => null) };
    }),
  );
}

function late(): Promise<null> {
  return new Promise((done) => {
    setTimeout(() => done(null), LOOK_MS);
  });
}
