// The allowed imports between folders. They are read from the source, so that type-only imports count. An import that is not
// listed is forbidden.
import { globSync, readFileSync } from 'node:fs';
import { posix, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isSource, readImports } from '../../scripts/near.ts';

const root = resolve(import.meta.dirname, '../..');

const ARROWS: Record<string, { folders: string[]; packages: string[] }> = {
  // The hot path: no framework, no query builder, no schema library.
  verification: {
    folders: [
      'deployment',
      'http/log',
      'organisation/organisation',
      'storage-failure',
      'token/callers',
      'token/limits',
      'token/network',
      'token/secret',
    ],
    packages: ['#libsql', 'cloudflare:workers'],
  },
  libsql: {
    folders: [
      'database',
      'verification/record',
      'verification/source/statements',
      'verification/source/usage-statements',
    ],
    packages: ['@libsql/client', 'drizzle-orm'],
  },
  // The one reader of `env`: it opens what the others are given.
  deployment: {
    folders: [
      'database',
      'http/log',
      'http/methods',
      'organisation/store',
      'random',
      'sign-in/names',
      'storage-failure',
      'token/secret',
      'verification/jurisdiction',
      'verification/every-hub',
      'verification/ownership',
      'verification/publish',
      'verification/record',
      'verification/region',
      'verification/report',
      'verification/source',
      'verification/verify',
    ],
    packages: ['#libsql', 'drizzle-orm'],
  },
  http: {
    folders: [
      'cut',
      'daily-limit',
      'database',
      'deployment/deployment',
      'pages/problem-page',
      'storage-failure',
      'token/callers',
      'token/network',
      'verification/caller',
    ],
    packages: ['hono', 'valibot'],
  },
  verifier: {
    folders: ['api/path', 'deployment', 'http/call', 'verification/caller', 'verification/verify'],
    packages: ['cloudflare:workers'],
  },
  index: {
    folders: ['api', 'deployment', 'http', 'site', 'upkeep/run', 'verification/hub/change-hub', 'verifier'],
    packages: [],
  },
  site: {
    folders: [
      'admin/routes',
      'api/introspection',
      'http',
      'operator/routes',
      'pages/documents',
      'pages/pages',
      'pages/problem-page',
      'paths',
      'report/routes',
      'upkeep/push',
    ],
    packages: ['hono'],
  },
  report: {
    folders: [
      'activity/cause',
      'activity/events',
      'admin/same-site',
      'database',
      'http',
      'random',
      'reserve',
      'tables',
      'token/deeds',
      'token/exposure',
      'token/secret',
    ],
    packages: ['drizzle-orm', 'hono', 'valibot'],
  },
  // reads.ts answers /v1/organisation and /v1/token from the stores; exposure.ts records events.
  api: {
    folders: [
      'activity/cause',
      'activity/events',
      'database',
      'deployment',
      'http',
      'organisation',
      'random',
      'token',
      'upkeep/push',
      'verification/caller',
      'verification/credential',
      'verification/verify',
    ],
    packages: ['hono'],
  },
  admin: {
    folders: [
      'activity',
      'daily-limit',
      'database',
      'http',
      'instant',
      'name',
      'organisation',
      'random',
      'sign-in/names',
      'sign-in/routes',
      'sign-in/session',
      'token',
    ],
    packages: ['hono', 'valibot'],
  },
  'sign-in': {
    folders: [
      'activity',
      'daily-limit',
      'database',
      'deployment/oidc',
      'http',
      'mail',
      'marked',
      'organisation/email',
      'paths',
      'random',
      'reserve',
      'seal',
      'storage-failure',
      'tables',
      'token/secret',
    ],
    packages: ['drizzle-orm', 'hono', 'oauth4webapi', 'valibot'],
  },
  operator: {
    folders: [
      'activity',
      'cut',
      'database',
      'deployment/deployment',
      'http',
      'instant',
      'name',
      'organisation',
      'reserve',
      'token',
      'upkeep/backlog',
      'upkeep/push',
      'webhook',
    ],
    packages: ['hono', 'valibot'],
  },
  pages: {
    folders: [
      'admin/access',
      'http',
      'name',
      'organisation',
      'paths',
      'random',
      'sign-in/cookie',
      'sign-in/methods',
      'sign-in/session',
      'storage-failure',
      'token',
    ],
    packages: ['hono'],
  },
  upkeep: {
    folders: [
      'activity/cause',
      'activity/events',
      'activity/store',
      'database',
      'deployment/deployment',
      'http',
      'mail',
      'reserve',
      'sign-in/asker',
      'sign-in/names',
      'storage-failure',
      'tables',
      'token/expiry',
      'token/retirement',
      'token/rotation',
      'token/usage',
      'verification/ownership',
      'webhook',
    ],
    packages: ['drizzle-orm'],
  },
  webhook: {
    folders: ['activity', 'database', 'random', 'tables'],
    packages: ['drizzle-orm'],
  },
  token: {
    folders: ['activity', 'cut', 'database', 'organisation', 'reserve', 'tables'],
    packages: ['drizzle-orm'],
  },
  organisation: {
    folders: ['activity', 'database', 'reserve', 'tables', 'token/secret'],
    packages: ['drizzle-orm'],
  },
  activity: {
    folders: ['database', 'http/call', 'seal', 'tables', 'token/secret'],
    packages: ['drizzle-orm'],
  },
  database: {
    folders: [],
    packages: ['drizzle-orm'],
  },
  tables: {
    folders: [
      'activity/events',
      'organisation/organisation',
      'sign-in/names',
      'token/limits',
      'token/retirement',
    ],
    packages: ['drizzle-orm'],
  },
  instant: { folders: [], packages: ['valibot'] },
  name: { folders: [], packages: ['valibot'] },
  reserve: { folders: ['database', 'storage-failure', 'tables'], packages: ['drizzle-orm'] },
  'daily-limit': { folders: ['database', 'storage-failure', 'tables'], packages: ['drizzle-orm'] },
  marked: { folders: ['random', 'token/secret'], packages: [] },
  random: { folders: ['token/sha-256'], packages: [] },
  seal: { folders: ['random', 'token/secret'], packages: [] },
};

/** The Worker's own files, without those of tests, and their text. */
function workerFiles(): [file: string, text: string][] {
  const cwd = resolve(root, 'worker');
  const exclude = ['**/*.test.ts', '**/*.suite.ts', '**/*.d.ts', 'test/**', '**/simulation/**'];
  return globSync('**/*.ts', { cwd, exclude }).map((file) => [
    file,
    readFileSync(resolve(cwd, file), 'utf8'),
  ]);
}

type Arrow = { file: string; from: string; to: string; isPackage: boolean };

/** Every import that leaves its own folder, static, lazy or of a type. */
function arrowsOf(file: string, text: string): Arrow[] {
  const from = folderOf(file);
  return [...text.matchAll(/\b(?:from|import)\s*\(?\s*'([^']+)'/g)].flatMap(([, name = '']) => {
    const isPackage = !name.startsWith('.');
    const to = isPackage ? packageOf(name) : posix.join(posix.dirname(file), name).replace(/\.ts$/, '');
    return !isPackage && folderOf(to) === from ? [] : [{ file, from, to, isPackage }];
  });
}

function folderOf(file: string): string {
  return file.split('/')[0]?.replace(/\.ts$/, '') ?? '';
}

/** `#libsql` is a name of package.json ("imports"): one of two files, chosen when the Worker is bundled. */
function packageOf(name: string): string {
  return name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/');
}

function isAllowed({ from, to, isPackage }: Arrow): boolean {
  const { folders = [], packages = [] } = ARROWS[from] ?? {};
  if (isPackage) return packages.includes(to);
  return folders.some((folder) => to === folder || to.startsWith(`${folder}/`));
}

/** The files that a file imports, of types as well. */
function targetsOf(file: string, text: string): string[] {
  return [...text.matchAll(/\b(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map(([, name = '']) =>
    posix.join(posix.dirname(file), name).replace(/\.ts$/, ''),
  );
}

/** What a file imports of its own folder, by the name within the folder. */
function arrowsWithin(folder: string, file: string, text: string): string[] {
  return targetsOf(file, text).flatMap((to) =>
    to.startsWith(`${folder}/`) ? [to.slice(folder.length + 1)] : [],
  );
}

function reachable(graph: Map<string, string[]>, from: string): Set<string> {
  const seen = new Set<string>();
  const rest = [from];
  for (let file = rest.pop(); file !== undefined; file = rest.pop()) {
    for (const to of graph.get(file) ?? []) {
      if (seen.has(to)) continue;
      seen.add(to);
      rest.push(to);
    }
  }
  return seen;
}

const said = ({ file, to }: Arrow): string => `${file} → ${to}`;

describe('the arrows', () => {
  it('are kept by every file of the Worker', () => {
    const files = workerFiles();
    expect(files.length).toBeGreaterThan(40);
    const forbidden = files
      .flatMap(([file, text]) => arrowsOf(file, text))
      .filter((arrow) => !isAllowed(arrow));
    expect(forbidden.map(said)).toEqual([]);
  });

  it('permit no import that no file needs', () => {
    const arrows = workerFiles().flatMap(([file, text]) => arrowsOf(file, text));
    const unused = Object.entries(ARROWS).flatMap(([from, { folders, packages }]) => {
      const needed = arrows.filter((arrow) => arrow.from === from);
      return [
        ...folders.filter((folder) => !needed.some(({ to }) => to === folder || to.startsWith(`${folder}/`))),
        ...packages.filter((name) => !needed.some(({ to }) => to === name)),
      ].map((to) => `${from} → ${to}`);
    });
    expect(unused).toEqual([]);
  });

  it('let the dashboard import only types of the Worker: of its own routes, of its page, of problems and failed sign-ins, of events, of paths', () => {
    const sources = globSync('**/*.{ts,tsx}', { cwd: resolve(root, 'ui'), exclude: ['**/*.test.*'] }).map(
      (file) => readFileSync(resolve(root, 'ui', file), 'utf8'),
    );
    const seen = sources.flatMap((text) => text.match(/^import [^;]*'[^']*worker\/[^']*';/gm) ?? []);
    expect(seen.length).toBeGreaterThan(0);
    expect(
      seen.filter(
        (line) =>
          !/^import type .*worker\/(?:activity\/events|admin\/routes|http\/problem|pages\/pages|paths|sign-in\/redirect)\.ts';$/.test(
            line,
          ),
      ),
    ).toEqual([]);
  });

  it('lead from worker/index.ts and worker/site.ts to the groups of routes by import() alone, so that calls with a token never evaluate them', () => {
    const group = /^(site|admin|sign-in|operator|pages|report|upkeep)$/;
    const lazy = ['index.ts', 'site.ts'].map((file) => {
      const text = readFileSync(resolve(root, 'worker', file), 'utf8');
      const eager = text.match(/^(import|export) [^;]*from '[^']+';$/gm) ?? [];
      expect(eager.length).toBeGreaterThan(5);
      expect(arrowsOf(file, eager.join('\n')).filter(({ to }) => group.test(folderOf(to)))).toEqual([]);
      return arrowsOf(file, text).filter(({ to }) => group.test(folderOf(to))).length;
    });
    expect(lazy[0]).toBe(2);
    expect(lazy[1]).toBeGreaterThan(3);
  });

  // The isolate's part also runs in servers that are no Worker.
  it.each([
    ['isolate', ['caller', 'record', 'sync']],
    ['hub', ['ownership', 'record', 'sync', 'terms']],
    ['source', ['record']],
  ])('lead from verification/%s to no other part but %j', (part, others) => {
    const arrows = workerFiles()
      .filter(([file]) => file.startsWith(`verification/${part}/`))
      .flatMap(([file, text]) => arrowsWithin('verification', file, text));
    const left = new Set(arrows.filter((to) => !to.startsWith(`${part}/`)));
    expect([...left].toSorted()).toEqual(others);
  });

  it('make no circle', () => {
    // With both files of `#libsql`.
    const graph = readImports(root);
    const circles = [...graph.keys()].filter((file) => isSource(file) && reachable(graph, file).has(file));
    expect(circles).toEqual([]);
  });

  it.each([
    ['verification/verify.ts', "import { Hono } from 'hono';", 'hono'],
    ['verification/isolate/memory.ts', "import type { Db } from '../../database.ts';", 'database'],
    ['api/routes.ts', "const group = await import('../admin/routes.ts');", 'admin/routes'],
    ['token/store.ts', "import { Problem } from '../http/problem.ts';", 'http/problem'],
  ])('would catch %s with %s', (file, text, to) => {
    expect(
      arrowsOf(file, text)
        .filter((arrow) => !isAllowed(arrow))
        .map(said),
    ).toEqual([`${file} → ${to}`]);
  });
});

/** Where a text takes a setting or a binding from `env`. A group of routes under Hono gets its call there, and nothing else. */
function readsOfEnv(text: string): string[] {
  const member = /(?<!process\.|\/)\benv\b(?:\??\.(?!call\b)|\[)/g;
  const destructured = /\{(?!\s*call\s*\})[^{}]*\} = [\w.]*\benv\b(?!\.)|\benv: \{(?!\s*call\s*\})/g;
  return [member, destructured].flatMap((pattern) => text.match(pattern) ?? []);
}

describe('the settings', () => {
  it('are read in worker/deployment alone, the only place that knows `env`', () => {
    const readers = workerFiles()
      .filter(([file]) => !file.startsWith('deployment/'))
      .flatMap(([file, text]) => readsOfEnv(text).map((place) => `${file}: ${place}`));
    expect(readers).toEqual([]);
  });

  it.each([
    'c.env.LOG',
    "this.env['LOG']",
    'env?.LOG',
    'const { LOG: log } = env;',
    'const { LOG } = this.env;',
    '({ env: { LOG } }) => LOG',
  ])('would be found in %s', (text) => {
    expect(readsOfEnv(text)).not.toEqual([]);
  });

  it.each(['c.env.call.note(facts)', 'const { call } = c.env;', 'openDeployment(this.env)'])(
    'are not read by %s',
    (text) => {
      expect(readsOfEnv(text)).toEqual([]);
    },
  );
});

/** Places where SQL is put together from strings. A tag (sql`…`) makes parameters of its values; a constant has none. */
function builtSqlOf(text: string): string[] {
  const template = /(?<!\bsql)`\s*(?:SELECT|INSERT|UPDATE|DELETE|WITH|PRAGMA|CREATE|DROP)\b[^`]*\$\{[^`]*`/g;
  const sum = /['"`]\s*(?:SELECT|INSERT|UPDATE|DELETE|WITH|PRAGMA|CREATE|DROP)\b[^'"`]*['"`]\s*\+/g;
  const argument = /\.(?:prepare|execute|run|all|exec)\(\s*(?:`[^`]*\$\{|[^)]*['"`]\s*\+)/g;
  return [template, sum, argument, /\bsql\.raw\b/g].flatMap((pattern) => text.match(pattern) ?? []);
}

describe('SQL', () => {
  it('is nowhere built from strings', () => {
    const files = globSync(['worker/**/*.ts', 'scripts/*.ts'], {
      cwd: root,
      exclude: ['**/*.test.ts', '**/*.suite.ts', 'worker/test/**', '**/simulation/**'],
    });
    const built = files.map((file) => [file, builtSqlOf(readFileSync(resolve(root, file), 'utf8'))] as const);
    expect(built.filter(([, places]) => places.length > 0)).toEqual([]);
  });

  it.each([
    'db.prepare(`SELECT * FROM ${table}`)',
    "db.prepare('SELECT * FROM tokens WHERE id = ' + id)",
    'const READ = `SELECT * FROM tokens\n  WHERE id = ${id}`;',
    'db.run(`${verb} FROM tokens`)',
    "const READ = 'SELECT * FROM ' + table;",
    'sql.raw(text)',
  ])('would be caught in %s', (text) => {
    expect(builtSqlOf(text)).not.toEqual([]);
  });

  it.each(['sql`SELECT ${id}`', "db.prepare('SELECT 1 FROM tokens WHERE id = ?1')", 'db.prepare(READ)'])(
    'is allowed in %s',
    (text) => {
      expect(builtSqlOf(text)).toEqual([]);
    },
  );
});
