import { expect, it } from 'vitest';
import { isSentTo } from './origins.ts';

it.each([
  ['https://verify.example.com/', true],
  ['https://verify.example.com:8443/healthz', true],
  ['https://verify.example.com./healthz', true],
  ['http://VERIFY.Example.com/healthz', true],
  ['https://verify.example.com.evil.example/', false],
  ['https://verify.example.comx/', false],
  ['https://averify.example.com/', false],
  ['https://evil.example/verify.example.com/', false],
])('%s is sent to verify.example.com: %s', (url, expected) => {
  expect(isSentTo(url, 'verify.example.com')).toBe(expected);
});
