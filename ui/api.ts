// All calls to the Worker. Each answers data or a failure. None throws, and none stores anything. Paths, bodies and answers have the
// types of the Worker's routes, so a renamed path or field is a type error here. Only types are imported.
import type { ExtractSchema } from 'hono/types';
import type { AdminApi } from '../worker/admin/routes.ts';
import type { Slug } from '../worker/http/problem.ts';

export type Failure = {
  /** The slug of the problem, or `network` when no answer came. */
  slug: Slug | 'network';
  status: number;
  detail: string | null;
  requestId: string | null;
  /** Seconds, from Retry-After. */
  retryAfter: number | null;
};
export type Outcome<T> = { ok: true; value: T } | { ok: false; failure: Failure };

type Routes = ExtractSchema<AdminApi>;
/** The input of a route: its `param`, `query` and `json`. */
type Input<Path extends keyof Routes, Method extends keyof Routes[Path]> = Routes[Path][Method] extends {
  input: infer Taken;
}
  ? Taken
  : never;
/** The answer of a route if it does not refuse. */
type Answer<Path extends keyof Routes, Method extends keyof Routes[Path]> = Routes[Path][Method] extends {
  output: infer Output;
}
  ? Output
  : never;

/** What calls need from the open page. ui/state.ts sets it. */
type OpenPage = {
  /** The address of the member whom the page shows. */
  member: () => string | null;
  /** Any answer has come, also a refusal. */
  onAnswer: () => void;
  onSessionEnd: () => void;
  onAnotherMember: () => void;
};
let page: OpenPage | null = null;
export function callFrom(openPage: OpenPage): void {
  page = openPage;
}

/** For calls that no person caused. They do not count as use of the session. */
const UNATTENDED = { 'x-unattended': '1' };

/** The path of the route with the values of `param`, followed by `query`. */
function addressOf(path: string, { param = {}, query = {} }: Parts): string {
  const filled = path.replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(param[name] ?? ''));
  const search = new URLSearchParams(query).toString();
  return search === '' ? filled : `${filled}?${search}`;
}

/** The parts that any route's input may have. */
type Parts = { param?: Record<string, string>; query?: Record<string, string>; json?: unknown };

async function call<Path extends keyof Routes & string, Method extends keyof Routes[Path] & string>(
  method: Method,
  path: Path,
  input: Input<Path, Method> & Parts,
  init: RequestInit = {},
): Promise<Outcome<Answer<Path, Method>>> {
  const body = input.json;
  let answer: Response;
  const member = page?.member() ?? null;
  try {
    answer = await fetch(addressOf(path, input), {
      method: method.slice(1).toUpperCase(),
      body: body === undefined ? null : JSON.stringify(body),
      ...init,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(member === null ? {} : { 'x-member': member }),
        ...init.headers,
      },
    });
  } catch {
    return noAnswer();
  }
  page?.onAnswer();
  try {
    if (answer.ok) {
      return {
        ok: true,
        // 204 has no body, and its type has no field that is read.
        value: answer.status === 204 ? null : await answer.json(),
      };
    }
    // An error answer is a problem (RFC 9457). The type of the route does not say so.
    const problem = (await answer.json()) as { type?: string; detail?: string; requestId?: string };
    // The Worker's problems have these slugs only. A proxy before the Worker answers no JSON, which ends in `catch`.
    const slug = (problem.type?.split('#')[1] ?? 'unexpected') as Slug;
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
    return noAnswer(answer.status, answer.headers.get('x-request-id'));
  }
}

function noAnswer(status = 0, requestId: string | null = null): Outcome<never> {
  return { ok: false, failure: { slug: 'network', status, detail: null, requestId, retryAfter: null } };
}

const TOKENS = '/api/organisations/:organisation/tokens';
const TOKEN = '/api/organisations/:organisation/tokens/:token';

type Listed = Answer<typeof TOKENS, '$get'>;
/** A token as the Worker's route answers it, with its organisation. */
export type Token = Listed['tokens'][number] & { organisation: string };
type NewToken = Input<typeof TOKENS, '$post'>['json'];
/** What a new token may be limited to, and what can be changed later: all that is decided of a token besides its name. */
export type Limits = {
  [Field in Exclude<keyof NewToken, 'name'>]-?: Exclude<NewToken[Field], undefined>;
};
const placeOf = (token: Token) => ({ param: { organisation: token.organisation, token: token.id } });

export async function listTokens(
  organisation: string,
  { signal = null, unattended = false }: { signal?: AbortSignal | null; unattended?: boolean } = {},
): Promise<Outcome<{ tokens: Token[]; limit: number }>> {
  const outcome = await call(
    '$get',
    TOKENS,
    { param: { organisation } },
    { signal, ...(unattended ? { headers: UNATTENDED } : {}) },
  );
  if (!outcome.ok) return outcome;
  const tokens = outcome.value.tokens.map((token) => ({ ...token, organisation }));
  return { ok: true, value: { ...outcome.value, tokens } };
}

const USAGE = '/api/organisations/:organisation/usage';
type Usage = Answer<typeof USAGE, '$get'>;
/** Accepted and refused calls, the oldest first. */
export type Series = Usage['usage'][string];
/** From where a call was refused because of a token's networks. */
export type RefusedAddress = Usage['refusedAddresses'][number];
export const readUsage = (organisation: string) =>
  // The page asks for it after each list, also without a person.
  call('$get', USAGE, { param: { organisation } }, { headers: UNATTENDED });

/** A repeat with the same key makes no second token, and its answer has no secret. */
export async function createToken(
  organisation: string,
  json: NewToken,
  key: string,
): Promise<Outcome<{ token: Token; secret: string | null }>> {
  const outcome = await call(
    '$post',
    TOKENS,
    { param: { organisation }, json },
    { headers: { 'idempotency-key': key } },
  );
  if (!outcome.ok) return outcome;
  const { token, secret } = outcome.value;
  return { ok: true, value: { token: { ...token, organisation }, secret } };
}

export const changeToken = (token: Token, change: Input<typeof TOKEN, '$patch'>['json']) =>
  call('$patch', TOKEN, { ...placeOf(token), json: change });

const ROTATE = '/api/organisations/:organisation/tokens/:token/rotate';
/** When the old value ends. */
export type Retire = Input<typeof ROTATE, '$post'>['json']['retire'];

/** Replaces the value that the page shows. A repeat with the same key makes no second value, and its answer has no secret. */
export async function rotateToken(
  token: Token,
  retire: Retire,
  key: string,
): Promise<Outcome<{ token: Token; secret: string | null; effectiveAt: string }>> {
  const { organisation, preview } = token;
  const outcome = await call(
    '$post',
    ROTATE,
    { ...placeOf(token), json: { retire, preview } },
    { headers: { 'idempotency-key': key } },
  );
  if (!outcome.ok) return outcome;
  return { ok: true, value: { ...outcome.value, token: { ...outcome.value.token, organisation } } };
}

/** Ends the old value. `preview` is that of the old value. */
export const endOldValue = (token: Token, preview: string) =>
  call('$post', '/api/organisations/:organisation/tokens/:token/retire', {
    ...placeOf(token),
    json: { preview },
  });

const CALLS = '/api/organisations/:organisation/tokens/:token/calls';
export type CallsOfToken = Answer<typeof CALLS, '$get'>;
/** Who calls with a token, how often, and why calls were refused. */
export const readCalls = (token: Token, unattended = false) =>
  call('$get', CALLS, placeOf(token), unattended ? { headers: UNATTENDED } : {});

/** Switches off every active token of the organisation. Answers those. */
export const pauseAll = (organisation: string) =>
  call('$post', '/api/organisations/:organisation/tokens/pause', { param: { organisation } });
/** Switches on again those that were switched off together. Answers those. */
export const resumeAll = (organisation: string) =>
  call('$post', '/api/organisations/:organisation/tokens/resume', { param: { organisation } });

export const deleteToken = (token: Token) => call('$delete', TOKEN, placeOf(token));

const STILL_CALLING = '/api/organisations/:organisation/still-calling';
/** A deleted token, or a value of a token that has ended, that was called in the last 7 days. */
export type StillCalling = Answer<typeof STILL_CALLING, '$get'>['stillCalling'][number];
export const readStillCalling = (organisation: string) =>
  call('$get', STILL_CALLING, { param: { organisation } }, { headers: UNATTENDED });

const ACTIVITY = '/api/organisations/:organisation/activity';
/** A cursor, and the filters. */
export type ActivityQuery = Input<typeof ACTIVITY, '$get'>['query'];
/** What an event that members see can be about. */
export type Action = Exclude<ActivityQuery['action'], undefined>;
/** A page of events, the newest first. */
export type Page = Answer<typeof ACTIVITY, '$get'>;
export type Entry = Page['events'][number];
export const readActivity = (organisation: string, query: ActivityQuery, unattended = false) =>
  call('$get', ACTIVITY, { param: { organisation }, query }, unattended ? { headers: UNATTENDED } : {});

/** The address of the activity as a file. */
export const activityFile = (organisation: string, format: 'csv' | 'jsonl', query: ActivityQuery): string =>
  addressOf(`${ACTIVITY}.${format}` satisfies keyof Routes, { param: { organisation }, query });

export const readPeople = (organisation: string) =>
  call('$get', '/api/organisations/:organisation/activity/people', { param: { organisation } });

/** The member who is signed in in this browser, with their organisations and plans. */
export type Session = Answer<'/api/session', '$get'>;
export type Plan = Session['organisations'][number]['plan'];
export const readSession = (unattended: boolean) =>
  call('$get', '/api/session', {}, unattended ? { headers: UNATTENDED } : {});

export const askForLink = (email: string) => call('$post', '/api/sign-in/link', { json: { email } });
export const redeemLink = (code: string) => call('$post', '/api/sign-in/redeem', { json: { code } });
export const signOut = () => call('$post', '/api/sign-out', {});
/** Where the member is signed in. */
export type MySession = Answer<'/api/sessions', '$get'>['sessions'][number];
export const listSessions = () => call('$get', '/api/sessions', {});
export const endSession = (id: string) => call('$delete', '/api/sessions/:id', { param: { id } });
export const signOutEverywhere = () => call('$post', '/api/sessions/sign-out-everywhere', {});
