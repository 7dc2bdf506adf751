// The state of the page: signals for the screen, the member, dialogs and messages. Screen and organisation are in the URL. This file
// stores only the id of the last organisation.
import { computed, signal } from '@preact/signals';
import { callFrom, readSession } from './api.ts';
import type { Failure, Limits, Plan, Retire, Session, Token } from './api.ts';
import type { Boot } from '../worker/pages/pages.ts';
import type { SCREENS } from '../worker/paths.ts';
import { texts } from './texts.ts';
import { watch } from './watch.ts';

/** `plan` is null if it is only known not to be Enterprise. */
export type Organisation = Omit<Session['organisations'][number], 'plan'> & { plan: Plan | null };
/** `token`: the page of one token. */
export type Screen = (typeof SCREENS)[number] | 'token';
export type Load<T> =
  | { state: 'loading' }
  | { state: 'ready'; value: T; stale: boolean }
  | { state: 'failed'; failure: Failure };

// The Worker writes this block into every page (worker/pages/).
export const boot = JSON.parse(document.getElementById('boot')?.textContent ?? '{}') as Boot;

export const product = boot.product;
export const methods = boot.methods;
export const session = signal<(Omit<Session, 'organisations'> & { organisations: Organisation[] }) | null>(
  boot.session,
);
/** Why a member who was signed in a moment ago sees the sign-in screen. */
export const farewell = signal<'ended' | 'signed-out' | null>(null);
/** Whether the browser reports a network. This is only a hint: the page still tries every request. */
export const online = signal(navigator.onLine);

// --- screen and organisation ------------------------------------------------------------------------------------

const url = signal(new URL(location.href));
/** The id of the token in the URL: `/developer-zone/tokens/…`. */
export const tokenId = computed(
  () => /^\/developer-zone\/tokens\/([\w-]+)$/.exec(url.value.pathname)?.[1] ?? null,
);
export const screen = computed((): Screen => {
  const [, name] = url.value.pathname.split('/');
  if (tokenId.value !== null) return 'token';
  return name === 'activity' || name === 'sessions' || name === 'sign-in' ? name : 'developer-zone';
});
export const organisationId = computed(() => url.value.searchParams.get('organisation') || null);
export const organisation = computed(
  () => session.value?.organisations.find(({ id }) => id === organisationId.value) ?? null,
);
export const isOpen = computed(() => organisation.value?.plan === 'enterprise');
/** A parameter of the URL, such as a filter of the activity. */
export const asked = (name: string): string => url.value.searchParams.get(name) ?? '';

/** How many tokens an organisation may have. */
export const limit = signal(boot.most.tokens);

/** While this is true the page does not move to another screen: it shows a secret, or a change is under way. */
export const held = signal(false);

export function linkTo(
  target: Exclude<Screen, 'token'> | `developer-zone/tokens/${string}`,
  id: string | null = organisationId.value,
  more: Record<string, string> = {},
): string {
  const query = new URLSearchParams(
    Object.entries({ organisation: id ?? '', ...more }).filter(([, value]) => value !== ''),
  ).toString();
  return `/${target}${query === '' ? '' : `?${query}`}`;
}

export const linkToToken = ({ id, organisation: place }: Token): string =>
  linkTo(`developer-zone/tokens/${id}`, place);

export function go(href: string): void {
  if (held.value) return;
  history.pushState(null, '', href);
  url.value = new URL(location.href);
}

/** Whether the sidebar of a phone is open. */
export const drawer = signal(false);

/** A link inside the dashboard opens without a reload. With a modifier key the browser opens it. */
export function follow(event: MouseEvent & { currentTarget: HTMLAnchorElement }): void {
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  drawer.value = false;
  go(event.currentTarget.href);
}

addEventListener('popstate', () => {
  if (held.value) history.pushState(null, '', url.value);
  else url.value = new URL(location.href);
});

/** The key under which this browser stores the id of the last organisation. */
const LAST = 'organisation';
watch(
  () => organisation.value?.id,
  (id) => id !== undefined && localStorage.setItem(LAST, id),
);
/** Used once: a member who goes Back to the choice of an organisation wants to choose. */
let remembered = localStorage.getItem(LAST);

// A member of one organisation need not choose. A member of several begins at the last one.
watch(
  () => {
    const mine = session.value?.organisations ?? [];
    const chooses = screen.value !== 'sign-in' && screen.value !== 'sessions';
    if (!chooses || organisationId.value !== null) return null;
    return (mine.length === 1 ? mine[0] : mine.find(({ id }) => id === remembered))?.id ?? null;
  },
  (id) => {
    remembered = null;
    if (id === null) return;
    history.replaceState(null, '', `${location.pathname}?${new URLSearchParams({ organisation: id })}`);
    url.value = new URL(location.href);
  },
);

// --- the network and the session --------------------------------------------------------------------------------

addEventListener('online', () => (online.value = true));
addEventListener('offline', () => (online.value = false));

/** The member of the page, also after the session has ended: typed text belongs to them. */
let member = boot.session?.member.email ?? null;
/** Whether the browser is signed in as another member than the page shows. */
const isAnother = signal(false);
const ANOTHER = '#another-member';

callFrom({
  member: () => member,
  onAnswer: () => (online.value = true),
  onSessionEnd: () => {
    if (session.value === null) return;
    farewell.value = 'ended';
    session.value = null;
  },
  onAnotherMember: () => (isAnother.value = true),
});

// The page must not show data of another member, so it is loaded again. It waits while a secret is shown.
watch(
  () => isAnother.value && !held.value,
  (due) => {
    if (!due) return;
    history.replaceState(null, '', `${location.pathname}${location.search}${ANOTHER}`);
    location.reload();
  },
);

/** Reads the session again: the member, their organisations and plans. Answers false if it cannot be read. */
export async function refreshSession(unattended = false): Promise<boolean> {
  const outcome = await readSession(unattended);
  if (outcome.ok) {
    session.value = outcome.value;
    member = outcome.value.member.email;
    farewell.value = null;
  }
  return outcome.ok;
}

/**
 * A failed call about an organisation may mean that its plan or the membership has changed. Then the session is read again, and
 * the page shows the change. Answers whether the member may not see the organisation's tokens any more.
 */
export async function followFailure(id: string, { slug, status }: Failure): Promise<boolean> {
  if (slug === 'enterprise-plan-required') {
    await leaveEnterprise(id);
    return true;
  }
  if (status !== 403 && status !== 404) return false;
  const isKnown = await refreshSession();
  return isKnown && !belongsTo(id);
}

const belongsTo = (id: string): boolean => session.value?.organisations.some((row) => row.id === id) === true;

/** The organisation has left Enterprise while the page was open. The session has its new plan. */
async function leaveEnterprise(id: string): Promise<void> {
  const current = session.value;
  if (current === null) return;
  const organisations = current.organisations.map((row) =>
    row.id === id && row.plan === 'enterprise' ? { ...row, plan: null } : row,
  );
  session.value = { ...current, organisations };
  await refreshSession();
}

// --- dialogs and messages ---------------------------------------------------------------------------------------

export type Open =
  | { kind: 'create'; organisation: Organisation }
  /** `told`: for a value that replaced another one, the message on the page of the token afterwards. */
  | { kind: 'secret'; token: Token; secret: string; told?: string }
  /** `retire`: the choice that is preselected. */
  | { kind: 'rotate'; token: Token; retire?: Retire }
  /** `preview`: that of the old value, which ends. */
  | { kind: 'end'; token: Token; preview: string }
  /** `of`: which of the token's limits is to be changed. `add`: a network that is to be one of its networks. */
  | { kind: 'limit'; token: Token; of: keyof Limits; add?: string }
  | { kind: 'delete'; token: Token }
  /** Switches on a token that was found in public. */
  | { kind: 'resume'; token: Token }
  | { kind: 'pause'; organisation: Organisation }
  | null;
export const dialog = signal<Open>(null);

export type Message = {
  id: number;
  tone: 'ok' | 'error';
  text: string;
  /** A second sentence. In a row it has a line of its own where there is no room beside the first. */
  also?: string;
  action?: { label: string; run: () => void };
  failure?: Failure;
  /** Its element on the page, to measure its height. */
  node?: HTMLElement | null;
};
type More = Pick<Message, 'also' | 'action' | 'failure'>;
export const toasts = signal<Message[]>([]);
/** The last message in the row of each token, by the id of the token. */
export const receipts = signal<Record<string, Message>>({});
let messageId = 0;

export function toast(tone: Message['tone'], text: string, more?: More): void {
  toasts.value = [{ id: ++messageId, tone, text, ...more }, ...toasts.value].slice(0, 3);
}

/** Whether the page shows messages of this token. */
export const isShown = (token: Token): boolean =>
  organisationId.value === token.organisation &&
  (screen.value === 'developer-zone' || tokenId.value === token.id);

/** Shows the result of a change: in the row of the token or, if the page does not show the token any more, as a toast. */
export function report(token: Token, tone: Message['tone'], text: string, more?: More): void {
  if (!isShown(token)) {
    const name = session.value?.organisations.find(({ id }) => id === token.organisation)?.name;
    const { action: _, also, ...rest } = more ?? {};
    const whole = also === undefined ? text : `${text}. ${also}`;
    toast(tone, texts.from(name ?? token.organisation, whole), rest);
    return;
  }
  receipts.value = { ...receipts.value, [token.id]: { id: ++messageId, tone, text, ...more } };
}

/** Shows a failure as a toast, unless the page itself shows it. */
export function toastFailure(failure: Failure, lead = ''): void {
  if (isTold(failure)) return;
  toast('error', `${lead} ${explain(failure)}`.trim(), { failure });
}

export function dismiss(id: number): void {
  toasts.value = toasts.value.filter((row) => row.id !== id);
  receipts.value = Object.fromEntries(Object.entries(receipts.value).filter(([, row]) => row.id !== id));
}

/** Names that were typed and not saved yet, by their purpose. Only in the memory of the page. */
export const typed = new Map<string, string>();

// When the screen changes, everything that belongs to it goes: dialogs, the field of a rename, messages with an action.
export const renaming = signal<string | null>(null);
watch(
  () => `${screen.value} ${tokenId.value ?? ''} ${organisationId.value ?? ''} ${session.value === null}`,
  () => {
    if (!held.value) dialog.value = null;
    renaming.value = null;
    receipts.value = {};
    toasts.value = toasts.value.filter(({ action }) => action === undefined);
  },
);

if (location.hash === ANOTHER) {
  history.replaceState(null, '', location.pathname + location.search);
  if (session.value !== null) toast('error', texts.anotherMember(session.value.member.email));
}

/** Failures that the page itself shows: the sign-in, or another member. */
export const isTold = ({ slug }: Failure): boolean =>
  slug === 'sign-in-required' || slug === 'another-member';

/** The text for a failed call. It does not say what the call was for. */
export function explain({ slug, status, detail, retryAfter }: Failure): string {
  if (slug === 'network') return texts.noAnswer;
  if (slug === 'too-many-requests') return texts.wait(retryAfter ?? 60);
  if (slug === 'token-limit-reached') return texts.tokens.limit(limit.value);
  if (slug === 'token-not-found') return texts.tokens.notFound;
  if (slug === 'secret-changed') return texts.valueChanged;
  if (slug === 'organisation-not-found') return texts.none.unknown;
  if (slug === 'invalid-body' && detail !== null) return `${detail}.`;
  return status >= 500 ? texts.unexpected : texts.refused;
}
