import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { seal, unseal } from './seal.ts';
import { ringOf } from './test/ring.ts';

const ring = ringOf('1', '1');

it('opens what was sealed for the same use and the same bound, and nothing else', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary' }), fc.string(), async (text, bound) => {
      const sealed = await seal(ring, 'round-trip', text, bound);
      expect(sealed).toMatch(/^1[\w-]+$/);
      expect(await unseal(ring, 'round-trip', sealed, bound)).toBe(text);
      expect(await unseal(ring, 'activity-cursor', sealed, bound)).toBeNull();
      expect(await unseal(ring, 'round-trip', sealed, `${bound}x`)).toBeNull();
    }),
    { numRuns: 20 },
  );
});

it('opens nothing that was altered in any one character, cut, or made up', async () => {
  const sealed = await seal(ring, 'round-trip', 'text', 'bound');
  for (let at = 0; at < sealed.length - 1; at++) {
    const altered = sealed.slice(0, at) + (sealed[at] === 'A' ? 'B' : 'A') + sealed.slice(at + 1);
    expect(await unseal(ring, 'round-trip', altered, 'bound')).toBeNull();
    expect(await unseal(ring, 'round-trip', sealed.slice(0, at), 'bound')).toBeNull();
  }
  for (const text of ['', '1', '1!', `1${'A'.repeat(60)}`, '{}'])
    expect(await unseal(ring, 'round-trip', text, 'bound')).toBeNull();
});

it('shows nothing of the text, and differs each time', async () => {
  const [one, other] = [
    await seal(ring, 'round-trip', 'text', 'bound'),
    await seal(ring, 'round-trip', 'text', 'bound'),
  ];
  expect(one).not.toBe(other);
  expect(Buffer.from(one.slice(1), 'base64url').toString('latin1')).not.toContain('text');
});

it('goes on opening after the ring has turned, until the key is taken out', async () => {
  const sealed = await seal(ring, 'round-trip', 'text', 'bound');
  expect(await unseal(ringOf('2', '12'), 'round-trip', sealed, 'bound')).toBe('text');
  expect(await unseal(ringOf('2', '2'), 'round-trip', sealed, 'bound')).toBeNull();
  expect((await seal(ringOf('2', '12'), 'round-trip', 'text', 'bound')).startsWith('2')).toBe(true);
});
