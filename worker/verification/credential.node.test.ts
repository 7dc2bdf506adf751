import * as fc from 'fast-check';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { readCredential } from './credential.ts';

const read = (headers: Record<string, string>) => readCredential(new Headers(headers));
/** Values that a fetch implementation would tidy, or refuse to send, reach a Worker all the same. */
const readRaw = (authorization: string | null, apiKey: string | null = null) =>
  readCredential({ get: (name) => (name === 'authorization' ? authorization : apiKey) });

const missing = { ok: false, reason: 'authentication-required' };
const malformed = { ok: false, reason: 'malformed-credential' };
const found = (secret: string) => ({ ok: true, secret });

const MEGABYTE = 1_000_000;
/** A megabyte takes milliseconds, and by the square of its length almost an hour. V8 ends what takes longer than this. */
const END_MS = 20_000;
/** The same, as a script of a context, because V8 ends only those. */
function readBeforeEnd(authorization: string): unknown {
  return runInNewContext('read()', { read: () => readRaw(authorization) }, { timeout: END_MS });
}

describe('a credential', () => {
  it.each([
    ['a bearer', { authorization: 'Bearer abc' }],
    ['a bearer in lower case', { authorization: 'bearer abc' }],
    ['a bearer in upper case', { authorization: 'BEARER abc' }],
    ['a bearer after several spaces', { authorization: 'Bearer   abc' }],
    ['an API key', { 'x-api-key': 'abc' }],
    ['an API key beside another scheme', { authorization: 'Basic YTpi', 'x-api-key': 'abc' }],
    ['an API key beside a scheme that begins like ours', { authorization: 'BearerX y', 'x-api-key': 'abc' }],
    ['both, when they agree', { authorization: 'Bearer abc', 'x-api-key': 'abc' }],
  ])('is read from %s', (_, headers) => {
    expect(read(headers)).toEqual(found('abc'));
  });

  it('is read with every character of RFC 6750, and padding at its end', () => {
    expect(read({ authorization: 'Bearer aZ09-._~+/==' })).toEqual(found('aZ09-._~+/=='));
    expect(read({ 'x-api-key': 'aZ09-._~+/==' })).toEqual(found('aZ09-._~+/=='));
  });

  it.each<[string, string | null]>([
    ['no header', null],
    ['another scheme', 'Basic YTpi'],
    ['a scheme that only begins like ours', 'Bearerish abc'],
    ['a scheme with parameters', 'Digest username="a, b", realm="x\\"y", nc=00000001, uri="/"'],
    [
      'a scheme with parameters that are no tokens',
      'AWS4-HMAC-SHA256 Credential=AKID/20261128/eu/s3/aws4_request, SignedHeaders=host;range, Signature=fe5f',
    ],
    ['a scheme with parameters and no space between them', 'Digest username="a",realm="b"'],
    ['a scheme with several spaces before its parameters', 'Digest   username="a", realm="b"'],
    ['a scheme with parameters, one of which quotes ours', 'OAuth a="b, Bearer abc", Bearer="abc"'],
    ['a scheme that only ends like ours', 'xBearer abc'],
    ...[..."!#$%&'*+-.^_`|~9"].map((sign): [string, string] => [
      `Bearer${sign}, another scheme`,
      `Bearer${sign} abc`,
    ]),
  ])('is missing in %s', (_, authorization) => {
    expect(readRaw(authorization)).toEqual(missing);
    expect(readRaw(authorization, 'abc')).toEqual(found('abc'));
  });

  it.each([
    ['spaces after the scheme', `a${' '.repeat(MEGABYTE)},`],
    ['spaces after a comma', `a b,${' '.repeat(MEGABYTE)}`],
    ['spaces before an equals sign', `a b,c${' '.repeat(MEGABYTE)}d=`],
    ['quotes', `a ${'"'.repeat(MEGABYTE)},`],
    ['parameters', `a b${',c=d'.repeat(MEGABYTE / 4)},`],
    ['padding', `Bearer ${'='.repeat(MEGABYTE)},`],
  ])('of a megabyte of %s is refused, in a time that does not grow with its square', (_, authorization) => {
    expect(readBeforeEnd(authorization)).toEqual(malformed);
  });

  it.each([
    ['an empty header', ''],
    ['parameters after what is no scheme', '=Digest username="a", realm="b"'],
    ['parameters after a quote', '"x" Digest username="a", realm="b"'],
    ['no token', 'Bearer'],
    ['no token after the space', 'Bearer '],
    ['a tab', 'Bearer\tabc'],
    ['a tab after a space', 'Bearer \tabc'],
    ['quotes', 'Bearer "abc"'],
    ['two tokens', 'Bearer abc def'],
    ['a space at the end', 'Bearer abc '],
    ['two headers', 'Bearer abc, Bearer abc'],
    ['two headers of another scheme', 'Basic YTpi, Bearer abc'],
    ['parameters of another scheme, then ours', 'Digest a="b", c="d", Bearer abc'],
    ['ours, then parameters of another scheme', 'Bearer abc, Digest a="b", c="d"'],
    ['a quote that is never closed', 'Digest a="b, c="d", Bearer abc'],
    ['padding alone', 'Bearer =='],
    ['padding in the middle', 'Bearer a=b'],
    ['a character outside of ASCII', 'Bearer abcä'],
    ['a line break', 'Bearer abc\nx'],
    ['an equals sign after the scheme', 'Bearer=abc'],
  ])('is malformed with %s', (_, authorization) => {
    expect(readRaw(authorization)).toEqual(malformed);
    expect(readRaw(authorization, 'abc')).toEqual(malformed);
  });

  it.each([
    ['an empty API key', ''],
    ['a comma in it', 'abc, abc'],
    ['a space before it', ' abc'],
    ['a space after it', 'abc '],
    ['padding in its middle', 'a=b'],
  ])('is malformed with %s, whatever stands beside it', (_, apiKey) => {
    expect(readRaw(null, apiKey)).toEqual(malformed);
    expect(readRaw('Bearer abc', apiKey)).toEqual(malformed);
  });

  it('is malformed when both headers have one and they differ', () => {
    expect(read({ authorization: 'Bearer abc', 'x-api-key': 'abd' })).toEqual(malformed);
  });

  it('is always exactly the token that was sent', () => {
    const sign = fc.constantFrom(...' \t\n,;="abBEARER-ä\u00A0');
    const token = fc
      .tuple(
        fc.string({ unit: fc.constantFrom(...'abYZ09-._~+/'), minLength: 1 }),
        fc.string({ unit: fc.constant('='), maxLength: 3 }),
      )
      .map(([text, padding]) => text + padding);
    fc.assert(
      fc.property(token, (secret) => {
        expect(readRaw(`Bearer ${secret}`)).toEqual(found(secret));
        expect(readRaw(null, secret)).toEqual(found(secret));
      }),
    );
    fc.assert(
      fc.property(
        fc.string({ unit: sign }).map((text) => `Bearer${text}`),
        fc.option(fc.string()),
        (authorization, apiKey) => {
          const credential = readRaw(authorization, apiKey);
          if (!credential.ok) return;
          expect([authorization.replace(/^bearer +/i, ''), apiKey]).toContain(credential.secret);
        },
      ),
    );
  });
});
