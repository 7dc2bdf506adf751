// Pushes the events that wait to WEBHOOK_URL, and tells when the retention removes some of them.
import { sql } from 'drizzle-orm';
import type { Deployment } from '../deployment/deployment.ts';
import { logFailure } from '../http/log.ts';
import { storageFailureOf } from '../storage-failure.ts';
import { webhook } from '../tables.ts';
import { signerOf } from '../webhook/message.ts';
import { openOutbox } from '../webhook/outbox.ts';
import { pushEvents } from '../webhook/push.ts';
import type { Budget, Ports } from '../webhook/push.ts';
import { send } from '../webhook/send.ts';
import { expiredEvents } from './expired.ts';
import type { Occasion } from './work.ts';

/**
 * The last request takes ten seconds at most, so both end in the time that Cloudflare allows. Cloudflare ends a run at 1,000 requests
 * and statements; the next run goes on.
 */
const BUDGETS: Record<Occasion, Budget> = {
  change: { events: 20, ms: 5000 },
  minute: { events: 500, ms: 40_000 },
};

/** Pushes what is due. A failing receiver is logged, and the run does not fail: the next run tries again. */
export async function pushToWebhook(deployment: Deployment, occasion: Occasion): Promise<void> {
  const { webhook: receiver } = deployment.settings;
  if (receiver === null) return;
  const outbox = openOutbox(await deployment.openDatabase());
  const sign = await signerOf(receiver.keys);
  const ports: Ports = {
    outbox,
    send: (message) => send(receiver.url, sign, message),
    now: () => Date.now(),
  };
  try {
    const { failure } = await pushEvents(ports, receiver.urlHash, BUDGETS[occasion]);
    if (failure !== null) logFailure('webhook-not-delivered', failure);
  } catch (error) {
    // The free plan allows 50 statements, which a run finds out.
    if (storageFailureOf(error) !== 'query-limit') throw error;
  }
}

/** So many events are counted at most. */
const COUNTED = 10_000;

/**
 * Tells in the log how many events the pruning of `now` (ms) will remove that were not pushed. The retention holds for them too: how
 * long an event is kept must not depend on a receiver.
 */
export async function tellUnsent(deployment: Deployment, now: number): Promise<void> {
  const { webhook: receiver, eventsRetentionDays: days } = deployment.settings;
  if (receiver === null || days === null) return;
  const db = await deployment.openDatabase();
  const expired = expiredEvents(db, now, days, COUNTED);
  const [row] = await db.all<{ count: number }>(
    sql`SELECT count(*) AS count FROM ${expired} WHERE id > (SELECT cursor FROM ${webhook} WHERE ${webhook.id} = 1)`,
  );
  if (row !== undefined && row.count > 0) logFailure('webhook-events-removed', String(row.count));
}
