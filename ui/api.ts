// The only door to the Worker. Every call answers data, `ok` or a problem; nothing throws, nothing is kept.
import type { hc, InferResponseType } from 'hono/client';
import type { AdminApi } from '../worker/admin/routes.ts';

export type Failure = {
  /** The slug of the problem, or `offline` / `network` when no answer came. */
  slug: string;
  status: number;
  detail: string | null;
  requestId: string | null;
  /** Seconds, from Retry-After. */
  retryAfter: number | null;
};
export type Outcome<T> = { ok: true; value: T } | { ok: false; failure: Failure };

// The worker's own routes say what each answer holds; only their types come here, so that the client costs no bytes.
type Api = ReturnType<typeof hc<AdminApi>>['api'];
type Place = Api['organisations'][':organisation'];

/** Set by the state: what a 401 anywhere means is decided in one place. */
let onSessionEnd: () => void = () => {};
export function whenSessionEnds(listener: () => void): void {
  onSessionEnd = listener;
}

async function call<T>(
  method: string,
  path: string,
  body?: unknown,
  init: RequestInit = {},
): Promise<Outcome<T>> {
  let answer: Response;
  try {
    answer = await fetch(`/api/${path}`, {
      method,
      body: body === undefined ? null : JSON.stringify(body),
      ...init,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...init.headers },
    });
  } catch {
    return noAnswer(navigator.onLine ? 'network' : 'offline');
  }
  try {
    if (answer.ok) {
      return {
        ok: true,
        value: answer.status === 204 ? (undefined as T) : await answer.json(),
      };
    }
    // An error answer is a problem (RFC 9457) whatever the success type says.
    const problem = (await answer.json()) as { type?: string; detail?: string; requestId?: string };
    const slug = problem.type?.split('#')[1] ?? 'unexpected';
    if (slug === 'sign-in-required') onSessionEnd();
    return {
      ok: false,
      failure: {
        slug,
        status: answer.status,
        detail: problem.detail ?? null,
        requestId: problem.requestId ?? null,
        retryAfter: Number(answer.headers.get('retry-after')) || null,
      },
    };
  } catch {
    return noAnswer('network', answer.status, answer.headers.get('x-request-id'));
  }
}

function noAnswer(slug: string, status = 0, requestId: string | null = null): Outcome<never> {
  return { ok: false, failure: { slug, status, detail: null, requestId, retryAfter: null } };
}

const at = (organisation: string, rest: string): string =>
  `organisations/${encodeURIComponent(organisation)}/${rest}`;

export const listTokens = (organisation: string, signal: AbortSignal) =>
  call<InferResponseType<Place['tokens']['$get']>>('GET', at(organisation, 'tokens'), undefined, { signal });

/** A row of the table, as the Worker's own route says. */
export type Token = InferResponseType<Place['tokens']['$get']>['tokens'][number];

export const readUsage = (organisation: string) =>
  call<InferResponseType<Place['usage']['$get']>>('GET', at(organisation, 'usage'));

/** A repeat under the same key makes no second token; its answer has no secret. */
export const createToken = (organisation: string, name: string, key: string) =>
  call<InferResponseType<Place['tokens']['$post']>>(
    'POST',
    at(organisation, 'tokens'),
    name === '' ? {} : { name },
    { headers: { 'idempotency-key': key } },
  );

export const changeToken = (
  organisation: string,
  token: string,
  change: { active?: boolean; name?: string | null },
) =>
  call<InferResponseType<Place['tokens'][':token']['$patch']>>(
    'PATCH',
    at(organisation, `tokens/${token}`),
    change,
  );

export const deleteToken = (organisation: string, token: string) =>
  call<InferResponseType<Place['tokens'][':token']['$delete']>>(
    'DELETE',
    at(organisation, `tokens/${token}`),
  );

export const readActivity = (organisation: string, query: Record<string, string>) =>
  call<InferResponseType<Place['activity']['$get']>>(
    'GET',
    at(organisation, `activity?${new URLSearchParams(query).toString()}`),
  );

export const askForLink = (email: string) =>
  call<InferResponseType<Api['sign-in']['link']['$post']>>('POST', 'sign-in/link', { email });
export const redeemLink = (code: string) => call<null>('POST', 'sign-in/redeem', { code });
export const signOut = () => call<null>('POST', 'sign-out');
export const listSessions = () => call<InferResponseType<Api['sessions']['$get']>>('GET', 'sessions');
export const endSession = (id: string) => call<null>('DELETE', `sessions/${encodeURIComponent(id)}`);
export const signOutEverywhere = () => call<null>('POST', 'sessions/sign-out-everywhere');
