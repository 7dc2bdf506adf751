// The scan of the suite's output finds secrets, and finds none in the project's own files.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findLeak } from './leaks.ts';
import { isRoutine, watch } from './watched.ts';

const root = resolve(import.meta.dirname, '..');
// Put together here, so that the scan does not report this file.
const secret = ['9pKx2', 'dzA', 'a'.repeat(47)].join('_');
const letters = 'b'.repeat(43);

describe('the output of the suite', () => {
  it.each([
    ['the secret of a token', `Authorization: Bearer ${secret}`],
    ['the secret of a token', `\u001B[39m${secret}\u001B[22m`],
    ['a session cookie', `set-cookie: __Host-session=${letters}; Path=/`],
    ['a session cookie', `set-cookie: local-session=${letters}; Path=/`],
    ['a sign-in code', `http://localhost:8787/sign-in#code=${letters}`],
  ])('is refused when it holds %s, and the report does not repeat the secret', (kind, line) => {
    expect(findLeak(`first\n${line}\nlast`)).toEqual({ kind, line: 2 });
  });

  it.each([
    ['a masked preview', '9pKx2***'],
    ['a secret cut short', secret.slice(0, -1)],
    ['a longer word', `${secret}x`],
    ['an emptied cookie', '__Host-session=; Max-Age=0'],
  ])('may hold %s', (_, line) => {
    expect(findLeak(line)).toBeNull();
  });
});

describe('the output of a Worker', () => {
  it.each([
    ['a random value', `Error: nobody knows ${letters}`],
    ['a random value', `"${letters}"`],
    ['a hash', `no row ${'0a'.repeat(32)}`],
    ['a hash', `${'0A'.repeat(32)}: gone`],
  ])('is refused when it holds %s, which a tool may print', (kind, line) => {
    expect(findLeak(`first\n${line}`, true)).toEqual({ kind, line: 2 });
    expect(findLeak(`first\n${line}`)).toBeNull();
  });

  it.each([
    ['an id', crypto.randomUUID()],
    ['a longer word', `${letters}x`],
    ['an address', 'Sign-in link for owner@example.com'],
    ['a place in our code', 'at async createToken (worker/token/store.ts:101:3)'],
  ])('may hold %s', (_, line) => {
    expect(findLeak(line, true)).toBeNull();
  });
});

describe("a line of the Worker's log", () => {
  it.each([
    ['a random value', `{"method":"GET","route":"${letters}"}`],
    ['a hash', `{"level":"error","event":"unexpected","detail":"no row ${'0a'.repeat(32)}"}`],
    ['an e-mail address', '{"method":"PUT","route":"/operator/organisations/a/members/owner@example.com"}'],
    ['an e-mail address', '{"method":"PUT","route":"/members/owner%40example.com"}'],
    ['a query', '{"method":"GET","route":"/v1/ping?colour=blue"}'],
  ])('is refused when it holds %s', (kind, line) => {
    expect(findLeak(line)).toEqual({ kind, line: 1 });
  });

  it('may hold its normal fields', () => {
    const fields = '"organisationId":"org-2f0d1c9e-4d1c-4d53-9d0f-0c8d6f0e7a11","durationMs":12';
    expect(
      findLeak(`{"method":"GET","route":"/api/organisations/:organisation/tokens",${fields}}`),
    ).toBeNull();
    expect(
      findLeak('{"level":"error","event":"unexpected","detail":"TypeError at f (x.ts:1:2)"}'),
    ).toBeNull();
  });
});

describe('output that is not shown on the screen', () => {
  const request = '{"method":"GET","route":"/v1/ping","status":200}\n';
  const link = `Sign-in link for owner@example.com: http://localhost:8787/sign-in#code=${letters}\n`;

  it.each([
    [true, 'requests', request + request],
    [true, 'the link of local mode among them', request + link],
    [false, 'anything else among them', `${request}TypeError: no\n`],
  ])('%s: %s', (expected, _, text) => {
    expect(isRoutine(text)).toBe(expected);
  });

  it('is scanned: a leak is reported with its kind and line, and other lines are not stored', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'developer-zone-')), 'leaks.log');
    watch(request + link, file);
    expect(existsSync(file)).toBe(false);
    watch(`${request}{"method":"GET","route":"/${secret}"}\n`, file);
    watch(`${link.trim()}?again=1#code=${letters}`, file);
    watch(`TypeError: no\n    with ${letters}\n`, file);
    expect(readFileSync(file, 'utf8').split('\n')).toEqual([
      'the secret of a token: {"method":"GET","route":"/***"}',
      expect.stringMatching(/^a sign-in code: [^]*code=\*\*\*$/),
      'a random value:     with ***',
      '',
    ]);
  });
});

it('finds no secret in any file of the project except the test vectors', () => {
  const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
  })
    .toString()
    .split('\0')
    .filter((file) => file !== '' && existsSync(resolve(root, file)));
  const hits = files.filter((file) => findLeak(readFileSync(resolve(root, file), 'utf8')) !== null);
  expect(hits).toEqual(['worker/token/secret.vectors.json']);
});
