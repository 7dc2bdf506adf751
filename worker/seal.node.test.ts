import * as fc from 'fast-check';
import { expect, it, vi } from 'vitest';
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

it('opens nothing that is too short or of no key, and asks no key for it', async () => {
  const importKey = vi.spyOn(crypto.subtle, 'importKey');
  const sealed = await seal(ring, 'round-trip', 'text', 'bound');
  importKey.mockClear();
  // A nonce of 12 bytes is 16 characters, and no text is sealed in less than a tag more.
  for (const text of ['', '1', sealed.slice(0, 17), `2${sealed.slice(1)}`, `1!${sealed.slice(2)}`])
    expect([text, await unseal(ring, 'round-trip', text, 'bound')]).toEqual([text, null]);
  expect(importKey).not.toHaveBeenCalled();
  importKey.mockRestore();
});

it('derives keys that leave WebCrypto by no call', async () => {
  const deriveKey = vi.spyOn(crypto.subtle, 'deriveKey');
  await seal(ring, 'round-trip', 'text', 'bound');
  const key = (await deriveKey.mock.results[0]?.value) as CryptoKey;
  expect([key.extractable, key.algorithm.name]).toEqual([false, 'AES-GCM']);
  deriveKey.mockRestore();
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
