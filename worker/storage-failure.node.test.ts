import { describe, expect, it } from 'vitest';
import { StorageError, namingFailures, storageCodeOf, storageFailureOf } from './storage-failure.ts';

describe('the name of a storage failure', () => {
  // The texts of Cloudflare's page on debugging D1, of SQLite, and of libSQL's client.
  it.each([
    ['Network connection lost.', 'connection-lost'],
    ['Cannot resolve D1 DB due to transient issue on remote node.', 'connection-lost'],
    ["Can't read from request stream because client disconnected.", 'connection-lost'],
    ['internal error; reference = 0123456789', 'connection-lost'],
    ['Server returned HTTP status 503', 'connection-lost'],
    ['fetch failed', 'connection-lost'],
    ['D1 DB reset because its code was updated.', 'reset'],
    ['Durable Object reset because its code was updated.', 'reset'],
    ['Internal error while starting up D1 DB storage caused object to be reset.', 'reset'],
    ['Internal error in D1 DB storage caused object to be reset.', 'reset'],
    ["D1 DB's isolate exceeded its memory limit and was reset.", 'reset'],
    ['D1 DB exceeded its CPU time limit and was reset.', 'reset'],
    ['D1 DB storage operation exceeded timeout which caused object to be reset.', 'too-slow'],
    ['The operation was aborted due to timeout', 'too-slow'],
    ['D1 DB is overloaded. Requests queued for too long.', 'overloaded'],
    ['D1 DB is overloaded. Too many requests queued.', 'overloaded'],
    ['D1_ERROR: Exceeded maximum DB size', 'full'],
    ['Exceeded maximum account storage limit', 'full'],
    ['D1_ERROR: database or disk is full: SQLITE_FULL', 'full'],
    ['Too many API requests by single Worker invocation.', 'query-limit'],
    ['D1_ERROR: no such table: reserve: SQLITE_ERROR', 'missing-table'],
    ['D1_ERROR: table organisations has no such column: x', 'missing-table'],
    ['D1_ERROR: UNIQUE constraint failed: tokens.hash: SQLITE_CONSTRAINT', 'constraint'],
    ['events are append-only: SQLITE_CONSTRAINT_TRIGGER', 'constraint'],
    ['Server returned HTTP status 401', 'unauthorised'],
    ['an unexpected failure', 'other'],
  ])('%s: %s', (text, code) => {
    expect(storageCodeOf(new Error(text))).toBe(code);
    // Wrapped, as the query builder does it.
    expect(storageCodeOf(new Error('Failed query: select 1', { cause: new Error(text) }))).toBe(code);
  });

  it('reads the code of an error as well as its message', () => {
    expect(storageCodeOf(Object.assign(new Error('x'), { code: 'SQLITE_FULL' }))).toBe('full');
    expect(storageCodeOf(Object.assign(new Error('x'), { code: 'UNREACHABLE' }))).toBe('connection-lost');
  });

  it('is given to what the database threw, and to nothing else', () => {
    const lost = new StorageError('storage failed', { cause: new Error('Network connection lost.') });
    expect(storageFailureOf(lost)).toBe('connection-lost');
    expect(storageFailureOf(new Error('Failed query', { cause: lost }))).toBe('connection-lost');
    expect(storageFailureOf(new Error('D1_ERROR: no such table: x'))).toBe('missing-table');
    expect(storageFailureOf(Object.assign(new Error('x'), { name: 'LibsqlError' }))).toBe('other');
    expect(storageFailureOf(new TypeError('Network connection lost.'))).toBeNull();
    expect(storageFailureOf('D1_ERROR')).toBeNull();
    const circle = new Error('x');
    circle.cause = circle;
    expect(storageFailureOf(circle)).toBeNull();
  });
});

describe('a database whose failures have names', () => {
  const failing = namingFailures({
    async batch() {
      throw new Error('Network connection lost.');
    },
    prepare: () => ({
      bind: () => ({
        all: () => Promise.reject(new Error('D1 DB is overloaded. Too many requests queued.')),
        run: async () => 'done',
      }),
    }),
    wrong() {
      throw new TypeError('ours');
    },
  });

  it('names every rejection, of a statement that was bound as well', async () => {
    const failureOf = async (work: Promise<unknown>) =>
      storageFailureOf(await work.catch((error: unknown) => error));
    expect(await failureOf(failing.batch())).toBe('connection-lost');
    expect(await failureOf(failing.prepare().bind().all())).toBe('overloaded');
    expect(await failing.prepare().bind().run()).toBe('done');
  });

  it('leaves a mistake of ours what it is', () => {
    expect(() => failing.wrong()).toThrow(TypeError);
  });
});
