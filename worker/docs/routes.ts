// /docs, its Markdown twins, llms.txt and /openapi.json: public, the same for everyone, checked anew by ETag.
// The only thing read from the caller is the theme. A document is made and hashed once, and then kept.
import { Hono } from 'hono/tiny';
import type { Context } from 'hono';
import { getCookie } from 'hono/cookie';
import type { Env } from '../env.ts';
import { finishRoutes } from '../route-group.ts';
import { ownOrigin } from '../origins.ts';
import { PAGE_HEADERS } from '../pages/headers.ts';
import { Problem } from '../problem.ts';
import { sha256Hex } from '../random.ts';
import { articles } from './articles.ts';
import { COPY_JS, DOCS_CSS } from './files.ts';
import { openApiDocument } from './openapi.ts';
import { articleHtml, articleMarkdown, type Theme } from './page.ts';

type DocsContext = Context<{ Bindings: Env }>;

const articlesOf = (c: DocsContext) =>
  articles(ownOrigin(c.env, c.req.raw), c.env.PRODUCT_NAME, c.env.VERIFY_HOST);

const MARKDOWN = 'text/markdown; charset=utf-8';

export const docs = finishRoutes(
  new Hono<{ Bindings: Env }>()
    .get('/docs/docs.css', (c) => sendKept(c, 'text/css; charset=utf-8', () => DOCS_CSS))
    .get('/docs/copy.js', (c) => sendKept(c, 'text/javascript; charset=utf-8', () => COPY_JS))
    .get('/llms.txt', (c) => sendKept(c, 'text/plain; charset=utf-8', () => llms(c)))
    .get('/openapi.json', (c) =>
      sendKept(
        c,
        'application/json',
        () => JSON.stringify(openApiDocument(ownOrigin(c.env, c.req.raw), c.env.PRODUCT_NAME)),
        { 'access-control-allow-origin': '*' },
      ),
    )
    .get('/.well-known/security.txt', (c) => send(c, 'text/plain; charset=utf-8', textOf(securityText(c))))
    .get('/docs', page)
    .get('/docs.md', page)
    .get('/docs/:name', page),
);

/** An article, or its Markdown twin. */
function page(c: DocsContext): Response {
  const { path } = c.req;
  const all = articlesOf(c);
  // What a person typed or copied with a slash too many.
  const meant = all.find((each) => path === `${each.path}/`);
  if (meant !== undefined) return c.redirect(meant.path, 308);
  const article = all.find((each) => path === each.path || path === `${each.path}.md`);
  if (article === undefined) throw new Problem('not-found');
  if (path !== article.path) {
    return sendKept(c, MARKDOWN, () => articleMarkdown(article, ownOrigin(c.env, c.req.raw)));
  }
  const theme = THEMES.find((known) => known === getCookie(c, 'theme'));
  const text = keep(c, () => articleHtml(article, all, c.env.PRODUCT_NAME, theme), theme);
  // The theme is part of the page: no shared cache may hand one reader's to another.
  return send(c, 'text/html; charset=utf-8', text, { ...PAGE_HEADERS, 'cache-control': 'private, no-cache' });
}
const THEMES: readonly Theme[] = ['light', 'dark'];

type Text = { body: string; etag: string };

function textOf(body: string): Text {
  return { body, etag: `"${sha256Hex(body).slice(0, 32)}"` };
}

/** The texts of this isolate, the one that was made first in front. To make and hash one takes milliseconds, and anybody can ask. */
const kept = new Map<string, Text>();
/** Twice the texts of one origin. A deployment without ORIGINS answers at every host that leads to it. */
const MOST_KEPT = 50;

/** The text of this path. `make` may read the path, this deployment's own settings and `theme`, and nothing else. */
function keep(c: DocsContext, make: () => string, theme?: Theme): Text {
  const { PRODUCT_NAME, VERIFY_HOST } = c.env;
  const key = [c.req.path, ownOrigin(c.env, c.req.raw), VERIFY_HOST, theme, PRODUCT_NAME].join('\n');
  const known = kept.get(key);
  if (known !== undefined) return known;
  const text = textOf(make());
  kept.set(key, text);
  const [oldest] = kept.keys();
  if (kept.size > MOST_KEPT && oldest !== undefined) kept.delete(oldest);
  return text;
}

function sendKept(
  c: DocsContext,
  type: string,
  make: () => string,
  headers: Record<string, string> = {},
): Response {
  return send(c, type, keep(c, make), headers);
}

function send(
  c: DocsContext,
  type: string,
  { body, etag }: Text,
  headers: Record<string, string> = {},
): Response {
  const all = {
    'cache-control': 'no-cache',
    'x-content-type-options': 'nosniff',
    'content-type': type,
    ...headers,
    etag,
  };
  // Weak comparison (RFC 9110 section 13.1.2): compression on the way marks the tag as weak. `*` is whatever there is.
  const known = c.req
    .header('if-none-match')
    ?.split(',')
    .map((tag) => tag.trim().replace(/^W\//, ''));
  if (known?.includes(etag) === true || known?.join() === '*')
    return new Response(null, { status: 304, headers: all });
  return new Response(body, { headers: all });
}

/** RFC 9116: where a weakness is reported. It has to say when it goes out of date: half a year from today. */
function securityText(c: DocsContext): string {
  const today = Math.floor(Date.now() / DAY_MS) * DAY_MS;
  return `Contact: ${c.env.CONTACT_URL}
Expires: ${new Date(today + 180 * DAY_MS).toISOString()}
Preferred-Languages: en
Canonical: ${ownOrigin(c.env, c.req.raw)}/.well-known/security.txt
`;
}
const DAY_MS = 24 * 60 * 60 * 1000;

function llms(c: DocsContext): string {
  const origin = ownOrigin(c.env, c.req.raw);
  const pages = articlesOf(c).map(
    ({ path, name, summary }) => `- [${name}](${origin}${path}.md): ${summary}\n`,
  );
  return `# ${c.env.PRODUCT_NAME} API

> Read an organisation's data with a token from the Developer Zone.

${pages.join('')}- [OpenAPI 3.1](${origin}/openapi.json): every path, answer and schema
`;
}
