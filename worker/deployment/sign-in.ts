// The settings of each sign-in method. Null if the deployment does not offer the method.
import type { MethodName } from '../sign-in/names.ts';
import type { Env } from './env.ts';
import { readOidc } from './oidc.ts';
import type { Reading } from './reading.ts';

const READERS = {
  link: ({ EMAIL_FROM: from }: Env) => ({ value: from === '' ? null : { from } }),
  oidc: readOidc,
} satisfies Record<MethodName, (env: Env) => Reading<unknown>>;

type SignInSettings = { [Name in MethodName]: ReturnType<(typeof READERS)[Name]>['value'] };

/** The settings of every method, and the first fault among them. */
export function readSignIn(env: Env): Reading<SignInSettings> {
  const readings = Object.entries(READERS).map(
    ([name, read]) => [name, read(env) as Reading<unknown>] as const,
  );
  const faulty = readings.find(([, { fault }]) => fault !== undefined)?.[1];
  // Each value stands under the name of its method.
  const value = Object.fromEntries(readings.map(([name, { value: own }]) => [name, own])) as SignInSettings;
  return faulty?.fault === undefined ? { value } : { value, fault: faulty.fault };
}
