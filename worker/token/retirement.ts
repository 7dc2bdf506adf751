// When a replaced secret ends. Pure. Times are RFC 3339 in UTC with milliseconds, as in the tables.

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** The choices of a member for the end of the secret that is replaced. */
export const RETIRE = ['now', 'when-silent', '1h', '24h', '7d'] as const;
export type Retire = (typeof RETIRE)[number];

const AFTER_MS: Readonly<Record<Retire, number>> = {
  now: 0,
  'when-silent': 7 * DAY_MS,
  '1h': HOUR_MS,
  '24h': DAY_MS,
  '7d': 7 * DAY_MS,
};

/** `time`: the secret ends at `retiresAt`. `silent`: it ends when it is silent, at `retiresAt` at the latest. */
export const UNTIL = ['time', 'silent'] as const;
export type Until = (typeof UNTIL)[number];

/** How a secret has ended for good: with its token, or by itself. */
export const ENDINGS = ['deleted', 'retired'] as const;
export type Ending = (typeof ENDINGS)[number];

/** The end of a secret that is replaced at `at`. */
export function endOf(retire: Retire, at: string): { retiresAt: string; until: Until } {
  return {
    retiresAt: new Date(Date.parse(at) + AFTER_MS[retire]).toISOString(),
    until: retire === 'when-silent' ? 'silent' : 'time',
  };
}

/**
 * The secret of a token is replaced at most once in this time, which is longer than the answer to a replacement takes. Without
 * this limit two members could replace the secret at the same time: the second would end the secret that all services still use.
 */
const ONE_REPLACEMENT_MS = 15_000;

/** At `at`, no replacement is made if an earlier one was made after the time that this answers. */
export function justBefore(at: string): string {
  return new Date(Date.parse(at) - ONE_REPLACEMENT_MS).toISOString();
}

/** A secret that was not used for this time is silent. */
const SILENCE_MS = HOUR_MS;
/**
 * A use reaches its hub within ten seconds, or within a few minutes if the hub could not be reached. A use that is younger than
 * this may be unknown to all hubs. Hubs write the uses that they know before silence is judged.
 */
const UNHEARD_MS = 5 * MINUTE_MS;

/** The rules that decide whether a secret is silent. The simulation turns off one at a time. Times in ms. */
export const SILENCE_RULES = {
  /** The silent hour must end before the time in which a use may be unknown to the hubs. */
  silentBefore(now: number): number {
    return now - UNHEARD_MS - SILENCE_MS;
  },
  /** Every hub must have written its counts. A hub that has not may know of a use. */
  isHeard(wroteAll: boolean): boolean {
    return wroteAll;
  },
};
export type SilenceRules = typeof SILENCE_RULES;

export type SilencePorts = {
  now(): number;
  /** Whether the database has a secret that was last used before `before`. */
  mayBeSilent(before: string): Promise<boolean>;
  /** Makes every hub write its counts. Answers whether all hubs have. */
  writeUses(): Promise<boolean>;
  /** Retires the secrets that were last used before `before`, and answers how many. */
  retire(before: string): Promise<number>;
};

/**
 * Retires the silent secrets, and answers how many. Counts arrive late, so the silent hour is looked for in a time whose counts
 * are complete. A later use keeps the secret if its count is written before the secret is retired.
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
