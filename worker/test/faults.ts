// A deployment whose storage fails at one chosen call. D1, KV, hubs, limiters and assets are wrappers around the real ones. Every
// call is counted, so that a test can fail each of them in turn.
import { env } from 'cloudflare:workers';
import type { Env } from '../deployment/env.ts';

/** `lost`: the call does not arrive. `unanswered`: it is done, and the answer is lost. `slow`: it is delayed. */
export const FAULTS = ['lost', 'unanswered', 'slow'] as const;
export type Fault = { at: number; kind: (typeof FAULTS)[number] };

const SLOW_MS = 40;

/** The real bindings with one fault or none. `calls`: the names of the calls so far, in order. */
export function deploymentWith(fault: Fault | null): { env: Env; calls: string[] } {
  const calls: string[] = [];

  async function step<T>(name: string, run: () => Promise<T>): Promise<T> {
    const index = calls.push(name) - 1;
    if (fault === null || index !== fault.at) return run();
    // D1's own words for a failure of the network, without its prefix.
    const planted = `${name.startsWith('D1') ? 'Network connection lost. ' : ''}planted fault: ${name}`;
    if (fault.kind === 'lost') throw new Error(`${planted} is lost`);
    if (fault.kind === 'slow') await scheduler.wait(SLOW_MS);
    const outcome = await run();
    if (fault.kind === 'unanswered') throw new Error(`${planted} has no answer`);
    return outcome;
  }

  /** The same object, but the named methods (all methods, when `names` is null) are counted and may fail. */
  function wrap<T extends object>(target: T, binding: string, names: readonly string[] | null): T {
    return new Proxy(target, {
      get(_, name) {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function' || typeof name === 'symbol') return value;
        const method = (...args: unknown[]): unknown => Reflect.apply(value, target, args);
        if (names !== null && !names.includes(name)) return method;
        return (...args: unknown[]) => step(`${binding}.${name}`, async () => method(...args));
      },
    });
  }

  const originals = new WeakMap<D1PreparedStatement, D1PreparedStatement>();
  function statement(original: D1PreparedStatement): D1PreparedStatement {
    const wrapped = wrap(original, 'D1', ['first', 'all', 'run', 'raw']);
    const bindable = new Proxy(wrapped, {
      get(target, name) {
        if (name === 'bind') return (...values: unknown[]) => statement(original.bind(...values));
        return Reflect.get(target, name);
      },
    });
    originals.set(bindable, original);
    return bindable;
  }
  const database = new Proxy(env.DB, {
    get(target, name) {
      if (name === 'prepare') return (sql: string) => statement(target.prepare(sql));
      if (name === 'batch') {
        return (statements: D1PreparedStatement[]) =>
          step('D1.batch', () => target.batch(statements.map((each) => originals.get(each) ?? each)));
      }
      if (name === 'withSession') return () => database;
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const hubs = new Proxy(env.CHANGE_HUB, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      if (name !== 'get' && name !== 'getByName') return value.bind(target);
      return (...args: unknown[]) => wrap(Reflect.apply(value, target, args) as object, 'hub', null);
    },
  });

  const limiter = (binding: RateLimit): RateLimit => wrap(binding, 'limiter', ['limit']);

  return {
    calls,
    env: {
      ...env,
      OPERATOR_SECRET,
      // A change waits for the lease of a hub that cannot be told, so the leases are short here.
      REVOCATION_LEASE_MS: '10',
      HUB_LEASE_MS: '40',
      DB: database,
      TOKEN_CACHE: wrap(env.TOKEN_CACHE, 'KV', ['get', 'getWithMetadata', 'put', 'delete']),
      CHANGE_HUB: hubs,
      ASSETS: wrap(env.ASSETS, 'ASSETS', ['fetch']),
      LINKS_PER_ADDRESS_AND_CLIENT: limiter(env.LINKS_PER_ADDRESS_AND_CLIENT),
      LINKS_PER_CLIENT: limiter(env.LINKS_PER_CLIENT),
      SIGN_INS_PER_CLIENT: limiter(env.SIGN_INS_PER_CLIENT),
      MUTATIONS_PER_ORGANISATION: limiter(env.MUTATIONS_PER_ORGANISATION),
      ACTIVITY_PER_MEMBER: limiter(env.ACTIVITY_PER_MEMBER),
      REQUESTS_PER_NETWORK: limiter(env.REQUESTS_PER_NETWORK),
      FAILED_LOGINS_PER_CLIENT: limiter(env.FAILED_LOGINS_PER_CLIENT),
    },
  };
}

export const OPERATOR_SECRET = 'operator-secret-for-tests-0123456789abcdef';
