// What is known of the calls of a token, in words: how many, when, and from which networks. It is said before a change that may
// stop them. Pure.
import type { CallsOfToken } from './api.ts';
import { DAY_MS, formatAgo } from './format.ts';
import { words } from './calls-texts.ts';
import { sum } from './totals.ts';

type Caller = CallsOfToken['recent'][number];

/**
 * What the sentence is made of. `recent`: null if it is not known who called. `isCut`: there may be more callers. `isListed`: the
 * networks stand elsewhere.
 */
export type Known = {
  accepted: number;
  refused: number;
  recent: Caller[] | null;
  isCut?: boolean;
  isListed?: boolean;
};

/** As many networks as a sentence names. */
const NAMED = 3;
const HOUR_MS = 3_600_000;

export const nameOf = ({ network }: Pick<Caller, 'network'>): string => network?.name || words.noNetwork;

export type Network = { key: string; name: string; country: string | null; agents: string[]; calls: number };

/** The networks of accepted calls, the most calls first. A network in two countries is two. */
export function networksOf(callers: Caller[]): Network[] {
  const found = new Map<string, Network>();
  for (const caller of callers) {
    if (caller.accepted === 0) continue;
    const { network, country, agent, accepted } = caller;
    const key = `${network?.number ?? 0} ${country ?? ''}`;
    const before = found.get(key) ?? { key, name: nameOf(caller), country, agents: [], calls: 0 };
    found.set(key, {
      ...before,
      agents: before.agents.includes(agent) ? before.agents : [...before.agents, agent],
      calls: before.calls + accepted,
    });
  }
  return [...found.values()].toSorted((one, other) => other.calls - one.calls);
}

/** When the last of these calls was accepted, or null. A time at which calls were also refused may be that of a refusal. */
const lastAccepted = (callers: Caller[]): string | null =>
  callers
    .filter(({ accepted, refused }) => accepted > 0 && refused === 0)
    .map(({ lastAt }) => lastAt)
    .toSorted()
    .at(-1) ?? null;

/** `lastUsedAt`: of the token, as its row says. Never says "none" of what is only not known. */
export function foresight(known: Known, lastUsedAt: string | null, now: number = Date.now()): string {
  const { accepted, refused, recent, isCut = false, isListed = false } = known;
  const last = [lastUsedAt, lastAccepted(recent ?? [])]
    .filter((at) => at !== null)
    .toSorted()
    .at(-1);
  if (accepted === 0) {
    const also = refused > 0 ? ` ${words.onlyRefused(refused)}` : '';
    if (last === undefined) return words.neverUsed + also;
    const ms = now - Date.parse(last);
    // What was used a moment ago is not counted yet.
    if (ms < HOUR_MS) return words.notCounted(formatAgo(last, now));
    const span = ms < DAY_MS ? words.hours(Math.floor(ms / HOUR_MS)) : words.days(Math.floor(ms / DAY_MS));
    return words.notUsed(span) + also;
  }
  const networks = networksOf(recent ?? []);
  const named = networks.slice(0, networks.length > NAMED ? NAMED - 1 : NAMED);
  const others = networks.length - named.length;
  return [
    words.inDay(accepted, last === undefined ? null : formatAgo(last, now)),
    isListed || networks.length === 0
      ? ''
      : words.from(
          named.map(({ name, country }) =>
            words.place(name === words.noNetwork ? words.aNetwork : name, country),
          ),
          isCut ? 'some' : others,
        ),
    '.',
    refused > 0 ? ` ${words.moreRefused(refused)}` : '',
  ].join('');
}

/** The calls of one value: those of today and of the last seven days, in UTC. Null if they are not known. */
export function callsOfValue(calls: CallsOfToken, preview: string): { today: number; week: number } | null {
  const found = calls.values.find((value) => value.preview === preview);
  if (found === undefined) return null;
  return { today: found.accepted.at(-1) ?? 0, week: sum(found.accepted.slice(-7)) };
}

/** Calls of the last 24 hours that browsers made and that were accepted. */
export const fromBrowsers = ({ recent }: CallsOfToken): number =>
  sum(recent.filter(({ agent }) => agent === 'browser').map(({ accepted }) => accepted));

const keyOf = ({ network, country, agent }: Caller): string =>
  JSON.stringify([network?.number ?? null, country, agent]);
/** A token that is older has had the time to be called by all that use it. */
const SETTLED_MS = 3 * DAY_MS;

/** Which callers did not call before yesterday. Tells nothing of a new token, and nothing where some callers were not kept. */
export function newcomers(calls: CallsOfToken, createdAt: string, now: number = Date.now()): Set<Caller> {
  if (calls.others !== null || now - Date.parse(createdAt) < SETTLED_MS) return new Set();
  const recent = new Map(calls.recent.map((caller) => [keyOf(caller), caller]));
  const fresh = calls.callers.filter((caller) => {
    const lately = recent.get(keyOf(caller));
    return lately?.accepted === caller.accepted && lately.refused === caller.refused;
  });
  return new Set(fresh.length === calls.callers.length ? [] : fresh);
}
