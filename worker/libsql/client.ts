// The client of libSQL (Turso, sqld) over HTTP. Loaded only if LIBSQL_URL is set. The primary answers every statement, and a write has
// the write lock from its first statement on. D1 promises the same.
import { LibsqlError, createClient } from '@libsql/client/http';
import type { Client, InArgs, InStatement } from '@libsql/client/http';

export type Address = { url: string; authToken: string | undefined };

/** A server that does not answer must not hold its callers: they get the answer that storage is unavailable. */
const TIMEOUT_MS = 10_000;

/**
 * sqld answers a batch of reads from a replica, which may lag behind; one that names this pragma goes to the primary as
 * a whole (libsql-server, query_analysis.rs). Its answer tells as well whether cascades work, as they always do in D1.
 */
const ON_PRIMARY = 'PRAGMA foreign_keys';

/**
 * Opens a client for one request: sharing one would let a request wait for the socket of another. Its calls reject with
 * a LibsqlError, whatever went wrong.
 */
export function openClient({ url, authToken }: Address): Client {
  const client = createClient({
    url,
    ...(authToken ? { authToken } : {}),
    fetch: (request: Request) => fetch(request, { signal: AbortSignal.timeout(TIMEOUT_MS) }),
  });
  const send = client.batch.bind(client);

  client.batch = async (statements) => {
    // Otherwise a batch that reads first could find, at its first write, that another has written meanwhile.
    const mode = statements.every(isRead) ? 'deferred' : 'write';
    const [enforced, ...results] = await send([ON_PRIMARY, ...statements.map(statementOf)], mode).catch(
      (error: unknown) => {
        throw error instanceof LibsqlError ? error : unreachable(error);
      },
    );
    if (enforced?.rows[0]?.[0] !== 1) {
      throw new LibsqlError('foreign keys are not enforced by this server', 'FOREIGN_KEYS_OFF');
    }
    return results;
  };
  client.execute = async (statement: InStatement, args: InArgs = []) => {
    const [result] = await client.batch([typeof statement === 'string' ? [statement, args] : statement]);
    if (result === undefined) throw new LibsqlError('no result', 'HRANA_PROTO_ERROR');
    return result;
  };
  return client;
}

type Batched = Parameters<Client['batch']>[0][number];

function isRead(statement: Batched): boolean {
  return /^\s*(?:select|with)\b/i.test(statementOf(statement).sql);
}

function statementOf(statement: Batched): Exclude<InStatement, string> {
  if (typeof statement === 'string') return { sql: statement };
  if (!Array.isArray(statement)) return statement;
  const [sql, args = []] = statement;
  return { sql, args };
}

/** What `fetch` throws: no answer, or none in time. */
function unreachable(error: unknown): LibsqlError {
  const cause = error instanceof Error ? error : new Error(String(error));
  return new LibsqlError(cause.message, 'UNREACHABLE', undefined, undefined, cause);
}
