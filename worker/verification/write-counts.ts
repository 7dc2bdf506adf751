// Makes every hub write its counts now, so that the database has all uses. Otherwise hubs write once a minute.
import { hubAt, placesOf } from './region.ts';
import type { Hubs } from './region.ts';
import type { Write } from './sync.ts';
import { askUnder, termsOf } from './terms.ts';
import type { Terms } from './terms.ts';

/** A hub that takes longer counts as one that has not written. */
const WRITE_MS = 20_000;
const WRITE: Write = { write: true };

/** Whether every hub of the deployment has written all counts that it got before this call. */
export async function haveHubsWrite(hubs: Hubs): Promise<boolean> {
  const terms = termsOf(hubs.epoch);
  const late = new Promise<never>((_, fail) => {
    setTimeout(() => fail(new Error('hub: too late')), WRITE_MS);
  });
  const all = placesOf(hubs).map((place) =>
    askUnder(
      terms,
      WRITE,
      // A hub answers a `Write` with its terms only.
      (question) => hubAt(hubs, place).sync(question, new Map()) as Promise<Terms>,
    ),
  );
  return Promise.race([Promise.all(all), late]).then(
    () => true,
    () => false,
  );
}
