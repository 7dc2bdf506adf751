// Each promise of the README, and each abuse case of docs/security.md, names a test; a title that no test has would be a
// promise that nobody keeps.
import { describe, expect, it } from 'vitest';
import { idleTests, isTitle, rowsOf } from '../../scripts/titles.ts';

/** The first column of docs/security.md: a case leaves the table by a decision alone, and no other stands in for it. */
const ABUSE_CASES = [
  'Member of A lists, toggles, deletes tokens of B by id',
  'Right organisation in the path, token id of another',
  'Organisation ids guessed',
  'API called directly on Trial, Pay As You Go, Pro',
  'Downgrade between page load and create',
  '11th token by 60 parallel creates',
  '11th token by another path',
  'Replay of create (double click, retry, back button)',
  'The same key by another organisation or member',
  'Organisation switched in another tab, then create',
  "Confused deputy: `X-Organisation-Id` sent to the dashboard's API",
  'Mass assignment (`plan`, `active`, `organisation_id`, `created_by`)',
  'Wrong types, 10 MB, deep nesting, duplicate keys',
  'Token in a query, form body, cookie, `Proxy-Authorization`, `X-Forwarded-Authorization`',
  'Two Authorization headers, a list',
  'Scheme case, spaces, TAB, NBSP, quotes, NUL, CR, LF, folded lines',
  'Oversize header, URL, body',
  'Homoglyphs, full-width, zero-width in token or e-mail',
  'Flood of made-up tokens of the right shape',
  'Flood with genuine tokens that are paused or deleted',
  'Thousands of genuine secrets of deleted tokens in turn',
  'Timing oracle: unknown, paused, wrong tag',
  'Tag key missing, empty or short',
  'Ring of tag keys turned',
  'Caller sends `X-Organisation-Id`, `X_Organisation_Id`, `X-Token-Id` to the API behind',
  'Path tricks (`%2e%2e`, `..%2f`, `\\`, `//host`, `%00`, `%0d%0a`)',
  "A path that the API's own server reads as another one (`..;`, `%2e%2e;`, `..%20`, `%252e%252e`)",
  "Server-side request forgery: the upstream's address, its redirects, the Host header",
  'TRACE, CONNECT, odd methods, `X-HTTP-Method-Override`, upgrades',
  'One request that is two (Content-Length and Transfer-Encoding)',
  'Answer of the upstream sets cookies, CORS, Clear-Site-Data',
  'A setting that lets identities, credentials or other paths pass',
  'Caller names our headers, or others, in `Connection`',
  'Caller forges `Forwarded`, `X-Forwarded-*`, `Via`',
  "The API's own address in an answer, where a client takes the token",
  'An answer of the API with a header that takes long to read',
  'A challenge of the API that reads like ours, for which a client gives a good token up',
  'An upload or an answer that breaks off half-way',
  'An API that stops to read, and holds callers for ever',
  'Cache between tenants',
  'KV poisoned',
  "KV: the record of one token under another's key",
  'Hubs of the release before, or that read the database of before a restore or a move',
  'KV answers old values for hours, random ones, throws, hangs',
  'Pause races a fill from the database',
  'Pause, resume, pause clicked fast',
  'The Worker dies between the database and the hubs',
  'Delete, then create: same hash or preview',
  'Database down, overloaded, slow',
  'Cross-site writes: forms, `fetch` in every mode, JSON, a sibling on the same site, `Origin: null`',
  "Another site, or a mailed link, makes a member's browser read under `/api` (window, image, script, form)",
  'Hostile `Host`, a host that is routed here by mistake',
  'A credential over http',
  'Sign-in swapped or begun by another person',
  'Made-up cookies, codes and callbacks in a flood',
  'Requests to the provider through us',
  'Session fixation',
  'Stolen session cookie',
  'Storage fails in the midst of a sign-in',
  'Sign-in link forwarded, opened twice, fetched by a mail scanner',
  'Sign-in mail flooding, address enumeration',
  "Clients ask for a member's address all the time, so that there is no link left for the member",
  "Provider gives an unverified or another's address",
  'ID token with `alg` none, a wrong nonce, issuer or audience, mix-up',
  'Link on the console, or http provider, in production',
  'Script injected by the name of an organisation or token, an address, a preview, a query, a problem',
  'Clickjacking',
  'The secret stays in the DOM, the history, storage, the back button',
  'Secret, cookie or code in logs and error bodies',
  "Wrong, short or missing operator secret; a member's cookie on the operator's routes",
  'Billing event out of order',
  'Introspection as an oracle',
  "A gateway's API trusts a header that is missing",
  'Caller spells `X-Organisation-Id` with other signs (`X.Organisation_Id`), which PHP or WSGI folds, behind a gateway',
  'Caller names the identity headers in `Connection`, behind a gateway',
  "Caller sends identity headers as fields after a chunked body (trailers), which PHP's own server reads as headers, behind a gateway",
  'Caller offers another protocol (`Upgrade: h2c`), or sends `CONNECT`, so that the gateway copies bytes to the API unread',
  "A gateway appends the caller's path to the question (`/results/%2e%2e/%2e%2e/healthz`)",
  'CORS: any origin with a token, `null`, the cost of a preflight',
  'A spreadsheet runs a cell of the export as a formula, whatever its separator; control characters in a user agent',
  "Ids tell how much other organisations do; members learn the platform's address; a token tells who made it",
  'Audit log altered, or skipped on failure',
  'One organisation uses up the changes of others',
  'A member reads the activity all day, by filters that match little',
  'The id of a deleted organisation is given to another one',
  'A package that turns, or runs a script when it is installed',
  'SQL injection',
  'Two deployments on one database, whose hubs do not tell each other',
];

describe.each([
  { file: 'docs/ux-checklist.md', heading: '## The forty points', count: 40 },
  { file: 'README.md', heading: '## What it promises', count: 23 },
  { file: 'docs/security.md', heading: '## Abuse cases', count: ABUSE_CASES.length },
])('the table of $file', ({ file, heading, count }) => {
  const rows = rowsOf(file, heading);

  it('has all of its rows', () => {
    expect(rows.length).toBe(count);
    expect(new Set(rows.map(({ text }) => text)).size).toBe(count);
  });

  it.each(rows)('names tests that exist: $text', ({ titles }) => {
    expect(titles).not.toEqual([]);
    expect(titles.filter((title) => !isTitle(title))).toEqual([]);
  });
});

it('finds every abuse case in the table of docs/security.md', () => {
  expect(rowsOf('docs/security.md', '## Abuse cases').map(({ text }) => text)).toEqual(ABUSE_CASES);
});

it('runs every test that there is', () => {
  expect(idleTests()).toEqual([]);
});

it.each([
  ['it', "skip('a', f)"],
  ['test', "only('a', f)"],
  ['describe', "skip('a', f)"],
  ['describe.concurrent', "only.each([1])('a', f)"],
  ['it', "todo('a')"],
  ["it('a', { skip", 'true }, f)', ': '],
  ['context', 'skip()'],
])('would notice a test that does not run: %s and %s', (before, after, dot = '.') => {
  // Put together here, or this file would be a hit itself.
  expect(idleTests(before + dot + after)).toHaveLength(1);
  expect(idleTests(before + dot + after.replace(/skip|only|todo|true/, 'each'))).toEqual([]);
});

it('knows a title from a text that merely contains it', () => {
  expect(isTitle('knows a title from a text that merely contains it')).toBe(true);
  expect(isTitle(['knows a', 'title'].join(' '))).toBe(false);
  const text = 'a text that is the title of nothing';
  expect(isTitle(text)).toBe(false);
});
