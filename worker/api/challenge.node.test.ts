import { expect, it } from 'vitest';
import { upstreamChallenges } from './challenge.ts';

it.each([
  ['Basic realm="files"', 'Basic realm="files"'],
  ['Negotiate YWJj==', 'Negotiate YWJj=='],
  ['Bearer   error="x"', 'Bearer realm="upstream", error="x"'],
  ['Bearer realm="files", xrealm="b"', 'Bearer realm="files", xrealm="b"'],
  ['="a", Basic', 'Basic'],
  ['Bearer', 'Bearer realm="upstream"'],
  ['Bearer realm="files", error="invalid_token"', 'Bearer realm="files", error="invalid_token"'],
  ['Bearer error="invalid_token", realm="api"', 'Bearer realm="upstream", error="invalid_token"'],
  ['BEARER REALM=API', 'BEARER realm="upstream"'],
  ['Bearer realm = "a\\pi"', 'Bearer realm="upstream"'],
  ['Bearer realm="files", realm="api"', 'Bearer realm="upstream"'],
  [
    'Bearer resource_metadata="https://a.example/x"',
    'Bearer realm="upstream", resource_metadata="https://a.example/x"',
  ],
  [
    'Basic realm="a, Bearer b", Bearer scope="read, write", realm=api, Digest realm="c"',
    'Basic realm="a, Bearer b", Bearer realm="upstream", scope="read, write", Digest realm="c"',
  ],
  ['Bearer realm="api', 'Bearer realm="upstream"'],
  ['Bearer realm="files\\', 'Bearer realm="files"'],
  ['Basic realm="a, Bearer b', 'Basic realm="a, Bearer b"'],
  [', Basic realm="a" ,, charset="UTF-8" ,', 'Basic realm="a", charset="UTF-8"'],
])('tells a challenge of the API from ours: %s', (given, expected) => {
  expect(upstreamChallenges(given)).toBe(expected);
});

// A reader that begins again at each sign needs minutes for a text of this length.
const MANY = 200_000;

it.each([
  ['quotes that nothing closes', `Basic realm="${'\\"'.repeat(MANY)}`, `Basic realm="${'\\"'.repeat(MANY)}"`],
  [
    'backslashes that nothing closes',
    `Basic realm="${'\\'.repeat(2 * MANY)}`,
    `Basic realm="${'\\'.repeat(2 * MANY)}"`,
  ],
  ['realms', `Bearer ${'realm=a,'.repeat(MANY)}`, 'Bearer realm="upstream"'],
  ['schemes', 'a,'.repeat(MANY), Array<string>(MANY).fill('a').join(', ')],
  ['spaces', `Basic${' '.repeat(MANY)}=${' '.repeat(MANY)}`, ''],
])('reads a long challenge of the API once, from its beginning to its end: %s', (_, given, expected) => {
  // Not toBe: its message would hold both texts.
  expect(upstreamChallenges(given) === expected).toBe(true);
});
