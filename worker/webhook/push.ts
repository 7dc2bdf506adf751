// Pushes the events to WEBHOOK_URL, oldest first. docs/decisions/0011-one-order-for-pushes.md says why there is one order for all.
import { causeOfRun } from '../activity/cause.ts';
import type { OperatorEvent } from '../activity/store.ts';
import { messageOf } from './message.ts';
import type { Message } from './message.ts';
import type { Outbox } from './outbox.ts';
import type { Delivery } from './send.ts';

/** What a run needs. A test may end it at any of these calls. `now`: ms. */
export type Ports = {
  outbox: Outbox;
  send(message: Message): Promise<Delivery>;
  now(): number;
};

/** The limits of one run. */
export type Budget = {
  /** It sends so many events at most. */
  events: number;
  /** It begins no further request after this time. */
  ms: number;
};

/** What a run did. `pushed`: how many events were acknowledged. `failure`: why it ended early, in words of our own. */
export type Pushed = { pushed: number; failure: string | null };

const NOTHING: Pushed = { pushed: 0, failure: null };
const PAGE = 100;
/**
 * The cursor is written after so many events, or after this time. A run that is killed sends these events again, and a run on the
 * free plan, which may send 50 requests and statements, has written it four times.
 */
const WRITE_EVENTS = 10;
const WRITE_MS = 5000;
/** No other run pushes for this time after the cursor was written: longer than WRITE_MS and all tries of an event together, and shorter
 * than a minute, so that a run that was killed does not keep the next one. */
const HOLD_MS = 45_000;
/** How often a run tries the same event where a moment later may help. */
const TRIES = 3;
/** After the first failure, then three times as long each time, up to MOST_DELAY_MS; after a day of failures SLOW_MS. */
const DELAY_MS = 10_000;
const MOST_DELAY_MS = 10 * 60_000;
export const SLOW_AFTER_MS = 24 * 60 * 60_000;
const SLOW_MS = 60 * 60_000;

/**
 * Pushes what is due, and answers what it did. Rejects if the database fails. Each event is sent until it is acknowledged by a
 * status of 2xx, with the same message id; only then the next one is.
 */
export async function pushEvents(ports: Ports, urlHash: string, budget: Budget): Promise<Pushed> {
  const { outbox, now } = ports;
  const standing = await outbox.readStanding();
  if (standing === null) {
    await outbox.begin(urlHash);
    return NOTHING;
  }
  if (standing.newest <= standing.cursor) return NOTHING;
  if (standing.urlHash !== urlHash) await outbox.startAgain(urlHash);
  else if (standing.stoppedAt !== null) return NOTHING;
  const startedAt = now();
  const holder = crypto.randomUUID();
  const taken = await outbox.take(holder, iso(startedAt), iso(startedAt + HOLD_MS));
  return taken === null ? NOTHING : run(ports, holder, taken, budget, startedAt);
}

async function run(
  { outbox, send, now }: Ports,
  holder: string,
  taken: { cursor: number; failures: number; failingSince: string | null },
  budget: Budget,
  startedAt: number,
): Promise<Pushed> {
  const until = startedAt + budget.ms;
  let { failures, failingSince } = taken;
  let { cursor } = taken;
  let unwritten = 0;
  let writtenAt = startedAt;
  let pushed = 0;
  let queue: OperatorEvent[] = [];

  /** False where another run has the hold: this one must not go on. */
  const write = async (isLast: boolean): Promise<boolean> => {
    const at = now();
    const isHeld = await outbox.acknowledge(holder, cursor, iso(at), isLast ? null : iso(at + HOLD_MS));
    unwritten = 0;
    writtenAt = at;
    failures = 0;
    failingSince = null;
    return isHeld;
  };
  const finish = async (failure: string | null): Promise<Pushed> => {
    if (unwritten > 0) await write(true);
    else await outbox.release(holder);
    return { pushed, failure };
  };

  while (pushed < budget.events && now() < until) {
    if (queue.length === 0) queue = await outbox.eventsAfter(cursor, Math.min(PAGE, budget.events - pushed));
    const event = queue.shift();
    if (event === undefined) break;
    const delivery = await deliver(messageOf(event));
    if (!delivery.ok) {
      if (delivery.kind === 'limited') return finish(null);
      if (unwritten > 0 && !(await write(false))) return { pushed, failure: null };
      const { reason } = delivery;
      if (delivery.kind === 'gone') await outbox.stop(holder, causeOfRun(holder, now()), reason);
      else await outbox.postpone(holder, postponed(reason, now()));
      return { pushed, failure: reason };
    }
    cursor = Number(event.id);
    pushed++;
    unwritten++;
    if ((unwritten >= WRITE_EVENTS || now() - writtenAt >= WRITE_MS) && !(await write(false)))
      return { pushed, failure: null };
  }
  return finish(null);

  async function deliver(message: Message): Promise<Delivery> {
    let delivery = await send(message);
    for (let tries = 1; tries < TRIES && !delivery.ok && delivery.kind === 'again' && now() < until; tries++)
      delivery = await send(message);
    return delivery;
  }

  function postponed(reason: string, at: number) {
    const since = failingSince ?? iso(at);
    const isSlow = at - Date.parse(since) >= SLOW_AFTER_MS;
    const delay = isSlow ? SLOW_MS : Math.min(DELAY_MS * 3 ** failures, MOST_DELAY_MS);
    return {
      failures: failures + 1,
      failingSince: since,
      nextTryAt: iso(at + delay),
      reason,
      at: iso(at),
    };
  }
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
