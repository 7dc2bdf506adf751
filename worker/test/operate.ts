// Calls of the operator to a deployment with the operator secret, and bindings that count the cost of a call.
import { env } from 'cloudflare:workers';
import type { Env } from '../deployment/env.ts';
import { settledAt } from './harness.ts';

const SECRET = 'operator-secret-for-tests-0123456789abcdef';

/** `body`: an object is sent as JSON, a text as it is. */
export async function operate(
  method: string,
  path: string,
  body?: unknown,
  settings: Partial<Env> = {},
): Promise<Response> {
  return settledAt({ ...env, OPERATOR_SECRET: SECRET, ...settings }, `/operator${path}`, {
    method,
    headers: { authorization: `Bearer ${SECRET}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
}

/** Bindings that record the statements that are sent and the hubs that are asked. */
export function counting(): { settings: Partial<Env>; statements: string[]; hubs: string[] } {
  const statements: string[] = [];
  const hubs: string[] = [];
  const watched = <T extends object>(target: T, see: (name: string, first: unknown) => void): T =>
    new Proxy(target, {
      get(_, name) {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]): unknown => {
          see(String(name), args[0]);
          return Reflect.apply(value, target, args);
        };
      },
    });
  const settings = {
    DB: watched(env.DB, (name, sql) => {
      if (name === 'prepare') statements.push(String(sql));
    }),
    CHANGE_HUB: watched(env.CHANGE_HUB, (_, region) => hubs.push(String(region))),
  };
  return { settings, statements, hubs };
}
