// Only this file writes to the log: a line of JSON for each request, and one for each failure behind it. All fields are defined here.
// None is ever a secret, a hash, a cookie, an e-mail address, a path, a query or a body.
import { METHODS } from './methods.ts';
import type { Slug } from './problem.ts';

/** What a route adds to the log line of its call. Ids of rows that exist, never a caller's own text. */
export type Note = {
  readonly slug?: Slug;
  readonly organisationId?: string;
  readonly tokenId?: string;
};

/** What the line about an answered call is made of (call.ts). */
type Answered = { request: Request; id: string; route: string; startedAt: number; facts: Note | undefined };

/** All that a line about a request may say; JSON leaves out what is undefined. */
type RequestLine = {
  method: string;
  route: string;
  status: number;
  reason: Slug | undefined;
  organisationId: string | undefined;
  tokenId: string | undefined;
  requestId: string;
  region: string | undefined;
  durationMs: number;
};

/** All that a line about anything else may say. */
type FailureLine = {
  level: 'error';
  event:
    | 'misconfigured'
    | 'unexpected'
    | 'usage-not-written'
    | 'usage-dropped'
    | 'prune-failed'
    | 'retirement-failed'
    | 'warning-failed'
    | 'mailing-failed'
    | 'mail-not-sent'
    | 'webhook-failed'
    | 'webhook-not-delivered'
    | 'webhook-events-removed'
    | 'refusal-not-recorded'
    | 'oidc-refused'
    | 'github-keys-not-read'
    | Repeated;
  /** A sentence or a code of our own. */
  detail?: string | undefined;
  /** How many failures of this event and detail the line stands for; one, where it is not said. */
  times?: number;
  requestId?: string | undefined;
};

/** Failures that every call may have while their cause lasts. Each has a code of our own, and one line stands for many. */
type Repeated = 'storage-failed' | 'hub-unreachable' | 'change-unconfirmed' | 'cache-failed';

/** The line about an hourly pruning. */
type PrunedLine = {
  event: 'pruned';
  removed: Record<string, number>;
  /** Whether nothing was left to remove. */
  isDone: boolean;
  /** The size of the database. */
  bytes: number;
  durationMs: number;
};

/** Any other is a caller's own text. */
const KNOWN_METHODS = new Set<string>([...METHODS, 'OPTIONS']);
/** Cloudflare's ray id, or a UUID of ours: on a developer's machine the header is whatever a caller says. */
const REQUEST_ID = /^[0-9a-f-]{16,36}(?:-[A-Z]{3})?$/;
/** Where this isolate runs. It never moves, and reading `cf` costs more than the rest of a line. */
let region: string | undefined;

/**
 * The line about an answered call by HTTP; `startedAt` in ms of the epoch. On Cloudflare clocks stand still but for I/O, so that the duration is the time that
 * was waited: 0 for a call that was answered from memory.
 */
export function logRequest(call: Answered, status: number, which: 'all' | 'errors'): void {
  if (which === 'errors' && status < 500) return;
  const { request, facts, id } = call;
  write({
    method: KNOWN_METHODS.has(request.method) ? request.method : 'other',
    route: call.route,
    status,
    reason: facts?.slug,
    organisationId: facts?.organisationId,
    tokenId: facts?.tokenId,
    requestId: REQUEST_ID.test(id) ? id : 'other',
    region: (region ??= coloOf(request)),
    durationMs: Date.now() - call.startedAt,
  });
}

function coloOf({ cf }: Request): string {
  const colo = cf?.['colo'];
  return typeof colo === 'string' && /^[A-Z]{3}$/.test(colo) ? colo : 'unknown';
}

/** A deployment that is set up wrongly; `detail` names the setting, never its value. */
export function logMisconfigured(detail: string): void {
  write({ level: 'error', event: 'misconfigured', detail });
}

/** A failure that no request waits for, or that its answer does not show in full: what failed and, if it helps, a code. */
export function logFailure(
  event: Exclude<FailureLine['event'], 'misconfigured' | 'unexpected' | Repeated>,
  detail?: string,
): void {
  write({ level: 'error', event, detail });
}

/** One line in this time for each event and code, in each isolate. */
const OFTEN_MS = 10_000;
/** Events and codes are few and our own, so that the map stays small. */
const repeated = new Map<string, { until: number; more: number }>();

/** A failure that may come with every call. What comes within ten seconds of a line is counted by the next line. */
export function logOften(event: Repeated, detail: string): void {
  const key = `${event} ${detail}`;
  const now = Date.now();
  const last = repeated.get(key);
  if (last !== undefined && now < last.until) {
    last.more++;
    return;
  }
  repeated.set(key, { until: now + OFTEN_MS, more: 0 });
  write({
    level: 'error',
    event,
    detail,
    ...(last !== undefined && last.more > 0 ? { times: last.more + 1 } : {}),
  });
}

/** The hourly pruning, done or not: how much went, and how large the database is. */
export function logPruned(pruned: Omit<PrunedLine, 'event'>): void {
  write({ event: 'pruned', ...pruned });
}

/** An unexpected failure: the kind of the error and the place in our own code. Its message may hold anything, so it is left out. */
export function logUnexpected(error: Error, requestId: string): void {
  const frame = error.stack?.split('\n').find((line) => FRAME.test(line));
  const kind = /^[A-Z]\w{0,40}$/.test(error.name) ? error.name : 'Error';
  write({
    level: 'error',
    event: 'unexpected',
    detail: frame === undefined ? kind : `${kind} ${frame.trim()}`,
    requestId: REQUEST_ID.test(requestId) ? requestId : 'other',
  });
}
const FRAME = /^ {4}at (?:(?:async )?(?:new )?[\w.$#<>]{1,60} )?\(?[\w./:-]{1,120}:\d+:\d+\)?$/;

function write(line: RequestLine | FailureLine | PrunedLine): void {
  // oxlint-disable-next-line no-console -- the log of a Worker
  console.log(JSON.stringify(line));
}
