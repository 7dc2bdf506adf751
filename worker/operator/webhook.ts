// The state of the push of events, a test of the receiver, and the place from which events are pushed.
import type { Cause } from '../activity/events.ts';
import type { Db } from '../database.ts';
import type { Deployment } from '../deployment/deployment.ts';
import { Problem } from '../http/problem.ts';
import { signerOf, testMessage } from '../webhook/message.ts';
import { begin, moveCursor, readLag, readStanding, startAgain } from '../webhook/outbox.ts';
import { send } from '../webhook/send.ts';
import { WAITING_COUNTED } from './schemas.ts';

/** `off`: no URL is set. `failing`: the last try failed. `stopped`: the receiver answered 410. */
export const WEBHOOK_STATES = ['off', 'running', 'failing', 'stopped'] as const;
/** Why nothing is sent. */
const OFF = 'WEBHOOK_URL is not set';
type State = (typeof WEBHOOK_STATES)[number];

/** How the pushes stand at `now` (ms). Without a URL, or before the first push, the cursor is null where nothing was pushed yet. */
export async function readWebhook({ settings }: Pick<Deployment, 'settings'>, db: Db, now: number) {
  const { webhook: receiver } = settings;
  const standing = await readStanding(db);
  const lag =
    standing === null ? { events: 0, firstAt: null } : await readLag(db, standing.cursor, WAITING_COUNTED);
  // What is known of another URL is not true of this one.
  const known = standing?.urlHash === receiver?.urlHash ? standing : null;
  const state: State =
    receiver === null
      ? 'off'
      : known?.stoppedAt != null
        ? 'stopped'
        : known !== null && known.failures > 0
          ? 'failing'
          : 'running';
  return {
    url: receiver?.shownUrl ?? null,
    state,
    cursor: standing === null ? null : String(standing.cursor),
    lag: {
      events: lag.events,
      countedUpTo: WAITING_COUNTED,
      seconds: lag.firstAt === null ? 0 : Math.max(0, Math.floor((now - Date.parse(lag.firstAt)) / 1000)),
    },
    failingSince: known?.failingSince ?? null,
    lastError:
      standing?.lastError == null || standing.lastErrorAt === null
        ? null
        : { at: standing.lastErrorAt, reason: standing.lastError },
    lastSuccessAt: standing?.lastSuccessAt ?? null,
    nextTryAt: state === 'failing' ? (known?.nextTryAt ?? null) : null,
  };
}

/** Sends one message that is about no event. Where the receiver accepts it, a stopped or failing push goes on at once. */
export async function testWebhook({ settings }: Pick<Deployment, 'settings'>, db: Db, now: number) {
  const { webhook: receiver } = settings;
  if (receiver === null) return { isDelivered: false, reason: OFF };
  const delivery = await send(receiver.url, await signerOf(receiver.keys), testMessage(now));
  if (!delivery.ok) return { isDelivered: false, reason: delivery.reason };
  await begin(db, receiver.urlHash);
  await startAgain(db, receiver.urlHash);
  return { isDelivered: true, reason: null };
}

/**
 * Puts the push behind the event of this number: events up to it are not sent, or are sent again. On record like every change, and
 * the event about it is pushed as well. Throws a Problem where there is no such event yet, or no URL is set.
 */
export async function moveWebhook(
  { settings }: Pick<Deployment, 'settings'>,
  db: Db,
  cause: Cause,
  cursor: number,
): Promise<void> {
  const { webhook: receiver } = settings;
  if (receiver === null) throw new Problem('invalid-body', `Field "cursor": ${OFF}`);
  await begin(db, receiver.urlHash);
  if (!(await moveCursor(db, cause, cursor)))
    throw new Problem('invalid-body', 'Field "cursor": above the newest event');
}
