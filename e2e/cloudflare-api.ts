// A stand-in for the part of Cloudflare's REST API that a deployment uses, on loopback. Its D1 databases are real SQLite, and
// refuse the statements that remote D1 refuses. It keeps uploads and runs no Worker. The shapes are those that wrangler 4 reads
// (https://developers.cloudflare.com/api/).
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DatabaseSync } from 'node:sqlite';

type Upload = {
  /** The text of the Worker. */
  code: string;
  /** The metadata of the upload: bindings, migrations, compatibility date and so on. */
  metadata: {
    bindings: { name: string; type: string; id?: string; namespace_id?: string; text?: string }[];
    migrations?: unknown;
    [field: string]: unknown;
  };
};
type Database = {
  uuid: string;
  name: string;
  /** The requested location (`primary_location_hint`) or jurisdiction. */
  place: { primary_location_hint?: string; jurisdiction?: string };
  sqlite: DatabaseSync;
};
export type CloudflareApi = {
  /** The environment variables that make wrangler use this API. */
  environment: Record<string, string>;
  databases: Database[];
  namespaces: { id: string; title: string }[];
  /** The last upload of each Worker, by its name. */
  workers: Map<string, Upload>;
  /** Every request, `METHOD path`, in order. */
  calls: string[];
  stop(): Promise<void>;
};

type Answer = { status?: number; result?: unknown; errors?: { code: number; message: string }[] };
type Asked = { method: string; path: string; query: URLSearchParams; body: Buffer; type: string };

const ACCOUNT = 'a'.repeat(32);

/** `refuse` lets a test make one request fail, by its `METHOD path`. */
export async function startCloudflareApi(
  refuse: (call: string) => boolean = () => false,
): Promise<CloudflareApi> {
  const databases: Database[] = [];
  const namespaces: { id: string; title: string }[] = [];
  const workers = new Map<string, Upload>();
  const calls: string[] = [];

  const routes: [pattern: RegExp, answer: (asked: Asked, part: string) => Answer | Promise<Answer>][] = [
    [/^GET \/user$/, () => ({ result: { id: 'u', email: 'operator@example.com' } })],
    [/^GET \/accounts$/, () => ({ result: [{ id: ACCOUNT, name: 'Account' }] })],
    [/^GET \/memberships$/, () => ({ result: [{ account: { id: ACCOUNT, name: 'Account' } }] })],
    [
      /^GET \/accounts\/\w+\/d1\/database$/,
      ({ query }) => ({
        result: firstPage(query, databases)
          .filter(({ name }) => query.get('name') === null || query.get('name') === name)
          .map(shownDatabase),
      }),
    ],
    [/^POST \/accounts\/\w+\/d1\/database$/, ({ body }) => makeDatabase(json(body))],
    [/^GET \/accounts\/\w+\/d1\/database\/([\w-]+)$/, (_, id) => oneDatabase(id, shownDatabase)],
    [
      /^POST \/accounts\/\w+\/d1\/database\/([\w-]+)\/query$/,
      ({ body }, id) => oneDatabase(id, ({ sqlite }) => runQuery(sqlite, json(body))),
    ],
    [
      /^GET \/accounts\/\w+\/storage\/kv\/namespaces$/,
      ({ query }) => ({ result: firstPage(query, namespaces) }),
    ],
    [/^POST \/accounts\/\w+\/storage\/kv\/namespaces$/, ({ body }) => makeNamespace(json(body))],
    [/^GET \/accounts\/\w+\/workers\/services\/([\w-]+)$/, (_, name) => service(name)],
    [
      /^GET \/accounts\/\w+\/workers\/services\/([\w-]+)\/environments\/\w+\/bindings$/,
      (_, name) => bindings(name),
    ],
    [/^GET \/accounts\/\w+\/workers\/scripts\/([\w-]+)\/secrets$/, (_, name) => secrets(name)],
    [
      /^GET \/accounts\/\w+\/workers\/scripts$/,
      () => ({ result: [...workers.keys()].map((id) => ({ id })) }),
    ],
    [/^GET \/accounts\/\w+\/workers\/scripts\/([\w-]+)\/bindings$/, (_, name) => bindings(name)],
    [/^GET \/accounts\/\w+\/workers\/scripts\/([\w-]+)\/settings$/, (_, name) => settings(name)],
    [
      /^POST \/accounts\/\w+\/workers\/scripts\/[\w-]+\/assets-upload-session$/,
      () => ({ result: { jwt: 'assets', buckets: [] } }),
    ],
    [/^PUT \/accounts\/\w+\/workers\/scripts\/([\w-]+)$/, (asked, name) => upload(asked, name)],
    [/^GET \/accounts\/\w+\/workers\/subdomain$/, () => ({ result: { subdomain: 'account' } })],
    [
      /^(?:GET|POST) \/accounts\/\w+\/workers\/scripts\/[\w-]+\/subdomain$/,
      () => ({ result: { enabled: true, previews_enabled: false } }),
    ],
    [
      /^(?:GET|PATCH) \/accounts\/\w+\/workers\/workers\/[\w-]+$/,
      () => ({ result: { subdomain: { enabled: true, previews_enabled: false } } }),
    ],
    [/^PUT \/accounts\/\w+\/workers\/scripts\/[\w-]+\/schedules$/, () => ({ result: { schedules: [] } })],
    [
      /^GET \/accounts\/\w+\/workers\/scripts\/[\w-]+\/(?:versions|deployments)$/,
      () => ({ result: { items: [], versions: [], deployments: [] } }),
    ],
  ];

  function makeDatabase(body: {
    name: string;
    primary_location_hint?: string;
    jurisdiction?: string;
  }): Answer {
    const { name, ...place } = body;
    if (databases.some((database) => database.name === name)) {
      return refusal(400, 7502, 'database with that name already exists');
    }
    const database = { uuid: crypto.randomUUID(), name, place, sqlite: new DatabaseSync(':memory:') };
    databases.push(database);
    return { result: shownDatabase(database) };
  }

  function oneDatabase(id: string, answer: (database: Database) => unknown): Answer {
    // The path takes an id or a name.
    const database = databases.find(({ uuid, name }) => uuid === id || name === id);
    if (database === undefined) return refusal(404, 7404, 'The database could not be found');
    try {
      return { result: answer(database) };
    } catch (error) {
      // As D1 words it: SQLite's own message.
      return refusal(400, 7500, `${error instanceof Error ? error.message : ''}: SQLITE_ERROR`);
    }
  }

  function makeNamespace({ title }: { title: string }): Answer {
    if (namespaces.some((namespace) => namespace.title === title)) {
      return refusal(400, 10_014, 'a namespace with this account ID and title already exists');
    }
    const namespace = { id: crypto.randomUUID().replaceAll('-', ''), title };
    namespaces.push(namespace);
    return { result: namespace };
  }

  function service(name: string): Answer {
    if (!workers.has(name)) return refusal(404, 10_090, 'This service does not exist on your account');
    return {
      result: {
        id: name,
        default_environment: {
          environment: 'production',
          script: { id: name, last_deployed_from: 'wrangler', tag: 't' },
        },
      },
    };
  }

  function bindings(name: string): Answer {
    const worker = workers.get(name);
    return worker === undefined
      ? refusal(404, 10_007, 'This Worker does not exist on your account')
      : { result: worker.metadata.bindings };
  }

  function settings(name: string): Answer {
    const found = bindings(name);
    return found.errors === undefined ? { result: { bindings: found.result } } : found;
  }

  function secrets(name: string): Answer {
    return workers.has(name)
      ? { result: [] }
      : refusal(404, 10_007, 'This Worker does not exist on your account');
  }

  async function upload({ body, type }: Asked, name: string): Promise<Answer> {
    const form = await new Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData();
    // Written by wrangler: the part that describes the Worker.
    const metadata = JSON.parse(String(form.get('metadata'))) as Upload['metadata'];
    workers.set(name, { metadata, code: await textOf(form.get(String(metadata['main_module']))) });
    return { result: { id: name, etag: 'e', deployment_id: 'd', startup_time_ms: 1, pipeline_hash: 'p' } };
  }

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { status = 200, result = null, errors = [] } = await answerTo(request);
    const count = Array.isArray(result) ? result.length : 0;
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify({
        success: errors.length === 0,
        errors,
        messages: [],
        result,
        result_info: { page: 1, per_page: 100, count, total_count: count, total_pages: 1 },
      }),
    );
  }
  const server = createServer((request, response) => void respond(request, response));

  async function answerTo(request: IncomingMessage): Promise<Answer> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const url = new URL(request.url ?? '', 'http://localhost');
    const path = url.pathname.replace('/client/v4', '');
    const call = `${request.method} ${path}`;
    calls.push(call);
    if (refuse(call)) return refusal(500, 10_000, 'planted');
    for (const [pattern, answer] of routes) {
      const match = pattern.exec(call);
      if (match === null) continue;
      const asked = {
        method: request.method ?? '',
        path,
        query: url.searchParams,
        body: Buffer.concat(chunks),
        type: request.headers['content-type'] ?? '',
      };
      return answer(asked, match[1] ?? '');
    }
    return refusal(404, 7000, `No route for that URI: ${call}`);
  }

  await new Promise<void>((done) => {
    server.listen(0, '127.0.0.1', done);
  });
  // A server that listens on a port has an address of that form.
  const { port } = server.address() as AddressInfo;
  return {
    environment: {
      CLOUDFLARE_API_BASE_URL: `http://127.0.0.1:${port}/client/v4`,
      CLOUDFLARE_API_TOKEN: 'token-of-the-stand-in',
      CLOUDFLARE_ACCOUNT_ID: ACCOUNT,
    },
    databases,
    namespaces,
    workers,
    calls,
    stop: () =>
      new Promise((done) => {
        server.closeAllConnections();
        server.close(() => done());
      }),
  };
}

/** A part of a form: text, or a file. */
async function textOf(part: Blob | string | null): Promise<string> {
  return part instanceof Blob ? part.text() : (part ?? '');
}

/** All rows are on the first page; wrangler asks for the next page until a page is empty. */
function firstPage<T>(query: URLSearchParams, rows: T[]): T[] {
  return Number(query.get('page') ?? 1) > 1 ? [] : rows;
}

/** The caller knows the shape that wrangler sends. */
function json<T>(body: Buffer): T {
  return JSON.parse(body.toString()) as T;
}

function refusal(status: number, code: number, message: string): Answer {
  return { status, errors: [{ code, message }] };
}

function shownDatabase({ uuid, name, place }: Database) {
  return {
    uuid,
    name,
    jurisdiction: place.jurisdiction ?? null,
    version: 'production',
    created_at: '2026-01-01T00:00:00Z',
    num_tables: 0,
    file_size: 0,
  };
}

/**
 * Runs one request as remote D1 does: D1 assumes that a statement ends with its line, so a trigger of several lines is
 * "incomplete input" (cloudflare/workers-sdk issues 4998 and 14991).
 */
function runQuery(sqlite: DatabaseSync, { sql, params = [] }: { sql: string; params?: string[] }): unknown[] {
  const isCut = sql.split('\n').some((line) => /^\s*CREATE TRIGGER\b/i.test(line) && !/END;\s*$/i.test(line));
  if (isCut) throw new Error('incomplete input');
  const meta = { duration: 0, changes: 0, rows_read: 0, rows_written: 0, size_after: 0, last_row_id: 0 };
  // Answers the rows of the last statement; the statements before it are executed.
  const reading = /(?<=^|;)\s*(?:SELECT|PRAGMA)\b[^;]*;?\s*$/i.exec(sql);
  if (reading !== null) {
    sqlite.exec(sql.slice(0, reading.index));
    return [{ results: sqlite.prepare(reading[0]).all(...params), success: true, meta }];
  }
  sqlite.exec('BEGIN');
  try {
    sqlite.exec(sql);
    sqlite.exec('COMMIT');
  } catch (error) {
    sqlite.exec('ROLLBACK');
    throw error;
  }
  return [{ results: [], success: true, meta }];
}
