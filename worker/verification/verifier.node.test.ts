import { describe, expect, it } from 'vitest';
import type { TokenHash } from '../token/secret.ts';
import { Hub } from './hub.ts';
import type { Change, Holder, Truth } from './record.ts';
import { Verifier } from './verifier.ts';

// A brand over any text: these hashes are names.
const HASH = 'hash' as TokenHash;
const OTHER = 'other' as TokenHash;
const waitUntil = (): void => {};

/** One hub over a truth that holds one token, and isolates that ask it; KV is down, so that the hub alone helps. */
function world(holder: Holder | null) {
  const changes: Change[] = [{ seq: 1, nonce: 'n1', hash: HASH }];
  const truth: Truth = {
    read: () => Promise.resolve({ asOf: { seq: changes.length, nonce: `n${changes.length}` }, holder }),
    changesFrom: (seq, limit) =>
      Promise.resolve(changes.filter((change) => change.seq >= seq).slice(0, limit)),
    newestChanges: (limit) => Promise.resolve(changes.slice(-limit)),
    addUsage: () => Promise.resolve(),
  };
  const hub = new Hub(truth, () => 0, 10_000);
  const isolate = () =>
    new Verifier({
      now: () => 0,
      sleep: () => new Promise(() => {}),
      hub: { sync: (ask) => hub.sync(ask) },
      cache: { get: () => Promise.reject(new Error('KV: down')), put: () => Promise.resolve() },
      truth,
      leaseMs: 1000,
    });
  const change = async (hash: TokenHash): Promise<void> => {
    const seq = changes.length + 1;
    changes.push({ seq, nonce: `n${seq}`, hash });
    await hub.advance(seq);
  };
  return { isolate, change };
}

describe('an isolate that starts after a change of another token', () => {
  it.each([
    ['an active token', { tokenId: 't', organisationId: 'o', plan: 'enterprise', active: true } as const],
    ['a secret that no row knows', null],
  ])('remembers %s that the hub had read before', async (_, holder) => {
    const { isolate, change } = world(holder);
    await isolate().lookUp(HASH, waitUntil);
    await change(OTHER);
    const second = isolate();
    await second.lookUp(HASH, waitUntil);
    expect(second.recall(HASH, waitUntil)).toMatchObject({ ok: holder !== null });
  });
});
