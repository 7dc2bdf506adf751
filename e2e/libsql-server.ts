// A libSQL server for tests, on loopback: Hrana over HTTP, version 2 in JSON, in front of the native library. Like a
// cluster's edge it answers reads from a replica. The test decides how old the replica is.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'libsql';

type Connection = Database.Database;
type Value =
  | { type: 'null' }
  | { type: 'integer' | 'text'; value: string }
  | { type: 'float'; value: number }
  | { type: 'blob'; base64: string };
type Statement = { sql?: string; sql_id?: number; args?: Value[]; want_rows?: boolean };
type Condition =
  | { type: 'ok' | 'error'; step: number }
  | { type: 'not'; cond: Condition }
  | { type: 'and' | 'or'; conds: Condition[] }
  | { type: 'is_autocommit' };
type Step = { stmt: Statement; condition?: Condition };
type Ask =
  | { type: 'execute'; stmt: Statement }
  | { type: 'batch'; batch: { steps: Step[] } }
  | { type: 'sequence'; sql: string }
  | { type: 'store_sql'; sql_id: number; sql: string }
  | { type: 'close_sql'; sql_id: number }
  | { type: 'close' };
/** The state that a baton keeps between requests: a connection with its open transaction, and the SQL texts stored for it. */
type Stream = { primary: Connection; texts: Map<number, string> };
type Failure = { message: string; code: string };

export type LibsqlServer = {
  url: string;
  authToken: string;
  /** A connection to the primary, for a test that reads or writes without the protocol. */
  database: Connection;
  /** From now on, batches that only read see the present state and no later write. */
  stopReplication(): void;
  /** From now on, the primary cannot grow, like a database that has reached its maximum size. */
  stopGrowing(): void;
  /** While it holds, every request is answered 503. */
  isDown: boolean;
  close(): Promise<void>;
};

/** Starts an empty database behind a free port of loopback. */
export async function startLibsqlServer(): Promise<LibsqlServer> {
  const folder = mkdtempSync(join(tmpdir(), 'libsql-'));
  const file = join(folder, 'primary.db');
  let pages: number | null = null;
  const open = (path: string): Connection => {
    const connection = new Database(path);
    connection.exec('PRAGMA synchronous = OFF');
    // The setting belongs to a connection, so it applies to connections that are opened later.
    if (pages !== null) connection.exec(`PRAGMA max_page_count = ${pages}`);
    return connection;
  };
  const database = open(file);
  const streams = new Map<string, Stream>();
  const authToken = randomUUID();
  let replica: Connection | null = null;

  function pipeline({ baton, requests }: { baton?: string; requests: Ask[] }) {
    const stream = (baton === undefined ? undefined : streams.get(baton)) ?? {
      primary: open(file),
      texts: new Map<number, string>(),
    };
    if (baton !== undefined) streams.delete(baton);
    let isClosed = false;
    const results = requests.map((request) => {
      if (request.type === 'close') isClosed = true;
      try {
        return { type: 'ok', response: { type: request.type, ...answer(stream, replica, request) } };
      } catch (error) {
        return { type: 'error', error: failureOf(error) };
      }
    });
    if (isClosed) {
      stream.primary.close();
      return { baton: null, base_url: null, results };
    }
    const next = randomUUID();
    streams.set(next, stream);
    return { baton: next, base_url: null, results };
  }

  const server = createServer(async (request, response) => {
    const end = (status: number, body: object): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    const body = await readText(request);
    if (self.isDown) end(503, { message: 'down' });
    else if (request.headers.authorization !== `Bearer ${authToken}`) end(401, { message: 'unauthorized' });
    else if (request.method !== 'POST' || request.url !== '/v2/pipeline') end(404, { message: 'not found' });
    // The client's request. A wrong shape fails the test that sent it.
    else end(200, pipeline(JSON.parse(body) as Parameters<typeof pipeline>[0]));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  const self: LibsqlServer = {
    // A server that listens on TCP has a port.
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    authToken,
    database,
    isDown: false,
    stopGrowing() {
      const row = database.prepare('PRAGMA page_count').get([]) as { page_count: number };
      pages = row.page_count;
    },
    stopReplication() {
      replica?.close();
      copyFileSync(file, join(folder, 'replica.db'));
      replica = open(join(folder, 'replica.db'));
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
      for (const { primary } of streams.values()) primary.close();
      replica?.close();
      database.close();
      rmSync(folder, { recursive: true });
    },
  };
  return self;
}

function answer(stream: Stream, replica: Connection | null, request: Ask): object {
  const textOf = ({ sql, sql_id: id }: Statement): string => {
    const text = sql ?? (id === undefined ? undefined : stream.texts.get(id));
    if (text === undefined) throw new Error('no such SQL text');
    return text;
  };
  /** All statements of a program run at one place; an open transaction stays on its connection. */
  const placeFor = (texts: string[]): Connection =>
    replica !== null && !stream.primary.inTransaction && texts.every(isRead) ? replica : stream.primary;

  if (request.type === 'execute') {
    const text = textOf(request.stmt);
    return { result: run(placeFor([text]), text, request.stmt) };
  }
  if (request.type === 'batch') {
    const { steps } = request.batch;
    return { result: runSteps(placeFor(steps.map(({ stmt }) => textOf(stmt))), steps, textOf) };
  }
  if (request.type === 'sequence') stream.primary.exec(request.sql);
  else if (request.type === 'store_sql') stream.texts.set(request.sql_id, request.sql);
  else if (request.type === 'close_sql') stream.texts.delete(request.sql_id);
  else if (request.type !== 'close') throw new Error('not a request of this protocol');
  return {};
}

/** Like sqld: BEGIN does not count as a write, and a pragma does not count as a read. */
function isRead(sql: string): boolean {
  return /^\s*(?:select|with|begin|commit|rollback)\b/i.test(sql);
}

function runSteps(connection: Connection, steps: Step[], textOf: (statement: Statement) => string) {
  const results: (object | null)[] = [];
  const errors: (Failure | null)[] = [];
  const holds = (condition: Condition): boolean => {
    switch (condition.type) {
      case 'ok':
        return results[condition.step] !== null;
      case 'error':
        return errors[condition.step] !== null;
      case 'not':
        return !holds(condition.cond);
      case 'and':
        return condition.conds.every(holds);
      case 'or':
        return condition.conds.some(holds);
      case 'is_autocommit':
        return !connection.inTransaction;
    }
  };
  for (const { stmt, condition } of steps) {
    let result: object | null = null;
    let error: Failure | null = null;
    try {
      if (condition === undefined || holds(condition)) result = run(connection, textOf(stmt), stmt);
    } catch (thrown) {
      error = failureOf(thrown);
    }
    results.push(result);
    errors.push(error);
  }
  return { step_results: results, step_errors: errors };
}

function run(connection: Connection, sql: string, { args = [] }: Statement): object {
  const statement = connection.prepare(sql);
  const values = args.map(bound);
  // As one list, because a single null would be read as named parameters.
  if (!statement.reader) {
    const { changes, lastInsertRowid } = statement.run(values);
    return { cols: [], rows: [], affected_row_count: changes, last_insert_rowid: String(lastInsertRowid) };
  }
  const cols = statement.columns().map(({ name, type }) => ({ name, decltype: type }));
  // In raw mode a row is the list of its values.
  const rows = statement.raw().safeIntegers().all(values) as unknown[][];
  return { cols, rows: rows.map((row) => row.map(told)), affected_row_count: 0, last_insert_rowid: null };
}

function bound(value: Value): unknown {
  if (value.type === 'null') return null;
  if (value.type === 'integer') return BigInt(value.value);
  return value.type === 'blob' ? Buffer.from(value.base64, 'base64') : value.value;
}

function told(value: unknown): Value {
  if (value === null) return { type: 'null' };
  if (typeof value === 'bigint') return { type: 'integer', value: String(value) };
  if (typeof value === 'number') return { type: 'float', value };
  if (typeof value === 'string') return { type: 'text', value };
  // SQLite knows five kinds of values; this is the fifth.
  return { type: 'blob', base64: Buffer.from(value as Uint8Array).toString('base64') };
}

function failureOf(error: unknown): Failure {
  const { message, code } = error as { message: string; code?: string };
  return { message, code: code ?? 'SQLITE_ERROR' };
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
