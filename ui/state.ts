// What the screens show: one module of signals. The place (screen and organisation) is the URL's; nothing is stored.
import { computed, signal, watch } from './signal.ts';
import { listTokens, readUsage, whenSessionEnds } from './api.ts';
import type { Failure, Token } from './api.ts';
import { texts } from './texts.ts';

export type Plan = keyof typeof texts.plan.names;
export type Organisation = { id: string; name: string; plan: Plan };
export type Session = { member: { email: string }; organisations: Organisation[] };
export type Usage = { accepted: number[]; refused: number[] };
export type Screen = 'sign-in' | 'developer-zone' | 'activity' | 'sessions';
export type Load<T> =
  | { state: 'loading' }
  | { state: 'ready'; value: T; stale: boolean }
  | { state: 'failed'; failure: Failure };
type Boot = {
  product: { name: string; contactUrl: string };
  session: Session | null;
  methods: { link: boolean; oidc: { name: string } | null };
  tokens: { organisation: string; tokens: Token[]; limit: number } | null;
};

// The Worker writes this block into every page (worker/pages/).
const boot = JSON.parse(document.getElementById('boot')?.textContent ?? '{}') as Boot;

export const product = boot.product;
export const methods = boot.methods;
export const session = signal<Session | null>(boot.session);
/** Why the sign-in screen is shown to someone who was signed in a moment ago. */
export const farewell = signal<'ended' | 'signed-out' | null>(null);
export const online = signal(navigator.onLine);

const url = signal(new URL(location.href));
export const screen = computed((): Screen => {
  const [, name] = url.value.pathname.split('/');
  return name === 'activity' || name === 'sessions' || name === 'sign-in' ? name : 'developer-zone';
});
export const organisationId = computed(() => url.value.searchParams.get('organisation') || null);
export const organisation = computed(
  () => session.value?.organisations.find(({ id }) => id === organisationId.value) ?? null,
);
export const isOpen = computed(() => organisation.value?.plan === 'enterprise');

/** Something that must not be left behind by accident (a secret on the screen) can hold the place. */
export const held = signal(false);

export function linkTo(target: Screen, id: string | null = organisationId.value): string {
  return `/${target}${id === null ? '' : `?organisation=${encodeURIComponent(id)}`}`;
}

export function go(href: string): void {
  if (held.value) return;
  history.pushState(null, '', href);
  url.value = new URL(location.href);
}

addEventListener('popstate', () => {
  if (held.value) history.pushState(null, '', url.value);
  else url.value = new URL(location.href);
});
addEventListener('online', () => {
  online.value = true;
  void loadTokens();
});
addEventListener('offline', () => (online.value = false));

whenSessionEnds(() => {
  if (session.value === null) return;
  farewell.value = 'ended';
  session.value = null;
});

// --- tokens -----------------------------------------------------------------------------------------------------

export const tokens = signal<Load<Token[]>>(
  boot.tokens === null ? { state: 'loading' } : { state: 'ready', value: boot.tokens.tokens, stale: false },
);
export const limit = signal(boot.tokens?.limit ?? 10);
export const usage = signal<Record<string, Usage>>({});

let inFlight: AbortController | null = null;
let loadedFor = boot.tokens?.organisation ?? null;
let loadedAt = boot.tokens === null ? 0 : Date.now();
const REFRESH_EVERY_MS = 10_000;

/** Asks for the tokens of the organisation in the URL; an answer for another one is dropped. */
export async function loadTokens(): Promise<void> {
  const id = isOpen.value ? organisationId.value : null;
  inFlight?.abort();
  if (id === null) return;
  const mine = (inFlight = new AbortController());
  if (loadedFor !== id) {
    tokens.value = { state: 'loading' };
    usage.value = {};
  }
  const outcome = await listTokens(id, mine.signal);
  if (mine !== inFlight || mine.signal.aborted) return;
  if (outcome.ok) {
    tokens.value = { state: 'ready', value: outcome.value.tokens, stale: false };
    limit.value = outcome.value.limit;
    [loadedFor, loadedAt] = [id, Date.now()];
    void loadUsage(id);
  } else if (outcome.failure.slug === 'enterprise-plan-required') {
    setPlan(id);
  } else if (tokens.value.state === 'ready' && loadedFor === id) {
    tokens.value = { ...tokens.value, stale: true };
  } else {
    tokens.value = { state: 'failed', failure: outcome.failure };
  }
}

/** Follows the place: once for each organisation, never twice. */
watch(
  () => (isOpen.value && screen.value === 'developer-zone' ? organisationId.value : null),
  (id) => {
    if (id === null) return;
    if (loadedFor === id) void loadUsage(id);
    else void loadTokens();
  },
);

async function loadUsage(id: string): Promise<void> {
  const outcome = await readUsage(id);
  if (outcome.ok && organisationId.value === id) usage.value = outcome.value.usage;
}

addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible' && Date.now() - loadedAt > REFRESH_EVERY_MS) {
    loadedAt = Date.now();
    if (screen.value === 'developer-zone') void loadTokens();
  }
});

export const maskOf = (token: Token): string => `${token.preview}***`;

export function replaceToken(token: Token): void {
  editTokens((list) => list.map((row) => (row.id === token.id ? token : row)));
}

export function addToken(token: Token): void {
  editTokens((list) => [token, ...list.filter((row) => row.id !== token.id)]);
}

export function removeToken(id: string): void {
  editTokens((list) => list.filter((row) => row.id !== id));
}

function editTokens(edit: (list: Token[]) => Token[]): void {
  if (tokens.value.state !== 'ready') return;
  // A list that is still on its way is older than the receipt that is painted here.
  inFlight?.abort();
  tokens.value = { ...tokens.value, value: edit(tokens.value.value) };
}

/** A change whose answer was lost, or came from a server in trouble, may have been made all the same. */
export const mayHaveHappened = ({ slug, status }: Failure): boolean => slug === 'network' || status >= 500;

/** After a failed change: whether the list, asked again where that is in doubt, says of the token what it said before. */
export async function isUnchanged(token: Token, failure: Failure): Promise<boolean> {
  if (mayHaveHappened(failure)) await loadTokens();
  const { value } = tokens;
  return (
    value.state === 'ready' &&
    !value.stale &&
    value.value.some(({ id, active }) => id === token.id && active === token.active)
  );
}

/** The plan was changed under an open page: the upgrade page is the answer, not an error. */
export function setPlan(id: string): void {
  const current = session.value;
  if (current === null) return;
  const organisations = current.organisations.map((row) =>
    row.id === id && row.plan === 'enterprise' ? { ...row, plan: 'pro' as const } : row,
  );
  session.value = { ...current, organisations };
}

// --- dialogs and toasts -----------------------------------------------------------------------------------------

export type Open =
  | { kind: 'create' }
  | { kind: 'secret'; token: Token; secret: string }
  | { kind: 'delete'; token: Token }
  | null;
export const dialog = signal<Open>(null);

export type Toast = {
  id: number;
  tone: 'ok' | 'error';
  text: string;
  action?: { label: string; run: () => void };
  failure?: Failure;
  /** Where it stands on the page, to ask how high it is. */
  node?: HTMLElement | null;
};
export const toasts = signal<Toast[]>([]);
let toastId = 0;

export function toast(tone: Toast['tone'], text: string, more?: Pick<Toast, 'action' | 'failure'>): void {
  toasts.value = [{ id: ++toastId, tone, text, ...more }, ...toasts.value].slice(0, 3);
}

/** Says what went wrong. The end of the session has its own message, and one place that gives it. */
export function toastFailure(failure: Failure, lead = '', action?: Toast['action']): void {
  if (failure.slug === 'sign-in-required') return;
  toast(
    'error',
    `${lead} ${explain(failure)}`.trim(),
    action === undefined ? { failure } : { failure, action },
  );
}

export function dismiss(id: number): void {
  toasts.value = toasts.value.filter((row) => row.id !== id);
}

/** What a person reads when a call failed, whatever they were doing. */
export function explain(failure: Failure): string {
  if (failure.slug === 'offline') return texts.offlineNow;
  if (failure.slug === 'network') return texts.noAnswer;
  if (failure.slug === 'too-many-requests') return texts.wait(failure.retryAfter ?? 60);
  if (failure.slug === 'token-limit-reached') return texts.tokens.limit(limit.value);
  if (failure.slug === 'invalid-body' && failure.detail !== null) return `${failure.detail}.`;
  return texts.unexpected;
}
