// Each promise of the README and each abuse case of docs/security.md names a test, and the named test exists.
import { describe, expect, it } from 'vitest';
import { idleTests, isTitle, rowsOf } from '../../scripts/titles.ts';

/** The first column of docs/security.md, so that no case is removed or replaced by accident. */
const ABUSE_CASES = [
  'Member of A lists, toggles, deletes tokens of B by id',
  'Right organisation in the path, token id of another',
  'Organisation ids guessed',
  'API called directly on Trial, Pay As You Go, Pro',
  'Downgrade between page load and create',
  '11th token by 60 parallel creates',
  '11th token by another path',
  'A leaked secret is reported',
  'The same report many times, two at once, or during a replacement',
  'Flood of reports',
  'The answer to a report used to tell real tokens from others',
  "A report whose address holds a secret, a script or a person's name",
  "Another website makes a visitor's browser report tokens",
  'Storage fails during a report',
  "Reports in GitHub's name",
  'Made-up key identifiers, so that we ask GitHub each time',
  "GitHub's API is away, answers nonsense, or has given up a key",
  'A leaked value is replaced',
  'Two members replace a value at once, or one of them twice',
  'Replay of a replacement',
  'A value whose end has passed, at an isolate that has it in memory while everything else is down',
  'A retired value is brought back, or its end is moved, at the SQL prompt',
  'The hash of a deleted token or of a retired value becomes a token again, in either spelling, at the SQL prompt',
  'Caller sends 100,000 different user agents, from as many networks, to fill the database or to hide who else calls',
  'Caller puts an address, an e-mail address or a token into `User-Agent`, so that it is kept',
  'Member replaces values all day and calls with every ended one from many places, to fill the database',
  'Caller sends thousands of digits as `User-Agent`: to look for an address in it takes the square of their number',
  "Member replaces a value a hundred times a day and goes on calling with all of them, so that the token's page reads hundreds of thousands of rows of the database that all organisations share",
  'Somebody writes an unreadable time into an event at the SQL prompt, or the mail service does not answer, so that other mails or the webhook would wait',
  'Caller learns why a token is refused, or that it was deleted, from the answer',
  'A record of a value with an end reaches the release before',
  'A token after its end, also one that an isolate remembers',
  'A token that may only read is used to write: by method, `X-HTTP-Method-Override`, a query',
  'A token with paths calls another path, or one that a server reads as another (`/v1/events/..%2ffaces`)',
  'A token with networks is used from elsewhere, with the address of the office in every header that names one',
  'A token of one website is used by pages of another one',
  'A token is narrowed while every place has it in memory and KV answers the old record',
  'A token is given more access or paths than it was created with, by the API or at the SQL prompt',
  'Behind a gateway: caller forges `X-Original-*`, `X-Forwarded-*`, `X-Client-IP`, `X-Verify-Secret`',
  'A limited token reaches a Worker of the release before, which knows no limits',
  'All tokens are switched off together while others create, switch and pause',
  'Resuming all tokens brings back one that is exposed, or that somebody switched off on purpose',
  "Pausing and resuming all tokens again and again, to fill the database; or the day's changes used up, so that nobody can pause",
  'A token of a paused organisation reaches a place that remembers it, reads it from KV, or runs the release before, which knows no pause',
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
  'Rotation of the tag keys',
  'Caller sends `X-Organisation-Id`, `X_Organisation_Id`, `X-Token-Id` to the upstream API',
  'Path tricks (`%2e%2e`, `..%2f`, `\\`, `//host`, `%00`, `%0d%0a`)',
  'A path that the upstream server reads as another one (`..;`, `%2e%2e;`, `..%20`, `%252e%252e`)',
  "Server-side request forgery: the upstream's address, its redirects, the Host header",
  'TRACE, CONNECT, odd methods, `X-HTTP-Method-Override`, upgrades',
  'Request smuggling (Content-Length and Transfer-Encoding)',
  'Answer of the upstream sets cookies, CORS, Clear-Site-Data',
  'A setting that would pass identities, credentials or other paths',
  'Caller names our headers, or others, in `Connection`',
  'Caller forges `Forwarded`, `X-Forwarded-*`, `Via`',
  "An answer names the API's own address, and a client sends the token there",
  'An answer of the API with a header that is slow to parse',
  'A challenge of the API that looks like ours, so that a client discards a good token',
  'An upload or an answer that breaks off',
  'An API that stops reading, so that callers wait without end',
  'A cache shared between tenants',
  'Forged values in KV',
  "KV: the record of one token stored under another token's key",
  'Hubs of the previous release, or hubs that still read the old database after a restore or a move',
  'KV answers old values for hours, random ones, throws, hangs',
  'Deactivation while a cache is filled from the database',
  'Off, on, off clicked fast',
  'The Worker ends after the commit, before the hubs are told',
  'Delete, then create: same hash or preview',
  'Database down, overloaded, slow',
  'Cross-site writes: forms, `fetch` in every mode, JSON, another host of the same site, `Origin: null`',
  "Another site, or a mailed link, makes a member's browser read under `/api` (window, image, script, form)",
  'Forged `Host`, or a host that is routed here by mistake',
  'A credential over http',
  'Sign-in replaced or started by another person',
  'Flood of made-up cookies, codes and callbacks',
  'Anonymous callers cause requests to the identity provider',
  'Session fixation',
  'Stolen session cookie',
  'Storage fails during a sign-in',
  'Sign-in link forwarded, opened twice, fetched by a mail scanner',
  'Sign-in mail flooding, address enumeration',
  'A name of a token or an organisation with HTML, line breaks, hidden or right-to-left characters, in a mail',
  'Mail flooding by changes: created and deleted again and again, in organisations of any size',
  'A stranger writes to members through a mail: the page of a report, a `User-Agent`',
  'Refused calls make the Worker look for mails, so that strangers cause reads of storage',
  'Somebody signs in as a member elsewhere',
  'Mail flooding by tokens whose end is moved again and again',
  "Other clients ask for links to a member's address until the member gets none",
  'Provider gives an unverified address, or the address of another person',
  'ID token with `alg` none, a wrong nonce, issuer or audience, mix-up',
  'Link on the console, or http provider, in production',
  'Script injected through the name of an organisation or token, an address, a preview, a query, a problem',
  'Clickjacking',
  'The secret stays in the DOM, the history or storage, or comes back with the Back button',
  'Secret, cookie or code in logs and error bodies',
  "Wrong, short or missing operator secret; a member's cookie on the operator's routes",
  'The webhook as a way into a private network: addresses, names, redirects, `http`',
  'A receiver of the webhook that is slow, hangs, answers without end, or is down for days',
  'A forged, changed or replayed message to the receiver of the webhook',
  'A holder of the operator secret hides events from the receiver of the webhook',
  'The key or the query of the webhook in a fault, an answer, the log or the database',
  'Billing events out of order',
  'Introspection as an oracle',
  'An API behind a gateway trusts an identity header that the gateway did not set',
  'Behind a gateway: caller spells `X-Organisation-Id` with other characters (`X.Organisation_Id`), which PHP or WSGI reads as the same name',
  'Behind a gateway: caller names the identity headers in `Connection`',
  "Behind a gateway: caller sends identity headers after a chunked body (trailers), which PHP's own server reads as headers",
  'Behind a gateway: caller offers another protocol (`Upgrade: h2c`), or sends `CONNECT`, so that the gateway copies bytes to the API without reading them',
  "A gateway appends the caller's path to the address of `/verify` (`/results/%2e%2e/%2e%2e/healthz`)",
  'CORS: any origin with a token, `null`, the cost of a preflight',
  'A spreadsheet runs a cell of the export as a formula, whatever its separator; control characters in a user agent',
  "Ids reveal the activity of other organisations; members learn the platform's address; a token reveals who created it",
  'Audit log altered, or an event skipped on failure',
  'One organisation uses the capacity for changes of others',
  'A member reads the activity all day, with filters that match few events',
  'The id of a deleted organisation is given to another one',
  'A package that becomes malicious, or runs a script when it is installed',
  'SQL injection',
  'Two deployments on one database, whose hubs do not inform each other',
];

describe.each([
  { file: 'docs/ux-checklist.md', heading: '## The forty points', count: 40 },
  { file: 'README.md', heading: '## What it promises', count: 41 },
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

it('runs every test', () => {
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
  // Put together here, so that the search does not find this file.
  expect(idleTests(before + dot + after)).toHaveLength(1);
  expect(idleTests(before + dot + after.replace(/skip|only|todo|true/, 'each'))).toEqual([]);
});

it('does not take a text for a title because a title contains it', () => {
  expect(isTitle('does not take a text for a title because a title contains it')).toBe(true);
  expect(isTitle(['knows a', 'title'].join(' '))).toBe(false);
  const text = 'a text that is the title of nothing';
  expect(isTitle(text)).toBe(false);
});
