// When a secret that was replaced ends. Pure: times are RFC 3339 in UTC with milliseconds, as the tables hold them.

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** What a member chooses for the secret that is replaced. */
export const RETIRE = ['now', 'when-silent', '1h', '24h', '7d'] as const;
export type Retire = (typeof RETIRE)[number];

const AFTER_MS: Readonly<Record<Retire, number>> = {
  now: 0,
  'when-silent': 7 * DAY_MS,
  '1h': HOUR_MS,
  '24h': DAY_MS,
  '7d': 7 * DAY_MS,
};

/** `time`: at `retiresAt`. `silent`: when it is silent, and at `retiresAt` at the latest. */
export type Until = 'time' | 'silent';

/** The end of a secret that is replaced at `at`. */
export function endOf(retire: Retire, at: string): { retiresAt: string; until: Until } {
  return {
    retiresAt: new Date(Date.parse(at) + AFTER_MS[retire]).toISOString(),
    until: retire === 'when-silent' ? 'silent' : 'time',
  };
}

/**
 * A secret of a token is replaced at most once in this time: longer than the answer of a replacement waits. The second of two
 * members who replace it together would else end the secret that all services still use.
 */
const ONE_REPLACEMENT_MS = 15_000;

/** A replacement that was made after this, seen at `at`, keeps another one from being made. */
export function justBefore(at: string): string {
  return new Date(Date.parse(at) - ONE_REPLACEMENT_MS).toISOString();
}

/** A secret that was not used for so long is silent. */
const SILENCE_MS = HOUR_MS;
/**
 * A use reaches its hub within ten seconds, or a few minutes later where the hub could not be reached. Before this age a use may
 * be unknown to the hubs; what a hub knows is written before silence is judged.
 */
const UNHEARD_MS = 5 * MINUTE_MS;

/** The rules by which silence is judged; the simulation leaves out one at a time. Times in ms. */
export const SILENCE_RULES = {
  /** The hour must have ended when uses that are known to no hub can begin. */
  silentBefore(now: number): number {
    return now - UNHEARD_MS - SILENCE_MS;
  },
  /** Every hub must have written what it was told. One that has not may know of a use. */
  isHeard(wroteAll: boolean): boolean {
    return wroteAll;
  },
};
export type SilenceRules = typeof SILENCE_RULES;

export type SilencePorts = {
  now(): number;
  /** Whether a secret was last used before `before`, as far as the database knows. */
  mayBeSilent(before: string): Promise<boolean>;
  /** Has every hub write what it was told of uses. Answers whether all of them have. */
  writeUses(): Promise<boolean>;
  /** Retires the secrets that were last used before `before`, and answers how many. */
  retire(before: string): Promise<number>;
};

/**
 * Retires the secrets that are silent, and answers how many. Counts of calls come late, so the hour is looked for where nothing is
 * missing any more. A use that comes after it keeps the secret as long as it is written before.
 */
export async function retireSilent(
  ports: SilencePorts,
  rules: SilenceRules = SILENCE_RULES,
): Promise<number> {
  const before = new Date(rules.silentBefore(ports.now())).toISOString();
  if (!(await ports.mayBeSilent(before))) return 0;
  if (!rules.isHeard(await ports.writeUses())) return 0;
  return ports.retire(before);
}
