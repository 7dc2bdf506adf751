// /docs, its Markdown twins, llms.txt and /openapi.json: public, the same for everyone, checked anew by ETag.
// The only thing read from the caller is the theme.
import { Hono } from 'hono/tiny';
import type { Context } from 'hono';
import { getCookie } from 'hono/cookie';
import type { Env } from '../env.ts';
import { finishFace } from '../face.ts';
import { PAGE_HEADERS } from '../pages/headers.ts';
import { sha256Hex } from '../random.ts';
import { originOf } from '../request-id.ts';
import { COPY_JS, DOCS_CSS } from './files.ts';
import { guideBlocks } from './guide.ts';
import { openApiDocument } from './openapi.ts';
import { articleHtml, articleMarkdown } from './page.ts';
import type { Article } from './page.ts';
import { problemBlocks } from './problems.ts';

type DocsContext = Context<{ Bindings: Env }>;

const guide = (c: DocsContext): Article => ({
  title: `${c.env.PRODUCT_NAME} API`,
  path: '/docs',
  blocks: guideBlocks(originOf(c.req.raw), c.env.PRODUCT_NAME),
});
const problems = (c: DocsContext): Article => ({
  title: `Problems of the ${c.env.PRODUCT_NAME} API`,
  path: '/docs/problems',
  blocks: problemBlocks(),
});

const MARKDOWN = 'text/markdown; charset=utf-8';

export const docs = finishFace(
  new Hono<{ Bindings: Env }>()
    .get('/docs', (c) => html(c, guide(c)))
    .get('/docs/problems', (c) => html(c, problems(c)))
    .get('/docs.md', (c) => send(c, MARKDOWN, articleMarkdown(guide(c))))
    .get('/docs/problems.md', (c) => send(c, MARKDOWN, articleMarkdown(problems(c))))
    .get('/docs/docs.css', (c) => send(c, 'text/css; charset=utf-8', DOCS_CSS))
    .get('/docs/copy.js', (c) => send(c, 'text/javascript; charset=utf-8', COPY_JS))
    .get('/llms.txt', (c) => send(c, 'text/plain; charset=utf-8', llms(c)))
    .get('/openapi.json', (c) => {
      const document = JSON.stringify(openApiDocument(originOf(c.req.raw), c.env.PRODUCT_NAME));
      return send(c, 'application/json', document, { 'access-control-allow-origin': '*' });
    }),
);

function html(c: DocsContext, article: Article): Response {
  const page = articleHtml(article, c.env.PRODUCT_NAME, getCookie(c, 'theme'));
  // The theme is part of the page: no shared cache may hand one reader's to another.
  return send(c, 'text/html; charset=utf-8', page, { ...PAGE_HEADERS, 'cache-control': 'private, no-cache' });
}

function send(c: DocsContext, type: string, body: string, headers: Record<string, string> = {}): Response {
  const etag = `"${sha256Hex(body).slice(0, 32)}"`;
  const all = {
    'cache-control': 'no-cache',
    'x-content-type-options': 'nosniff',
    'content-type': type,
    ...headers,
    etag,
  };
  // Weak comparison (RFC 9110 section 13.1.2): compression on the way marks the tag as weak.
  const known = c.req
    .header('if-none-match')
    ?.split(',')
    .map((tag) => tag.trim().replace(/^W\//, ''));
  if (known?.includes(etag) === true) return new Response(null, { status: 304, headers: all });
  return new Response(body, { headers: all });
}

function llms(c: DocsContext): string {
  const origin = originOf(c.req.raw);
  return `# ${c.env.PRODUCT_NAME} API

> Read an organisation's data with a token from the Developer Zone.

- [Guide](${origin}/docs.md): authentication, first call, endpoints, CORS, limits
- [Problems](${origin}/docs/problems.md): what each refusal means and what to do
- [OpenAPI 3.1](${origin}/openapi.json): every path, answer and schema
`;
}
