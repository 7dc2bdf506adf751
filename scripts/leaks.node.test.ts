// The watch over the suite's output finds what it watches for, and nothing in the project's own files.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findLeak } from './leaks.ts';

const root = resolve(import.meta.dirname, '..');
// Put together here, so that this file is no hit itself.
const secret = ['9pKx2', 'dzA', 'a'.repeat(47)].join('_');
const letters = 'b'.repeat(43);

describe('what the suite prints', () => {
  it.each([
    ['the secret of a token', `Authorization: Bearer ${secret}`],
    ['the secret of a token', `\u001B[39m${secret}\u001B[22m`],
    ['a session cookie', `set-cookie: __Host-session=${letters}; Path=/`],
    ['a sign-in code', `http://localhost:8787/sign-in#code=${letters}`],
  ])('is refused when it holds %s, and the thing itself is not repeated', (kind, line) => {
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

it('finds no secret in any file of the project but the known answers', () => {
  const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
  })
    .toString()
    .split('\0')
    .filter((file) => file !== '' && existsSync(resolve(root, file)));
  const hits = files.filter((file) => findLeak(readFileSync(resolve(root, file), 'utf8')) !== null);
  expect(hits).toEqual(['worker/token/secret.vectors.json']);
});
