// The state of the push of events, as the operator reads it.
import type { Db } from '../database.ts';
import type { Deployment } from '../deployment/deployment.ts';
import { readLag, readStanding } from '../webhook/outbox.ts';
import { WAITING_COUNTED } from './schemas.ts';

/** `off`: no URL is set. `failing`: the last try failed. `stopped`: the receiver answered 410. */
export const WEBHOOK_STATES = ['off', 'running', 'failing', 'stopped'] as const;
/** Why nothing is sent. */
export const WEBHOOK_OFF = 'WEBHOOK_URL is not set';
type State = (typeof WEBHOOK_STATES)[number];

/** How the pushes stand at `now` (ms). Without a URL, or before the first push, the cursor is null where nothing was pushed yet. */
export async function readWebhookStatus({ settings }: Pick<Deployment, 'settings'>, db: Db, now: number) {
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
