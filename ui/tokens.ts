// The tokens of the organisation in the URL, and the meaning of a failed change. A token knows its organisation, so no call about a
// token reads the URL.
import { computed, signal } from '@preact/signals';
import { listTokens, readUsage } from './api.ts';
import type { Failure, Limits, RefusedAddress, Series, Token } from './api.ts';
import {
  boot,
  explain,
  followFailure,
  isOpen,
  isShown,
  isTold,
  limit,
  organisationId,
  screen,
  toast,
  tokenId,
} from './state.ts';
import type { Load } from './state.ts';
import { texts } from './texts.ts';
import { watch } from './watch.ts';

const first = boot.tokens;
export const tokens = signal<Load<Token[]>>(
  first === null
    ? { state: 'loading' }
    : {
        state: 'ready',
        value: first.tokens.map((token) => ({ ...token, organisation: first.organisation })),
        stale: false,
      },
);
/** The calls of the last 24 hours by the id of the token. Null until they are loaded. A token without calls has no entry. */
export const usage = signal<Record<string, Series> | null>(null);
/** Whether they could not be loaded, or not again. */
export const isUsageUnknown = signal(false);
/** The same, where a member relies on it. Null also if it may be out of date. */
export const knownUsage = computed(() => (isUsageUnknown.value ? null : usage.value));
/** From where calls were refused in the last 24 hours because of a token's networks, the newest first. */
export const refusedAddresses = signal<RefusedAddress[]>([]);
/** When the list was last loaded, in ms since 1970. */
export const listedAt = signal(first === null ? 0 : Date.now());

let inFlight: AbortController | null = null;
let loadedFor = first?.organisation ?? null;
/** How many answers of changes were shown. A list that was asked for before such an answer is older. */
let edits = 0;

/** Loads the tokens of the organisation in the URL. An answer for another organisation is dropped. */
export async function loadTokens(unattended = false): Promise<void> {
  const id = isOpen.value ? organisationId.value : null;
  inFlight?.abort();
  if (id === null) return;
  const mine = (inFlight = new AbortController());
  if (loadedFor !== id) {
    tokens.value = { state: 'loading' };
    usage.value = null;
    isUsageUnknown.value = false;
    refusedAddresses.value = [];
  }
  const outcome = await listTokens(id, { signal: mine.signal, unattended });
  if (mine !== inFlight || mine.signal.aborted) return;
  if (outcome.ok) {
    show(id, outcome.value);
    return;
  }
  const { failure } = outcome;
  await followFailure(id, failure);
  if (mine !== inFlight || isTold(failure)) return;
  isUsageUnknown.value = true;
  if (tokens.value.state === 'ready' && loadedFor === id) tokens.value = { ...tokens.value, stale: true };
  else tokens.value = { state: 'failed', failure };
}

function show(id: string, list: { tokens: Token[]; limit: number }): void {
  tokens.value = { state: 'ready', value: list.tokens, stale: false };
  limit.value = list.limit;
  listedAt.value = Date.now();
  loadedFor = id;
  void loadUsage(id);
}

/** Loads the list when the organisation in the URL changes, once for each organisation. */
watch(
  () =>
    isOpen.value && (screen.value === 'developer-zone' || screen.value === 'token')
      ? organisationId.value
      : null,
  (id) => {
    if (id === null) return;
    if (loadedFor === id) void loadUsage(id);
    else void loadTokens();
  },
);

async function loadUsage(id: string): Promise<void> {
  const outcome = await readUsage(id);
  if (organisationId.value !== id) return;
  isUsageUnknown.value = !outcome.ok;
  if (!outcome.ok) return;
  usage.value = outcome.value.usage;
  refusedAddresses.value = outcome.value.refusedAddresses;
}

// --- the end of a token -----------------------------------------------------------------------------------------

/** Moves on when a token ends, so that an open page says so at that moment. */
const clock = signal(Date.now());
/** A longer timer would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
let timer: ReturnType<typeof setTimeout> | undefined;

watch(
  () => {
    const list = tokens.value.state === 'ready' ? tokens.value.value : [];
    const ends = list.map(({ expiresAt }) => Date.parse(expiresAt ?? '')).filter((at) => at > Date.now());
    return [clock.value, Math.min(...ends)] as const;
  },
  ([, next]) => {
    clearTimeout(timer);
    if (next === Infinity) return;
    timer = setTimeout(() => (clock.value = Date.now()), Math.min(next - Date.now(), LONGEST_TIMER_MS));
  },
);

/** By the clock of the browser, so it is a hint: nothing that a member can do depends on it. */
export const isExpired = ({ expiresAt }: Token): boolean =>
  expiresAt !== null && Date.parse(expiresAt) <= Math.max(clock.value, Date.now());

/** Tokens that were paused together and can be resumed together. An exposed one stays paused. */
export const pausedTogether = (list: Token[]): Token[] =>
  list.filter((token) => token.pausedTogether !== null && token.exposed === null && !token.active);

export const maskOf = (token: Token): string => `${token.preview}***`;
/** The name of the token with its mask. The mask tells two tokens with the same name apart. */
export const labelOf = (token: Token): string =>
  token.name === null ? maskOf(token) : `${token.name} ${maskOf(token)}`;

/** The name without the mask, for a sentence that has the mask elsewhere. */
export const quoted = (token: Token): string => (token.name === null ? maskOf(token) : `“${token.name}”`);

/** When any value of the token was last used, including ended ones. All times have one form, so they sort as text. */
export const lastUseOf = ({ lastUsedAt, retiring, retired }: Token): string | null =>
  [lastUsedAt, retiring?.lastUsedAt, ...retired.map((ended) => ended.lastUsedAt)]
    .filter((at) => typeof at === 'string')
    .toSorted()
    .at(-1) ?? null;

/** The name of the token in the URL. Null without a token or a name. */
export const tokenName = computed(() =>
  tokens.value.state === 'ready'
    ? (tokens.value.value.find(({ id }) => id === tokenId.value)?.name ?? null)
    : null,
);

/** Shows the fields that a change set, and no others, because the answers of two changes may arrive out of order. */
export function patchToken(
  { id, organisation }: Token,
  fields: Partial<Omit<Token, 'id' | 'organisation'>>,
): void {
  edit(organisation, (list) => list.map((row) => (row.id === id ? { ...row, ...fields } : row)));
}

/** The fields that switching, pausing and resuming change. */
export const stateOf = ({
  active,
  exposed,
  pausedTogether: together,
}: Omit<Token, 'organisation'>): Pick<Token, 'active' | 'exposed' | 'pausedTogether'> => ({
  active,
  exposed,
  pausedTogether: together,
});

export function addToken(token: Token): void {
  edit(token.organisation, (list) => [token, ...list.filter((row) => row.id !== token.id)]);
}

export function removeToken({ id, organisation }: Token): void {
  edit(organisation, (list) => list.filter((row) => row.id !== id));
}

function edit(organisation: string, change: (list: Token[]) => Token[]): void {
  if (tokens.value.state !== 'ready' || loadedFor !== organisation) return;
  // A list that is still loading is older than this change.
  inFlight?.abort();
  edits += 1;
  tokens.value = { ...tokens.value, value: change(tokens.value.value) };
}

/** Of a token, or of anything else that has limits: the limits alone. */
export const limitsOf = ({ expiresAt, access, paths, networks, origins }: Limits): Limits => ({
  expiresAt,
  access,
  paths,
  networks,
  origins,
});

type Verdict =
  /** The page shows the failure: the session, the member, the plan or the membership has changed. */
  | 'shown'
  /** The organisation's list does not have the token. */
  | 'gone'
  /** The list has the token as the page showed it before. */
  | 'unchanged'
  | 'unknown';

/**
 * Loads an organisation's list again after a failed change, and shows it. Answers `shown` if the page itself shows what has happened,
 * and null if the list could not be loaded.
 */
export async function listAfter(
  id: string,
  failure: Failure,
  isHere: () => boolean,
): Promise<Token[] | 'shown' | null> {
  if (isTold(failure)) return 'shown';
  if (await followFailure(id, failure)) return isHere() ? 'shown' : null;
  const before = edits;
  const list = await listTokens(id);
  if (!list.ok) {
    // The rows stay as they were, but they may be out of date.
    if (isHere() && tokens.value.state === 'ready') tokens.value = { ...tokens.value, stale: true };
    return isTold(list.failure) ? 'shown' : null;
  }
  if (isHere() && edits === before) show(id, list.value);
  return list.value.tokens;
}

/** The meaning of a failed change of this token. It loads the list again, and claims only what the list shows. */
export async function judge(token: Token, failure: Failure): Promise<Verdict> {
  const list = await listAfter(token.organisation, failure, () => isShown(token));
  if (list === 'shown') return 'shown';
  if (list === null) return 'unknown';
  const now = list.find((row) => row.id === token.id);
  if (now === undefined) return failure.slug === 'token-not-found' ? 'gone' : 'unknown';
  const isSame =
    now.active === token.active &&
    (now.exposed === null) === (token.exposed === null) &&
    now.name === token.name &&
    now.preview === token.preview &&
    JSON.stringify(limitsOf(now)) === JSON.stringify(limitsOf(token)) &&
    now.retiring?.preview === token.retiring?.preview;
  return isSame ? 'unchanged' : 'unknown';
}

/**
 * Handles a failed change of a token. A token that is gone is removed from the table, with a message. Answers the beginning of the
 * sentence that the caller must show, or null for none. It is `unchanged` if the list proves that nothing was changed.
 */
export async function leadOf(token: Token, failure: Failure, unchanged: string): Promise<string | null> {
  const verdict = await judge(token, failure);
  if (verdict === 'shown') return null;
  if (verdict === 'gone') {
    removeToken(token);
    toast('error', texts.toggle.gone(labelOf(token)));
    return null;
  }
  return verdict === 'unchanged' ? unchanged : texts.unsure(labelOf(token));
}

/** The same, with the reason added: the whole sentence. */
export async function settleFailure(
  token: Token,
  failure: Failure,
  unchanged: string,
): Promise<string | null> {
  const lead = await leadOf(token, failure, unchanged);
  return lead === null ? null : `${lead} ${explain(failure)}`;
}

/** Whether a failed change may have been made: its answer was lost, or the server failed. */
export const mayHaveHappened = ({ slug, status }: Failure): boolean => slug === 'network' || status >= 500;
