// The product with a database that counts: each answer lists the statements, the rows that each of them read, and
// their time. No hub answers, so verification reads the database itself, with the statement that hubs also use.
// The bundle beside it is exactly the product's.
import product from './product.js';

export * from './product.js';

type Sent = { sql: string; rowsRead: number; rowsWritten: number };
/** `sql` and `original` are for a batch. The product wraps statements, so they cannot be found by identity. */
type Statement = Pick<D1PreparedStatement, 'bind' | 'all' | 'raw' | 'run' | 'first'> & {
  sql: string;
  original: D1PreparedStatement;
};

let sent: Sent[] = [];

function count(sql: string, meta: Pick<D1Meta, 'rows_read' | 'rows_written'>): void {
  sent.push({ sql, rowsRead: meta.rows_read, rowsWritten: meta.rows_written });
}

function statement(sql: string, original: D1PreparedStatement): Statement {
  return {
    sql,
    original,
    bind: (...values: unknown[]) => statement(sql, original.bind(...values)) as D1PreparedStatement,
    async all<T>() {
      const result = await original.all<T>();
      count(sql, result.meta);
      return result;
    },
    async run<T>() {
      const result = await original.run<T>();
      count(sql, result.meta);
      return result;
    },
    // raw() gives no row count, so a query runs a second time for it; a change returns only our one column.
    async raw() {
      const result = await original.all<Record<string, unknown>>();
      count(sql, result.meta);
      if (!/^\s*(?:select|with)\b/i.test(sql)) return result.results.map((row) => Object.values(row));
      return original.raw();
    },
    async first(column?: string) {
      const result = await original.all<Record<string, unknown>>();
      count(sql, result.meta);
      const [row] = result.results;
      return row === undefined ? null : column === undefined ? row : row[column];
    },
  } as Statement;
}

function counting(database: D1Database): object {
  return {
    prepare: (sql: string) => statement(sql, database.prepare(sql)),
    async batch(statements: Statement[]) {
      const results = await database.batch(statements.map(({ original }) => original));
      for (const [index, { sql }] of statements.entries()) {
        const { meta } = results[index] ?? {};
        if (meta !== undefined) count(sql, meta);
      }
      return results;
    },
  };
}

let wrapped: Record<string, unknown> | undefined;

export default {
  /** `/scheduled` is the hourly run, or that of `?cron=`, `/statement` one statement of a hub; anything else is a request to the product. */
  async fetch(request: Request, env: Record<string, unknown>, context: ExecutionContext): Promise<Response> {
    const hubs = env['CHANGE_HUB'] as DurableObjectNamespace;
    wrapped ??= {
      ...env,
      DB: counting(env['DB'] as D1Database),
      CHANGE_HUB: {
        getByName: () => ({
          sync: () => Promise.reject(new Error('away')),
          look: () => Promise.reject(new Error('away')),
        }),
        idFromName: (name: string) => hubs.idFromName(name),
      },
    };
    sent = [];
    let status = 200;
    let bytes = 0;
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === '/statement') {
      const { sql, values } = await request.json<{ sql: string; values: unknown[] }>();
      const { meta } = await (env['DB'] as D1Database)
        .prepare(sql)
        .bind(...values)
        .all();
      count(sql, meta);
    } else if (pathname === '/scheduled') {
      await product.scheduled({ scheduledTime: Date.now(), cron: searchParams.get('cron') }, wrapped);
    } else {
      const answer = await product.fetch(request, wrapped, context);
      status = answer.status;
      bytes = (await answer.arrayBuffer()).byteLength;
    }
    return Response.json({ status, bytes, sent });
  },
};
