// A source that answers in time or fails. A hub shares one read among all who ask: one that hung for ever would keep
// them all waiting for ever, long after the database is well again.
import type { Source } from '../record.ts';

/** Fails each read after `ms`, and tells `failed` of each that fails; a write is waited for, since it may yet be done. */
export function withDeadline(
  source: Source,
  ms: number,
  failed: (error: unknown) => void = () => undefined,
): Source {
  return {
    read: (hashes) => inTime(source.read(hashes), ms, failed),
    changesFrom: (seq, limit) => inTime(source.changesFrom(seq, limit), ms, failed),
    newestChanges: (limit) => inTime(source.newestChanges(limit), ms, failed),
    addUsage: (rows) => source.addUsage(rows),
  };
}

/** The answer, or a failure after `ms`; `failed` is told of either one. */
export function inTime<T>(answer: Promise<T>, ms: number, failed: (error: unknown) => void): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('database: too late')), ms);
    // A timer that is left behind would keep a Durable Object from hibernating.
    void answer.then(resolve, reject).finally(() => clearTimeout(timer));
  }).catch((error: unknown) => {
    failed(error);
    throw error;
  });
}
