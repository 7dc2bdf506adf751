// Names every failure of the database with a code of our own: D1's messages arrive with and without its prefix `D1_ERROR`, and
// libSQL's come from its client. The codes may be logged; the messages may not, because they can hold anything.

export type StorageFailure =
  | 'connection-lost'
  | 'reset'
  | 'overloaded'
  | 'too-slow'
  | 'full'
  | 'query-limit'
  | 'missing-table'
  | 'constraint'
  | 'unauthorised'
  | 'other';

/**
 * D1's texts are those of developers.cloudflare.com/d1/observability/debug-d1, and SQLite's own behind them. The first one
 * that fits counts: a reset that was caused by a timeout is "too-slow".
 */
const TEXTS: [RegExp, StorageFailure][] = [
  [/exceeded maximum|disk is full|SQLITE_FULL/i, 'full'],
  [/exceeded timeout|too late|timed? ?out/i, 'too-slow'],
  [/overloaded|queued/i, 'overloaded'],
  [/too many (?:api requests|subrequests|queries)/i, 'query-limit'],
  [/no such (?:table|column)/i, 'missing-table'],
  [/constraint|append-only|keeps its identity|token-limit-reached/i, 'constraint'],
  [/unauthori[sz]ed|forbidden|status 40[13]/i, 'unauthorised'],
  [/reset|starting up|memory limit|cpu time limit/i, 'reset'],
  [
    /connection|disconnect|cannot resolve|unreachable|fetch failed|internal error|status 5\d\d/i,
    'connection-lost',
  ],
];

/** An error of the database's binding, with the same message. The message may hold anything, so it is never printed. */
export class StorageError extends Error {
  override readonly name = 'StorageError';
}

/** The code of a failure that is known to be the database's. The causes of an error count as well. */
export function storageCodeOf(error: unknown): StorageFailure {
  const text = chainOf(error)
    .map((each) => `${each.message} ${'code' in each ? String(each.code) : ''}`)
    .join('\n');
  return TEXTS.find(([pattern]) => pattern.test(text))?.[1] ?? 'other';
}

/** The code of a failure that the database caused, or null for a bug of ours. */
export function storageFailureOf(error: unknown): StorageFailure | null {
  const isStorage = chainOf(error).some(
    ({ name, message }) => /^(?:StorageError|Libsql)/.test(name) || message.startsWith('D1_'),
  );
  return isStorage ? storageCodeOf(error) : null;
}

/** The same database. Every error of its calls becomes a StorageError. */
export function namingFailures<T extends object>(target: T): T {
  return new Proxy(target, {
    get(_, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        const result: unknown = Reflect.apply(value, target, args);
        if (result instanceof Promise) {
          return result.catch((error: unknown) => {
            throw new StorageError(error instanceof Error ? error.message : String(error), { cause: error });
          });
        }
        // A prepared statement: its own calls fail in the same way.
        return typeof result === 'object' && result !== null ? namingFailures(result) : result;
      };
    },
  });
}

/** The error and its causes; a chain of them is short. */
function chainOf(error: unknown): Error[] {
  const chain: Error[] = [];
  for (let each = error; each instanceof Error && chain.length < 5; each = each.cause) chain.push(each);
  return chain;
}
