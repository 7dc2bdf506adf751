// The public keys of GitHub's secret scanning. They are kept in the database: reports are accepted by them while GitHub's API is out of
// order, all isolates share them, and they stay in a jurisdiction, which KV cannot be limited to.
import { and, eq, lte, ne, or } from 'drizzle-orm';
import { array, maxLength, object, pipe, safeParse, string } from 'valibot';
import { batch } from '../database.ts';
import type { Call } from '../http/call.ts';
import { logFailure } from '../http/log.ts';
import { withReserve } from '../reserve.ts';
import { githubKeys } from '../tables.ts';

/** Keys by their identifiers, and when GitHub told them (ms since 1970). */
type Keys = { keys: Readonly<Record<string, string>>; toldAt: number };
/** What an isolate knows, and when it looked into the database last. */
type Known = Keys & { lookedAt: number };

/** GitHub is asked at most once in this time, and an isolate looks for an unknown key at most once in it. */
const ONCE_MS = 60_000;
/** Keys that are older are asked for again, so that no key is accepted for ever that GitHub gave up. */
const OLD_MS = 24 * 60 * 60 * 1000;
const TIMEOUT_MS = 5000;
/** In characters. */
const ANSWER_LENGTH = 65_536;
const Answer = object({
  public_keys: pipe(array(object({ key_identifier: string(), key: string() })), maxLength(100)),
});
/** The table has one. */
const theRow = eq(githubKeys.id, 1);
const NOTHING: Known = { keys: {}, toldAt: 0, lookedAt: 0 };
/** By the address of the keys. Data, never a promise: a request must not wait for another request's I/O. */
const known = new Map<string, Known>();

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
  const now = Date.now();
  const mine = known.get(url) ?? NOTHING;
  const mayLook = now - mine.lookedAt >= ONCE_MS;
  const key = keyIn(mine, identifier);
  if (key !== null) {
    // A failure leaves the keys as they are.
    if (mayLook && now - mine.toldAt >= OLD_MS)
      call.waitUntil(look(call, url, null, now).catch(() => undefined));
    return { ok: true, key };
  }
  if (mayLook) {
    await count();
    await look(call, url, identifier, now);
  }
  const latest = known.get(url) ?? NOTHING;
  const found = keyIn(latest, identifier);
  if (found !== null) return { ok: true, key: found };
  return { ok: false, reason: latest.toldAt > latest.lookedAt - ONCE_MS ? 'unknown' : 'unavailable' };
}

/** Looks into the database, and asks GitHub if the key is not there, or (`identifier` null) if the keys are old. */
async function look(call: Call, url: string, identifier: string | null, now: number): Promise<void> {
  const remember = (keys: Keys, lookedAt = now) => known.set(url, { ...keys, lookedAt });
  const mine = known.get(url) ?? NOTHING;
  remember(mine);
  try {
    const db = await call.deployment.openDatabase();
    const [row] = await db.select().from(githubKeys).where(theRow);
    const kept: Keys = row?.url === url ? row : NOTHING;
    remember(kept);
    if (identifier === null ? now - kept.toldAt < OLD_MS : keyIn(kept, identifier) !== null) return;
    const { claimed } = await batch(withReserve(db), {
      claimed: db
        .update(githubKeys)
        .set({ askedAt: now })
        .where(and(theRow, or(ne(githubKeys.url, url), lte(githubKeys.askedAt, now - ONCE_MS))))
        .returning({ id: githubKeys.id }),
    });
    // Another isolate asks now, or has asked just now.
    if (claimed.length === 0) return;
    const keys = await ask(url);
    if (keys === null) return;
    remember({ keys, toldAt: now });
    await batch(withReserve(db), {
      kept: db.update(githubKeys).set({ url, toldAt: now, keys }).where(theRow),
    });
  } catch (error) {
    // The next call looks again.
    remember(known.get(url) ?? mine, 0);
    throw error;
  }
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

function keyIn({ keys }: Keys, identifier: string): string | null {
  return Object.hasOwn(keys, identifier) ? (keys[identifier] ?? null) : null;
}
