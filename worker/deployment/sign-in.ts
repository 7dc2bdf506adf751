// The settings of each sign-in method. Null if there are none.
import type { MethodName } from '../sign-in/names.ts';
import type { Env } from './env.ts';
import { readOidc } from './oidc.ts';
import type { Reading } from './reading.ts';

const READERS = {
  // It has no setting of its own: it is offered wherever mail can be sent.
  link: () => ({ value: null }),
  oidc: readOidc,
} satisfies Record<MethodName, (env: Env, isLocalMode: boolean) => Reading<unknown>>;

type SignInSettings = { [Name in MethodName]: ReturnType<(typeof READERS)[Name]>['value'] };

/** The settings of every method, and the first fault among them. */
export function readSignIn(env: Env, isLocalMode: boolean): Reading<SignInSettings> {
  const readings = Object.entries(READERS).map(
    ([name, read]) => [name, read(env, isLocalMode) as Reading<unknown>] as const,
  );
  const faulty = readings.find(([, { fault }]) => fault !== undefined)?.[1];
  // Each value stands under the name of its method.
  const value = Object.fromEntries(readings.map(([name, { value: own }]) => [name, own])) as SignInSettings;
  return faulty?.fault === undefined ? { value } : { value, fault: faulty.fault };
}
