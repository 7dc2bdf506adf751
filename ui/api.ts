// All calls to the Worker. Each answers data, `ok` or a problem. None throws, and none keeps anything.
import type { hc, InferResponseType } from 'hono/client';
import type { AdminApi } from '../worker/admin/routes.ts';

export type Failure = {
  /** The slug of the problem, or `network` when no answer came. */
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

/** The open page, as far as a call concerns it. Set by the state, which decides what each of these means. */
type OpenPage = {
  /** The address of the member whom the page shows. */
  member: () => string | null;
  /** An answer came, whatever it says. */
  onAnswer: () => void;
  onSessionEnd: () => void;
  onAnotherMember: () => void;
};
let page: OpenPage | null = null;
export function callFrom(openPage: OpenPage): void {
  page = openPage;
}

/** What the page asks for by itself: it does not count as use of the session. */
const UNATTENDED = { 'x-unattended': '1' };

async function call<T>(
  method: string,
  path: string,
  body?: unknown,
  init: RequestInit = {},
): Promise<Outcome<T>> {
  let answer: Response;
  const member = page?.member() ?? null;
  try {
    answer = await fetch(`/api/${path}`, {
      method,
      body: body === undefined ? null : JSON.stringify(body),
      ...init,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(member === null ? {} : { 'x-member': member }),
        ...init.headers,
      },
    });
  } catch {
    return noAnswer('network');
  }
  page?.onAnswer();
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
    if (slug === 'sign-in-required') page?.onSessionEnd();
    if (slug === 'another-member') page?.onAnotherMember();
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

type Listed = InferResponseType<Place['tokens']['$get']>;
/** A row of the table, as the Worker's own route says, and the organisation that it belongs to. */
export type Token = Listed['tokens'][number] & { organisation: string };

export async function listTokens(
  organisation: string,
  { signal = null, unattended = false }: { signal?: AbortSignal | null; unattended?: boolean } = {},
): Promise<Outcome<{ tokens: Token[]; limit: number }>> {
  const outcome = await call<Listed>('GET', at(organisation, 'tokens'), undefined, {
    signal,
    ...(unattended ? { headers: UNATTENDED } : {}),
  });
  if (!outcome.ok) return outcome;
  const tokens = outcome.value.tokens.map((token) => ({ ...token, organisation }));
  return { ok: true, value: { ...outcome.value, tokens } };
}

export const readUsage = (organisation: string) =>
  call<InferResponseType<Place['usage']['$get']>>('GET', at(organisation, 'usage'), undefined, {
    // It follows a list that was asked for, or that came by itself.
    headers: UNATTENDED,
  });

/** A repeat under the same key makes no second token; its answer has no secret. */
export async function createToken(
  organisation: string,
  name: string,
  key: string,
): Promise<Outcome<{ token: Token; secret: string | null }>> {
  const outcome = await call<InferResponseType<Place['tokens']['$post']>>(
    'POST',
    at(organisation, 'tokens'),
    name === '' ? {} : { name },
    { headers: { 'idempotency-key': key } },
  );
  if (!outcome.ok) return outcome;
  const { token, secret } = outcome.value;
  return { ok: true, value: { token: { ...token, organisation }, secret } };
}

export const changeToken = (token: Token, change: { active?: boolean; name?: string | null }) =>
  call<InferResponseType<Place['tokens'][':token']['$patch']>>(
    'PATCH',
    at(token.organisation, `tokens/${token.id}`),
    change,
  );

export const deleteToken = (token: Token) =>
  call<InferResponseType<Place['tokens'][':token']['$delete']>>(
    'DELETE',
    at(token.organisation, `tokens/${token.id}`),
  );

export const readActivity = (organisation: string, query: Record<string, string>, unattended = false) =>
  call<InferResponseType<Place['activity']['$get']>>(
    'GET',
    at(organisation, `activity?${new URLSearchParams(query).toString()}`),
    undefined,
    unattended ? { headers: UNATTENDED } : {},
  );

export const readPeople = (organisation: string) =>
  call<InferResponseType<Place['activity']['people']['$get']>>('GET', at(organisation, 'activity/people'));

/** Who is signed in to this browser, where they belong, and on which plans. */
export const readSession = (unattended: boolean) =>
  call<InferResponseType<Api['session']['$get']>>(
    'GET',
    'session',
    undefined,
    unattended ? { headers: UNATTENDED } : {},
  );

export const askForLink = (email: string) =>
  call<InferResponseType<Api['sign-in']['link']['$post']>>('POST', 'sign-in/link', { email });
export const redeemLink = (code: string) => call<null>('POST', 'sign-in/redeem', { code });
export const signOut = () => call<null>('POST', 'sign-out');
export const listSessions = () => call<InferResponseType<Api['sessions']['$get']>>('GET', 'sessions');
export const endSession = (id: string) => call<null>('DELETE', `sessions/${encodeURIComponent(id)}`);
export const signOutEverywhere = () => call<null>('POST', 'sessions/sign-out-everywhere');
