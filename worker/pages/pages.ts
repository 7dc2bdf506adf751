// The dashboard's pages: the built HTML with the theme of the cookie and the first data inlined, so that the first
// paint needs no second request. Answers that carry a member's data are never stored.
import { Hono } from 'hono/tiny';
import { keepRefusal } from '../admin/access.ts';
import type { Call, CallEnv } from '../http/call.ts';
import { logOften } from '../http/log.ts';
import { finishRoutes } from '../http/route-group.ts';
import { TOKEN_NAME_LENGTH } from '../name.ts';
import { listOrganisationsOf } from '../organisation/store.ts';
import { cookiesOf } from '../sign-in/cookie.ts';
import { SESSION_COOKIE, findSession } from '../sign-in/session.ts';
import { offersOf } from '../sign-in/methods.ts';
import { TOKEN_LIMIT } from '../organisation/organisation.ts';
import { HOME, PAGES, TOKEN_PAGE } from '../paths.ts';
import { storageFailureOf } from '../storage-failure.ts';
import { CALLERS_SHOWN } from '../token/calls.ts';
import { MOST } from '../token/limits.ts';
import { listTokens } from '../token/store.ts';
import { readAsset } from './asset.ts';
import { PAGE_HEADERS } from './headers.ts';
import { withTheme } from './theme.ts';

const fileOf = (path: string): string => (path.startsWith(TOKEN_PAGE) ? HOME : path);

export const pages = finishRoutes(
  new Hono<CallEnv>()
    .get('/', (c) => c.redirect(`${HOME}${new URL(c.req.url).search}`))
    .on('GET', [...PAGES], async (c) => {
      const { call } = c.env;
      const asset = await readAsset(call, fileOf(c.req.path));
      if (asset === null) return unavailable(call);
      const cookie = cookiesOf(c)[SESSION_COOKIE];
      const boot = await readBoot(call, cookie, c.req.query('organisation')).catch((error: unknown) => {
        const failure = storageFailureOf(error);
        if (failure === null) throw error;
        logOften('storage-failed', failure);
        return null;
      });
      if (boot === null) return unavailable(call);
      const page = withTheme(call.request)
        .on('head', {
          element(head) {
            head.append(`<script type="application/json" id="boot">${scriptJson(boot)}</script>`, {
              html: true,
            });
          },
        })
        .transform(asset);
      return new Response(page.body, {
        headers: { ...PAGE_HEADERS, 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' },
      });
    }),
);

/** The answer if the files cannot be read either. */
const BARE_PAGE = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Not available right now</title>
<h1>This page is not available right now</h1>
<p>Something went wrong on our side, and nothing was changed. Try again in a moment.</p></html>`;

/** A person's browser opens these addresses, so a failure of storage is shown on a page, without a session or any data. */
async function unavailable(call: Call): Promise<Response> {
  call.note({ slug: 'storage-unavailable' });
  const asset = await readAsset(call, '/unavailable');
  return new Response(asset === null ? BARE_PAGE : withTheme(call.request).transform(asset).body, {
    status: 503,
    headers: {
      ...PAGE_HEADERS,
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'retry-after': '2',
    },
  });
}

/** How many there may be: tokens of an organisation, characters of a token's name, callers in an answer, entries in a list. */
const most = { tokens: TOKEN_LIMIT, name: TOKEN_NAME_LENGTH, callers: CALLERS_SHOWN, ...MOST };

/** What the dashboard finds in its page; ui/ takes this type. */
export type Boot = Awaited<ReturnType<typeof readBoot>>;

/** What the first paint shows: the product's words, and for a signed-in member their organisations and tokens. */
async function readBoot(call: Call, cookie: string | undefined, organisation: string | undefined) {
  const { settings } = call.deployment;
  const product = { name: settings.productName, contactUrl: settings.contactUrl };
  const db = await call.deployment.openDatabase();
  const session = await findSession(settings.tagKeys, db, cookie, Date.now());
  // Signed in or not: a session can end under an open page, which then shows the sign-in.
  const methods = offersOf(call);
  if (session === null) return { product, session: null, methods, most, tokens: null };
  const { email } = session;
  const organisations = await listOrganisationsOf(db, email);
  const place = organisation === undefined ? null : { organisationId: organisation, email };
  const listed = place === null ? null : await listTokens(db, place);
  // After the answer, as under /api.
  if (place !== null && listed?.ok === false && listed.reason === 'organisation-not-found')
    call.waitUntil(keepRefusal(call, db, place, null));
  return {
    product,
    session: { member: { email }, organisations },
    methods,
    most,
    tokens:
      place !== null && listed?.ok === true
        ? { organisation: place.organisationId, tokens: listed.tokens }
        : null,
  };
}

/** JSON that no HTML parser can leave: `<` ends no script and opens no comment when it is written as an escape. */
function scriptJson(value: unknown): string {
  return JSON.stringify(value)
    .replaceAll('<', '\\u003c')
    .replaceAll('\u2028', '\\u2028')
    .replaceAll('\u2029', '\\u2029');
}
