// A source that answers in time or fails. All callers of a hub share a read. A read that never ended would make them all wait for
// ever, even after the database has recovered.
import type { Source } from '../record.ts';

/** Each read fails after `ms`, and `failed` is told of every failure. A write has no deadline, because it may still be done. */
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

/** The answer, or a failure after `ms`. `failed` is told of that failure, and of one of the answer itself. */
export function inTime<T>(answer: Promise<T>, ms: number, failed: (error: unknown) => void): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('database: too late')), ms);
    // A Durable Object does not hibernate while a timer is set.
    void answer.then(resolve, reject).finally(() => clearTimeout(timer));
  }).catch((error: unknown) => {
    failed(error);
    throw error;
  });
}
