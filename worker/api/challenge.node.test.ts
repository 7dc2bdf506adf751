import { expect, it } from 'vitest';
import { upstreamChallenges } from './challenge.ts';

it.each([
  ['Basic realm="files"', 'Basic realm="files"'],
  ['Negotiate YWJj==', 'Negotiate YWJj=='],
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
  ['Bearer realm="api', 'Bearer realm=, api'],
])('tells a challenge of the API from ours: %s', (given, expected) => {
  expect(upstreamChallenges(given)).toBe(expected);
});
