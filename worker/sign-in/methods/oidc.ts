// /api/sign-in/oidc: the OpenID Connect code flow (PKCE, state, nonce), bound to the asking browser, within ten minutes. The provider names a person. It never makes a member, and no text of it reaches our pages.
import { Hono } from 'hono/tiny';
import type { OidcSettings } from '../../deployment/oidc.ts';
import type { Call } from '../../http/call.ts';
import { limitClient } from '../../http/limit.ts';
import { Problem } from '../../http/problem.ts';
import { randomValue } from '../../random.ts';
import { cookiesOf, giveCookie } from '../cookie.ts';
import type { Method } from '../method.ts';
import { authorizationUrl, exchange, openProvider } from '../provider.ts';
import { fail, letIn, pathToReturnTo, tellPeople } from '../redirect.ts';
import { beginRoundTrip, endRoundTrip, readRoundTrip } from '../round-trip.ts';
import type { AdminEnv } from '../session.ts';

const routes = new Hono<AdminEnv>()
  .use('/sign-in/oidc', tellPeople)
  .use('/sign-in/oidc/callback', tellPeople)
  .get('/sign-in/oidc', async (c) => {
    const { call } = c.env;
    const settings = settingsOf(call);
    // Before the provider is asked for anything.
    await limitClient(call, call.deployment.limiters.signInsPerClient, 'begin ');
    const provider = await openProvider(settings);
    if (provider === null) return fail(c, 'provider-unavailable');
    const trip = {
      state: randomValue(),
      nonce: randomValue(),
      codeVerifier: randomValue(),
      returnTo: pathToReturnTo(c.req.query('return_to'), c.req.url),
    };
    const url = await authorizationUrl(provider, trip, callbackOf(call));
    const { tagKeys } = call.deployment.settings;
    for (const cookie of await beginRoundTrip(
      tagKeys,
      trip,
      boundOf(call, settings),
      cookiesOf(c),
      Date.now(),
    ))
      giveCookie(c, cookie);
    return c.redirect(url);
  })
  .get('/sign-in/oidc/callback', async (c) => {
    const { call } = c.env;
    const settings = settingsOf(call);
    const { tagKeys: ring } = call.deployment.settings;
    const now = Date.now();
    const parameters = new URL(c.req.url).searchParams;
    const state = parameters.get('state') ?? '';
    const trip = await readRoundTrip(ring, state, boundOf(call, settings), cookiesOf(c), now);
    if (trip === null) {
      await limitClient(call, call.deployment.limiters.failedLoginsPerClient);
      return fail(c, 'sign-in-expired');
    }
    await limitClient(call, call.deployment.limiters.signInsPerClient, 'finish ');
    const provider = await openProvider(settings);
    if (provider === null) return fail(c, 'provider-unavailable');
    const outcome = await exchange(provider, parameters, trip, callbackOf(call));
    // The code is used up, even if the sign-in fails.
    giveCookie(c, endRoundTrip(state));
    if (!outcome.ok) return fail(c, outcome.reason);
    const identity = { issuer: provider.server.issuer, email: outcome.email, subject: outcome.subject };
    return letIn(c, 'oidc', identity, trip.returnTo, now);
  });

/** A round trip is good for the provider, the client and the callback that it began with. */
function boundOf(call: Call, { issuer, clientId }: OidcSettings): string {
  return JSON.stringify([issuer.href, clientId, callbackOf(call)]);
}

function callbackOf({ origin }: Call): string {
  return `${origin}/api/sign-in/oidc/callback`;
}

/** The provider that the settings name. One on this machine is asked in the clear, which a caller from elsewhere may not cause. */
function settingsOf({ deployment, isLocal }: Call): OidcSettings {
  const { oidc: settings } = deployment.settings.signIn;
  if (settings === null) throw new Problem('not-found');
  if (settings.issuer.protocol !== 'https:' && !isLocal)
    throw new Problem('misconfigured', 'OIDC_ISSUER: not https, which only a caller on this machine may use');
  return settings;
}

export const oidc = {
  offer: ({ deployment }: Call): { name: string } | null => {
    const { oidc: provider } = deployment.settings.signIn;
    return provider === null ? null : { name: provider.name };
  },
  none: null,
  routes,
} satisfies Method;
