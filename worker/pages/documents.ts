// /docs, the same pages in Markdown, llms.txt and /openapi.json: files that docs/site builds. They are public and the same for all
// readers, and a browser checks them again by their ETag. Filled in here: the values of this deployment, and the theme of the reader.
import type { Context } from 'hono';
import { Hono } from 'hono/tiny';
import type { Call, CallEnv } from '../http/call.ts';
import { Problem } from '../http/problem.ts';
import { finishRoutes } from '../http/route-group.ts';
import { toBase64Url } from '../random.ts';
import { PAGE_HEADERS } from './headers.ts';
import { PLACEHOLDERS } from './placeholders.ts';
import { withTheme } from './theme.ts';

type DocumentContext = Context<CallEnv>;

export const documents = finishRoutes(
  new Hono<CallEnv>()
    .get('/.well-known/security.txt', (c) => send(c, securityText(c.env.call), { 'content-type': TEXT }))
    .get('/openapi.json', async (c) => sendDocument(c, { 'access-control-allow-origin': '*' }))
    .on('GET', ['/docs', '/docs.md', '/docs/:name{[a-z.]+}', '/llms.txt'], async (c) => sendDocument(c)),
);

const TEXT = 'text/plain; charset=utf-8';

/** The file at this path as this deployment shows it. */
async function sendDocument(c: DocumentContext, headers: Record<string, string> = {}): Promise<Response> {
  const path = c.req.path.replace(/\/$/, '');
  const asset = await readDocument(c.env.call, new URL(path, c.req.url));
  // A person may type or copy the address with a slash at its end.
  if (path !== c.req.path) return c.redirect(path, 308);
  const type = asset.headers.get('content-type') ?? TEXT;
  const isPage = type.startsWith('text/html');
  const text = await (isPage ? withTheme(c.req.raw).transform(asset) : asset).text();
  return send(c, filled(text, type, c.env.call), {
    'content-type': type,
    // The theme is part of a page: no shared cache may hand one reader's to another.
    ...(isPage ? { ...headersOf(path), 'cache-control': 'private, no-cache' } : {}),
    ...headers,
  });
}

/** One page has a form. */
function headersOf(path: string): Record<string, string> {
  if (path === '/docs/report') return PAGE_HEADERS;
  const policy = PAGE_HEADERS['content-security-policy'].replace("form-action 'self'", "form-action 'none'");
  return { ...PAGE_HEADERS, 'content-security-policy': policy };
}

async function readDocument({ deployment }: Call, url: URL): Promise<Response> {
  // A redirect would lead to the same file under another address.
  const asset = await deployment.assets.fetch(url, { redirect: 'manual' }).catch(() => null);
  if (asset?.ok === true) return asset;
  if (asset === null || asset.status >= 500) {
    throw new Problem('storage-unavailable', 'The files of the documentation cannot be read', {
      'retry-after': '2',
    });
  }
  throw new Problem('not-found');
}

/** How a value is written into a document of a type; in every other type it stands as it is. */
const ESCAPES: Readonly<Record<string, (value: string) => string>> = {
  'text/html': (value) =>
    value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;'),
  'application/json': (value) => JSON.stringify(value).slice(1, -1),
};

function filled(text: string, type: string, { origin, deployment }: Call): string {
  const { productName, verifyHost } = deployment.settings;
  const { protocol, host } = new URL(origin);
  const values: Record<(typeof PLACEHOLDERS)[number], string> = {
    origin,
    product: productName,
    // The files for gateways call by https. For a deployment on this machine they are only an example.
    'verify-host': verifyHost || (protocol === 'https:' ? host : 'verify.example.com'),
  };
  const escape = ESCAPES[type.split(';')[0] ?? ''] ?? ((value: string) => value);
  return text.replaceAll(PLACEHOLDER, (_, name: keyof typeof values) => escape(values[name]));
}
const PLACEHOLDER = new RegExp(`\\{\\{(${PLACEHOLDERS.join('|')})\\}\\}`, 'g');

async function send(c: DocumentContext, body: string, headers: Record<string, string>): Promise<Response> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(body));
  const etag = `"${toBase64Url(new Uint8Array(digest))}"`;
  const all = { 'cache-control': 'no-cache', 'x-content-type-options': 'nosniff', ...headers, etag };
  // Weak comparison (RFC 9110 section 13.1.2): compression on the way marks the tag as weak. `*` is whatever there is.
  const known = c.req
    .header('if-none-match')
    ?.split(',')
    .map((tag) => tag.trim().replace(/^W\//, ''));
  return known?.includes(etag) === true || known?.join() === '*'
    ? new Response(null, { status: 304, headers: all })
    : new Response(body, { headers: all });
}

/** RFC 9116: where a weakness is reported, and then a leaked token. It has to say when it goes out of date: half a year from today. */
function securityText({ origin, deployment }: Call): string {
  const today = Math.floor(Date.now() / DAY_MS) * DAY_MS;
  return `Contact: ${deployment.settings.contactUrl}
Contact: ${origin}/docs/report
Expires: ${new Date(today + 180 * DAY_MS).toISOString()}
Preferred-Languages: en
Canonical: ${origin}/.well-known/security.txt
`;
}
const DAY_MS = 24 * 60 * 60 * 1000;
