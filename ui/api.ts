// The only door to the Worker. Every call answers data, `ok` or a problem; nothing throws, nothing is kept.
import { hc } from 'hono/client';
import type { AdminApi } from '../worker/admin/routes.ts';
import type { Token } from './state.ts';

export type Failure = {
  /** The slug of the problem, or `offline` / `network` when no answer came. */
  slug: string;
  status: number;
  detail: string | null;
  requestId: string | null;
  /** Seconds, from Retry-After. */
  retryAfter: number | null;
};
export type Outcome<T> = { ok: true; status: number; value: T } | { ok: false; failure: Failure };

const { api } = hc<AdminApi>('/');

/** Set by the state: what a 401 anywhere means is decided in one place. */
let onSessionEnd: () => void = () => {};
export function whenSessionEnds(listener: () => void): void {
  onSessionEnd = listener;
}

type Answer<T> = { ok: boolean; status: number; headers: Headers; json(): Promise<T> };

async function settle<T>(call: Promise<Answer<T>>): Promise<Outcome<T>> {
  let answer: Answer<T>;
  try {
    answer = await call;
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') return noAnswer('aborted');
    return noAnswer(navigator.onLine ? 'network' : 'offline');
  }
  try {
    if (answer.ok) {
      return {
        ok: true,
        status: answer.status,
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

const place = (organisation: string) => ({ param: { organisation } });

export const listTokens = (organisation: string, signal: AbortSignal) =>
  settle(api.organisations[':organisation'].tokens.$get(place(organisation), { init: { signal } }));

export const readUsage = (organisation: string) =>
  settle(api.organisations[':organisation'].usage.$get(place(organisation)));

/** A repeat under the same key makes no second token; its answer has no secret. */
export const createToken = (organisation: string, name: string, key: string) =>
  settle(
    api.organisations[':organisation'].tokens.$post(place(organisation), {
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
      init: { body: JSON.stringify(name === '' ? {} : { name }) },
      // 201 with the secret, or 200 without it when the key was used before: one shape.
    }) as Promise<Answer<{ token: Token; secret: string | null }>>,
  );

export const changeToken = (
  organisation: string,
  token: string,
  change: { active?: boolean; name?: string | null },
) =>
  settle(
    api.organisations[':organisation'].tokens[':token'].$patch(
      { param: { organisation, token } },
      { headers: { 'content-type': 'application/json' }, init: { body: JSON.stringify(change) } },
    ),
  );

export const deleteToken = (organisation: string, token: string) =>
  settle(api.organisations[':organisation'].tokens[':token'].$delete({ param: { organisation, token } }));

export const readActivity = (organisation: string, query: Record<string, string>) =>
  settle(
    api.organisations[':organisation'].activity.$get({ ...place(organisation), query } as ReturnType<
      typeof place
    >),
  );

const json = (body: unknown) => ({
  headers: { 'content-type': 'application/json' },
  init: { body: JSON.stringify(body) },
});

export const askForLink = (email: string) => settle(api['sign-in'].link.$post({}, json({ email })));
export const redeemLink = (code: string) =>
  settle(api['sign-in'].redeem.$post({}, json({ code })) as Promise<Answer<null>>);
export const signOut = () => settle(api['sign-out'].$post() as Promise<Answer<null>>);
export const listSessions = () => settle(api.sessions.$get());
export const endSession = (id: string) =>
  settle(api.sessions[':id'].$delete({ param: { id } }) as Promise<Answer<null>>);
export const signOutEverywhere = () =>
  settle(api.sessions['sign-out-everywhere'].$post() as Promise<Answer<null>>);
