import { expect, it } from 'vitest';
import { isSignedBy } from './signature.ts';

/** The sample that GitHub's documentation had until 2024, and the key that it published for it. */
const BODY = '[{"token":"some_token","type":"some_type","url":"some_url","source":"some_source"}]';
const SIGNATURE =
  'MEUCIFLZzeK++IhS+y276SRk2Pe5LfDrfvTXu6iwKKcFGCrvAiEAhHN2kDOhy2I6eGkOFmxNkOJ+L2y8oQ9A2T9GGJo6WJY=';
const KEY = `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEsz9ugWDj5jK5ELBK42ynytbo38gP
HzZFI03Exwz8Lh/tCfL3YxwMdLjB+bMznsanlhK0RwcGP3IDb34kQDIo3Q==
-----END PUBLIC KEY-----`;

const bytesOf = (text: string) => new TextEncoder().encode(text);

it('verifies the sample of GitHub’s documentation', async () => {
  expect(await isSignedBy(KEY, SIGNATURE, bytesOf(BODY))).toBe(true);
});

it('refuses it with one byte more, less or other', async () => {
  for (const body of [`${BODY}\n`, BODY.slice(0, -1), BODY.replace('some_url', 'some_urI')])
    expect(await isSignedBy(KEY, SIGNATURE, bytesOf(body))).toBe(false);
});

it('takes numbers that are shorter than 32 bytes, and no signature in another form', async () => {
  const pair = (await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, [
    'sign',
    'verify',
  ])) as CryptoKeyPair;
  const pem = Buffer.from(await crypto.subtle.exportKey('spki', pair.publicKey)).toString('base64');
  const { createPrivateKey, sign } = await import('node:crypto');
  const pkcs8 = Buffer.from(await crypto.subtle.exportKey('pkcs8', pair.privateKey));
  const key = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
  const signedBody = (n: number) => {
    const body = bytesOf(`body ${n}`);
    return { body, der: sign('sha256', body, key) };
  };
  const signed = Array.from({ length: 5 }, (_, n) => signedBody(n));
  // About one signature in 500 is so short: one of its numbers has 31 bytes.
  let short = signedBody(5);
  for (let n = 6; short.der.length >= 70; n++) short = signedBody(n);
  for (const { body, der } of [short, ...signed])
    expect(await isSignedBy(pem, der.toString('base64'), body)).toBe(true);
  for (const { body, der } of signed)
    for (const broken of [
      Buffer.concat([der, Buffer.of(0)]),
      der.subarray(0, -1),
      Buffer.from(der).fill(0x31, 0, 1),
      Buffer.from(der).fill(0xff, 3, 4),
      Buffer.alloc(0),
      sign('sha256', body, { key, dsaEncoding: 'ieee-p1363' }),
    ])
      expect(await isSignedBy(pem, broken.toString('base64'), body)).toBe(false);
});
