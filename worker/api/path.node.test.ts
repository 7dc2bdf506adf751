import { describe, expect, it } from 'vitest';
import { pathRows } from '../../scripts/path-table.ts';
import { isForwardablePath } from './path.ts';

function verdictOn(path: string): string {
  if (!path.startsWith('/v1/')) return '404';
  return isForwardablePath(path.replace(/\?.*/, '')) ? 'forwarded' : '400';
}

describe('the rule for paths', () => {
  it.each(pathRows())('decides as the table says: $path', ({ path, gateway }) => {
    expect(verdictOn(path)).toBe(gateway);
  });

  it('refuses the same paths once a server before it has resolved their dot segments', () => {
    for (const { path, gateway } of pathRows()) {
      const { pathname } = new URL(`http://localhost${path}`);
      const expected = gateway === 'forwarded' ? ['forwarded'] : ['400', '404'];
      expect([path, expected.includes(verdictOn(pathname))]).toEqual([path, true]);
    }
  });

  it.each(['/v1/a.', '/v1/a.;b', '/v1/a%2e', '/v1/a..;b/c', '/v1/a%2e%2e', '/v1/a .%20'])(
    'takes a name for a name that only ends in dots: %s',
    (path) => {
      expect(isForwardablePath(path)).toBe(true);
    },
  );

  it.each(['/..', '//', '/.'])('judges a path by itself, whatever it begins with: %s', (path) => {
    expect(isForwardablePath(path)).toBe(false);
  });

  it('lets every path through that is made of encoded names', () => {
    const names = [
      'a',
      'é ü',
      '100%',
      'a;b',
      'a?b',
      'a#b',
      '.well-known',
      'a..b',
      '…',
      'a:b@c',
      '+',
      '~',
      "'",
    ];
    for (const name of names) {
      for (const path of [`/v1/${encodeURIComponent(name)}`, `/v1/${encodeURIComponent(name)}/`]) {
        expect([path, isForwardablePath(path)]).toEqual([path, true]);
      }
    }
  });
});
