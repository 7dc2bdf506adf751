// Answers every path except those of /v1 and forward-auth: it chooses the group of routes, and sends the files of the dashboard. A
// group is loaded at its first call.
import { Hono } from 'hono/tiny';
import type { Call, CallEnv } from './http/call.ts';
import { pageElsewhere } from './http/origins.ts';
import { Problem } from './http/problem.ts';
import { refusalOf, refusalOfDeployment, refuse } from './http/refuse.ts';
import { answerBy } from './http/route-group.ts';
import { PAGES } from './paths.ts';

/** Files that are the body of a refusal, and no page of their own. */
const REFUSALS = new Set(['/404', '/problem', '/unavailable']);

const routes = new Hono<CallEnv>()
  .all('/introspect', async ({ env: { call } }) => {
    const { introspection } = await import('./api/introspection.ts');
    return answerBy(introspection, call);
  })
  .all('/api/*', async ({ env: { call } }) => {
    const { admin } = await import('./admin/routes.ts');
    return pushingAfter(call, () => answerBy(admin, call));
  })
  .on('GET', ['/', ...PAGES], async ({ env: { call } }) => {
    const { pages } = await import('./pages/pages.ts');
    return answerBy(pages, call);
  })
  .all('/operator/*', async ({ env: { call } }) => {
    const { operator } = await import('./operator/routes.ts');
    return pushingAfter(call, () => answerBy(operator, call));
  })
  .on('ALL', ['/report', '/report/*'], async ({ env: { call } }) => {
    const { reports } = await import('./report/routes.ts');
    return pushingAfter(call, () => answerBy(reports, call));
  })
  .on(
    'ALL',
    ['/docs', '/docs.md', '/docs/*', '/llms.txt', '/openapi.json', '/.well-known/security.txt'],
    async ({ env: { call } }) => {
      const { documents } = await import('./pages/documents.ts');
      return answerBy(documents, call);
    },
  )
  .get('*', async (c) => sendFile(c.env.call, c.req.path))
  .notFound(() => {
    throw new Problem('not-found');
  })
  .onError((error, { env: { call } }) => refuse(call, refusalOf(call, error)));

/** The answer of this deployment at a path of its site. */
export async function site(call: Call): Promise<Response> {
  const { fault, isVerifyHostKnown } = call.deployment;
  // For monitors, which may know only an address, so it tells nothing about this deployment.
  if (call.path === '/healthz') {
    call.route = '/healthz';
    if (isVerifyHostKnown) return Response.json({ status: 'ok' });
  }
  const page = fault === null ? pageElsewhere(call, routes.getPath(call.request)) : null;
  // A permanent redirect of a GET, to another address of ours.
  if (page !== null) return new Response(null, { status: 308, headers: { location: page } });
  const refusal = refusalOfDeployment(call);
  return refusal === null ? routes.fetch(call.request, { call }) : refuse(call, refusal);
}

/**
 * The answer of a group of routes that changes something; then what waits is sent, if the call has put something on record. Others
 * send nothing: anybody can make them, and sending reads the database.
 */
async function pushingAfter(call: Call, answer: () => Response | Promise<Response>): Promise<Response> {
  try {
    return await answer();
  } finally {
    if (call.isOnRecord) call.waitUntil(push(call));
  }
}

async function push({ deployment }: Call): Promise<void> {
  const { pushAfterChange } = await import('./upkeep/push.ts');
  await pushAfterChange(deployment);
}

/** A file of the dashboard, or 404. */
async function sendFile(call: Call, path: string): Promise<Response> {
  const asset = REFUSALS.has(path) ? null : await call.deployment.assets.fetch(call.request);
  // No redirect: the files make one of `//host/x`, and of any path that is encoded oddly. A new answer, because the headers of
  // this one cannot be added to.
  if (asset?.ok === true || asset?.status === 304) return new Response(asset.body, asset);
  const missing = new Problem('not-found');
  if (asset !== null && asset.status !== 404) throw missing;
  call.note({ slug: missing.slug });
  const { problemPage } = await import('./pages/problem-page.ts');
  const page = await problemPage(call, missing, new Headers());
  if (page === null) throw missing;
  return page;
}
