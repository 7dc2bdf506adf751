// The public keys of GitHub's secret scanning. They are kept in the database: reports are accepted by them while GitHub's API is out of
// order, all isolates share them, and they stay in a jurisdiction, which KV cannot be limited to.
import { and, eq, lte, ne, or, sql } from 'drizzle-orm';
import { array, maxLength, object, pipe, safeParse, string } from 'valibot';
import { batch } from '../database.ts';
import type { Db } from '../database.ts';
import type { Call } from '../http/call.ts';
import { logFailure } from '../http/log.ts';
import { withReserve } from '../reserve.ts';
import { githubKeys } from '../tables.ts';

/** Keys by their identifiers, and when GitHub told them (ms since 1970). */
type Keys = { keys: Readonly<Record<string, string>>; toldAt: number };
/** What an isolate knows, when it looked into the database last, and until when one of its calls may still look. */
type Known = Keys & { lookedAt: number; lookingUntil: number };

/** GitHub is asked at most once in this time, and an isolate looks for an unknown key at most once in it. */
const ONCE_MS = 60_000;
/** Keys that are older are asked for again, so that no key is accepted for ever that GitHub gave up. */
const OLD_MS = 24 * 60 * 60 * 1000;
const TIMEOUT_MS = 5000;
/** A look takes no longer: the database is asked three times, and GitHub once. */
const LOOK_MS = 10_000;
/** How often a call that waits for the look of another one asks whether it is over. */
const STEP_MS = 50;
/** In characters. */
const ANSWER_LENGTH = 65_536;
const Answer = object({
  public_keys: pipe(array(object({ key_identifier: string(), key: string() })), maxLength(100)),
});
/** The table has one. */
const theRow = eq(githubKeys.id, 1);
const NOTHING: Known = { keys: {}, toldAt: 0, lookedAt: 0, lookingUntil: 0 };
/** By the address of the keys. Data, never a promise: a request must not wait for another request's I/O. */
const known = new Map<string, Known>();
const knownAt = (url: string): Known => known.get(url) ?? NOTHING;

/**
 * The key with this identifier: from memory, from the database, or from GitHub. `unavailable`: it is not known, and GitHub could not be
 * asked. `count` is called before anything is asked for a key that this isolate does not know, and may refuse.
 */
export async function findGithubKey(
  call: Call,
  url: string,
  identifier: string,
  count: () => Promise<void>,
): Promise<{ ok: true; key: string } | { ok: false; reason: 'unknown' | 'unavailable' }> {
  const own = keyIn(knownAt(url), identifier);
  if (own !== null) {
    // A failure leaves the keys as they are.
    if (mayLook(url) && Date.now() - knownAt(url).toldAt >= OLD_MS)
      call.waitUntil(look(call, url, null).catch(() => undefined));
    return { ok: true, key: own };
  }
  for (let waited = 0; isLooking(url) && waited < LOOK_MS; waited += STEP_MS) await scheduler.wait(STEP_MS);
  if (keyIn(knownAt(url), identifier) === null && mayLook(url)) await look(call, url, identifier, count);
  const latest = knownAt(url);
  const key = keyIn(latest, identifier);
  if (key !== null) return { ok: true, key };
  // The last look may have been a minute ago, and GitHub was asked a minute before it at most.
  return { ok: false, reason: Date.now() - latest.toldAt < 2 * ONCE_MS ? 'unknown' : 'unavailable' };
}

function isLooking(url: string): boolean {
  return Date.now() < knownAt(url).lookingUntil;
}

function mayLook(url: string): boolean {
  return !isLooking(url) && Date.now() - knownAt(url).lookedAt >= ONCE_MS;
}

/**
 * Looks into the database, and asks GitHub if the key is not there, or (`identifier` null) if the keys are old. `count` may refuse
 * before that. The other calls of this isolate wait meanwhile.
 */
async function look(
  call: Call,
  url: string,
  identifier: string | null,
  count?: () => Promise<void>,
): Promise<void> {
  const now = Date.now();
  const learn = (news: Partial<Known>) => known.set(url, { ...knownAt(url), ...news });
  learn({ lookingUntil: now + LOOK_MS });
  try {
    await count?.();
    const db = await call.deployment.openDatabase();
    const [row] = await db.select().from(githubKeys).where(theRow);
    const { keys, toldAt } = row?.url === url ? row : NOTHING;
    learn({ keys, toldAt });
    const isEnough = identifier === null ? now - toldAt < OLD_MS : keyIn({ keys }, identifier) !== null;
    if (!isEnough) await askInTurn(db, url, now, learn);
    // After a failure the next call looks again.
    learn({ lookedAt: now });
  } finally {
    learn({ lookingUntil: 0 });
  }
}

/** Asks GitHub, unless another isolate asks now or has asked just now, and keeps the answer. */
async function askInTurn(db: Db, url: string, now: number, learn: (news: Keys) => void): Promise<void> {
  const isOther = ne(githubKeys.url, url);
  const { claimed } = await batch(withReserve(db), {
    claimed: db
      .update(githubKeys)
      .set({
        url,
        askedAt: now,
        // The keys of another address are not those of this one.
        toldAt: sql`iif(${isOther}, 0, ${githubKeys.toldAt})`,
        keys: sql`iif(${isOther}, '{}', ${githubKeys.keys})`,
      })
      .where(and(theRow, or(isOther, lte(githubKeys.askedAt, now - ONCE_MS))))
      .returning({ id: githubKeys.id }),
  });
  if (claimed.length === 0) return;
  const keys = await ask(url);
  if (keys === null) return;
  learn({ keys, toldAt: now });
  await batch(withReserve(db), {
    kept: db
      .update(githubKeys)
      .set({ toldAt: now, keys })
      .where(and(theRow, eq(githubKeys.url, url))),
  });
}

/** GitHub's answer, or null if it cannot be had. Without a `User-Agent` GitHub refuses. */
async function ask(url: string): Promise<Record<string, string> | null> {
  try {
    const answer = await fetch(url, {
      headers: { accept: 'application/json', 'user-agent': 'developer-zone' },
      redirect: 'manual',
      cache: 'no-store',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const text = answer.status === 200 ? await answer.text() : '';
    const parsed = safeParse(Answer, text.length > ANSWER_LENGTH ? null : JSON.parse(text));
    if (parsed.success && parsed.output.public_keys.length > 0)
      return Object.fromEntries(parsed.output.public_keys.map((each) => [each.key_identifier, each.key]));
  } catch {
    // Not reached, too slow, or not JSON.
  }
  logFailure('github-keys-not-read');
  return null;
}

function keyIn({ keys }: Pick<Keys, 'keys'>, identifier: string): string | null {
  return Object.hasOwn(keys, identifier) ? (keys[identifier] ?? null) : null;
}
