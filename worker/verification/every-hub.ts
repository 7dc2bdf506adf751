// Questions to every hub of the deployment: how it stands, for the operator's status, and that it writes its counts, so that the
// database has all uses before secrets are retired. Otherwise hubs write once a minute.
import { hubAt, placesOf } from './region.ts';
import type { Hubs, Place } from './region.ts';
import type { HubLook, Look, Write } from './sync.ts';
import { askUnder, termsOf } from './terms.ts';
import type { Terms } from './terms.ts';

const LOOK_MS = 3000;
const WRITE_MS = 20_000;

/** Each hub with its state. Null for a hub that cannot be reached or runs another release. It changes nothing, and no hub asks the database. */
export async function lookAtHubs(hubs: Hubs): Promise<{ place: Place; look: HubLook | null }[]> {
  const question: Look = { look: true };
  const answers = await askAll<HubLook>(hubs, question, LOOK_MS);
  return answers.map(({ place, answer }) => ({ place, look: answer }));
}

/** Whether every hub of the deployment has written all counts that it got before this call. */
export async function haveHubsWrite(hubs: Hubs): Promise<boolean> {
  const question: Write = { write: true };
  // A hub answers it with its terms only.
  const answers = await askAll<Terms>(hubs, question, WRITE_MS);
  return answers.every(({ answer }) => answer !== null);
}

/** The answer of each hub to the question. Null for a hub that fails, or takes longer than `ms`. */
function askAll<Answer extends object>(
  hubs: Hubs,
  question: object,
  ms: number,
): Promise<{ place: Place; answer: Answer | null }[]> {
  const terms = termsOf(hubs.epoch);
  return Promise.all(
    placesOf(hubs).map(async (place) => {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const late = new Promise<null>((done) => {
        timer = setTimeout(() => done(null), ms);
      });
      // The kind of the answer depends on the question.
      const answered = askUnder(
        terms,
        question,
        (asked) => hubAt(hubs, place).sync(asked, new Map()) as Promise<Answer>,
      );
      const answer = await Promise.race([answered, late]).catch(() => null);
      clearTimeout(timer);
      return { place, answer };
    }),
  );
}
