// The documentation as files: /docs, the same pages in Markdown, llms.txt and openapi.json. This file fills in values of the code;
// the Worker fills in values of the deployment (worker/pages/documents.ts).
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BODY_KIB } from '../../worker/http/body-bytes.ts';
import { METHODS } from '../../worker/http/methods.ts';
import { REPORT_KIB, REPORTED, SEEN_LENGTH } from '../../worker/report/bounds.ts';
import { SECRET_LENGTH } from '../../worker/deployment/reading.ts';
import { BULK } from '../../worker/operator/schemas.ts';
import { TOKEN_LIMIT } from '../../worker/organisation/organisation.ts';
import { PLACEHOLDERS } from '../../worker/pages/placeholders.ts';
import { PROBLEMS, type Slug } from '../../worker/http/problem.ts';
import { MOST } from '../../worker/token/limits.ts';
import { openApiDocument, VERSION } from '../openapi/document.ts';
import { endpointsMarkdown, parametersMarkdown } from './endpoints.ts';
import { escapeHtml, htmlOf, withoutForm, withoutIds } from './markdown.ts';

/** What a page shows of operations of the OpenAPI document, by the word in its placeholder. */
const OPERATIONS = { endpoints: endpointsMarkdown, parameters: parametersMarkdown };
type Included = keyof typeof OPERATIONS | 'file';

type Page = {
  path: string;
  /** In this folder; its first line is the title. */
  source: string;
  /** Short, for the navigation. */
  name: string;
  /** One line, for search engines and llms.txt. */
  summary: string;
};

/** In the order of the navigation. */
const PAGES: readonly Page[] = [
  {
    path: '/docs',
    source: 'guide.md',
    name: 'Guide',
    summary: 'Authentication, first call, endpoints, what “immediately” means, CORS, limits',
  },
  {
    path: '/docs/problems',
    source: 'problems.md',
    name: 'Problems',
    summary: 'What each refusal means and what to do',
  },
  {
    path: '/docs/gateways',
    source: 'gateways.md',
    name: 'Gateways',
    summary: 'The API behind this one, forward-auth for nginx and Caddy, introspection, other Workers',
  },
  {
    path: '/docs/operator',
    source: 'operator.md',
    name: 'Operator',
    summary: 'Organisations, plans and members, for billing and provisioning',
  },
  {
    path: '/docs/report',
    source: 'report.md',
    name: 'Report a leak',
    summary: 'A form, and a call, to report a leaked token',
  },
];
/** Where the form of a report leads. Nothing else does. */
const REPORTED_PAGE: Page = {
  path: '/docs/reported',
  source: 'reported.md',
  name: 'Reported',
  summary: 'The report has arrived',
};

/**
 * Every file, by its name in the folder of static files. `folder` is docs/. The Worker serves each of them under the name
 * without `.html`.
 */
export function buildDocumentation(folder: string): Record<string, string> {
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  const constants = {
    METHODS: METHODS.map((method) => `\`${method}\``).join(', '),
    TOKEN_LIMIT,
    MOST_PATHS: MOST.paths,
    MOST_NETWORKS: MOST.networks,
    MOST_ORIGINS: MOST.origins,
    BODY_KIB,
    BULK,
    SECRET_LENGTH,
    REPORTED,
    REPORT_KIB,
    SEEN_LENGTH,
    FAILED_LOGINS_PER_CLIENT: limitOf(read('../wrangler.toml'), 'FAILED_LOGINS_PER_CLIENT'),
  };
  const template = read('site/page.html');
  const files: Record<string, string> = {
    'docs/docs.css': read('site/docs.css'),
    'docs/copy.js': read('site/copy.js'),
    'openapi.json': JSON.stringify(openApiDocument('{{origin}}', '{{product}}')),
    'llms.txt': filled(read('site/llms.txt'), {
      pages: PAGES.map(({ path, name, summary }) => `- [${name}]({{origin}}${path}.md): ${summary}`).join(
        '\n',
      ),
    }),
  };
  for (const page of [...PAGES, REPORTED_PAGE]) {
    const source = filled(read(`site/${page.source}`), constants, (kind, value) =>
      kind === 'file' ? shownFile(read(`gateways/${value}`)) : OPERATIONS[kind](value),
    );
    const text = page.path === '/docs/problems' ? withProblems(source) : source;
    const [, title = '', content = ''] = /^# ([^\n]*)\n\n(.*)$/s.exec(text) ?? [];
    const { html, headings } = htmlOf(content);
    files[`${page.path.slice(1)}.html`] = filled(template, {
      title: escapeHtml(title),
      summary: escapeHtml(page.summary),
      path: page.path,
      version: VERSION,
      pages: PAGES.map(({ path, name }) => {
        const current = path === page.path ? ' aria-current="page"' : '';
        return `<li><a href="${path}"${current}>${escapeHtml(name)}</a></li>`;
      }).join(''),
      contents: headings
        .map(({ depth, id, html: heading }) => {
          const sub = depth === 3 ? ' class="sub"' : '';
          return `<li${sub}><a href="#${id}">${heading}</a></li>`;
        })
        .join(''),
      content: html.trimEnd(),
    });
    // Links are absolute, because the text may be read elsewhere.
    files[`${page.path.slice(1)}.md`] = withoutForm(withoutIds(text)).replaceAll('](/', ']({{origin}}/');
  }
  return files;
}

/** The source files, besides code. */
export function sourcesOfDocumentation(folder: string): string[] {
  return ['site', 'gateways'].flatMap((name) =>
    readdirSync(join(folder, name)).map((file) => join(folder, name, file)),
  );
}

/**
 * The text with `{{name}}` replaced by its value, and `{{kind: value}}` by what `include` makes of it. Placeholders of the
 * Worker stay; any other name is an error.
 */
function filled(
  text: string,
  values: Readonly<Record<string, string | number>>,
  include?: (kind: Included, value: string) => string,
): string {
  return text.replaceAll(
    /\{\{(?:(endpoints|parameters|file): )?([\w./-]+)\}\}/g,
    (whole, kind: Included | undefined, name: string) => {
      if (kind !== undefined && include !== undefined) return include(kind, name);
      const value = values[name];
      if (value !== undefined) return String(value);
      if (PLACEHOLDERS.some((placeholder) => placeholder === name)) return whole;
      throw new Error(`The documentation says ${whole}, which stands for nothing`);
    },
  );
}

/** Each heading of the second level is a slug: its title, its status and the anchor where the type of a problem points. */
function withProblems(text: string): string {
  const told = new Set<string>();
  const whole = text.replaceAll(/^## (.*)$/gm, (_, slug: string) => {
    if (!Object.hasOwn(PROBLEMS, slug)) throw new Error(`problems.md tells of ${slug}, which is no problem`);
    told.add(slug);
    const { title, status } = PROBLEMS[slug as Slug];
    return `## ${title} {#${slug}}\n\n\`${status}\` \`${slug}\``;
  });
  const missing = Object.keys(PROBLEMS).filter((slug) => !told.has(slug));
  if (missing.length > 0) throw new Error(`problems.md does not tell of ${missing.join(', ')}`);
  return whole;
}

/** A configuration file without its comments, and with the host of this deployment. */
function shownFile(text: string): string {
  return text
    .split('\n')
    .filter((line) => !/^\s*(?:#|$)/.test(line))
    .join('\n')
    .replaceAll('\t', '  ')
    .replaceAll('verify.example.com', '{{verify-host}}');
}

/** How many calls a minute a limiter of wrangler.toml allows. */
function limitOf(wranglerToml: string, name: string): number {
  const limit = new RegExp(
    `name = "${name}"\\nnamespace_id = .*\\nsimple = \\{ limit = (\\d+), period = 60 \\}`,
  ).exec(wranglerToml)?.[1];
  if (limit === undefined) throw new Error(`wrangler.toml has no limit ${name} for a minute`);
  return Number(limit);
}
