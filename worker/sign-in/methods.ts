// The list of the ways to sign in. Page, routes and boot data follow from it.
import type { Call } from '../http/call.ts';
import { hasOwnOrigin } from '../http/origins.ts';
import type { Method } from './method.ts';
import { link } from './methods/link.ts';
import { oidc } from './methods/oidc.ts';
import type { MethodName } from './names.ts';

export const SIGN_IN_METHODS = { link, oidc } satisfies Record<MethodName, Method>;

type Offers = { [Name in MethodName]: ReturnType<(typeof SIGN_IN_METHODS)[Name]['offer']> };

/** What the sign-in page offers: nothing, where this deployment does not know its own address (routes.ts). */
export function offersOf(call: Call): Offers {
  const isOpen = hasOwnOrigin(call);
  const offers = Object.entries(SIGN_IN_METHODS).map(([name, method]) => [
    name,
    isOpen ? method.offer(call) : method.none,
  ]);
  // Each offer stands under the name of its method.
  return Object.fromEntries(offers) as Offers;
}
