// The files of docs/leaks for scanners of other projects: each finds a leaked token, and nothing that is almost one. Those scanners
// that a package manager has are run.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { mintSecret } from '../worker/token/secret.ts';
import { ringOf } from '../worker/test/ring.ts';

const root = resolve(import.meta.dirname, '..');
const read = (name: string): string => readFileSync(resolve(root, 'docs/leaks', name), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'scanners-'));
afterAll(() => rmSync(folder, { recursive: true }));

const lacks = (command: string, why: string, args = ['--version']): boolean => {
  const isMissing = spawnSync(command, args).error !== undefined;
  if (isMissing) console.warn(`SKIPPED: ${command} is not run: ${why}`);
  return isMissing;
};

const RING = ringOf('1', '12');
const secrets = Array.from({ length: 50 }, () => mintSecret(RING));
const [secret = ''] = secrets;

const PLANTED: [place: string, text: string][] = [
  ['a file of settings', `# staging\nTOKEN=${secret}\n`],
  ['a program', `fetch(url, { headers: { 'x-api-key': '${secret}' } });`],
  ['a URL', `see https://api.example.com/v1/ping?token=${secret}&x=1`],
  ['a log', `12:00 Authorization: Bearer ${secret}, 200`],
  ['a line of JSON', `{"token":"${secret}"}`],
];
const NEAR: [what: string, text: string][] = [
  ['one character less', secret.slice(0, -1)],
  ['another prefix', `8p${secret.slice(2)}`],
  ['a hyphen for the underscore', secret.replace('_dz', '-dz')],
  ['a space within', `${secret.slice(0, 30)} ${secret.slice(30)}`],
  ['the mask of the dashboard', `${secret.slice(0, 5)}***`],
  ['a UUID', crypto.randomUUID()],
];
/** Only a scanner whose expression has boundaries leaves it alone. */
const LONGER: [what: string, text: string][] = [
  ['a longer word', `${secret}A`],
  ['the end of a longer word', `A${secret}`],
];

/** What a scanner that takes this expression finds: Go's RE2, whose `\b`, classes and counts are those of JavaScript for ASCII. */
const isFound = (expression: string, text: string): boolean => new RegExp(expression).test(text);

const gitleaks = read('gitleaks.toml');
const trufflehog = read('trufflehog.yml');
const only = (text: string, pattern: RegExp): string => {
  const found = [...text.matchAll(pattern)].map(([, part]) => part ?? '');
  expect(found).toHaveLength(1);
  return found[0] ?? '';
};

describe.each([
  [
    'gitleaks',
    () => only(gitleaks, /^regex = '''(.*)'''$/gm),
    () => only(gitleaks, /^keywords = \["(.*)"\]$/gm),
  ],
  ['TruffleHog', () => only(trufflehog, /^ {6}token: '(.*)'$/gm), () => only(trufflehog, /^ {6}- (\S+)$/gm)],
])('the expression for %s', (_, expressionOf, keywordOf) => {
  it('finds every token, wherever it stands, and its keyword is in each', () => {
    const [expression, keyword] = [expressionOf(), keywordOf()];
    for (const each of secrets) {
      expect(new RegExp(expression).exec(` ${each} `)?.[1]).toBe(each);
      // Keywords are looked for without regard to capitals.
      expect(each.toLowerCase()).toContain(keyword.toLowerCase());
    }
    for (const [, text] of PLANTED) expect(isFound(expression, text)).toBe(true);
  });

  it('finds nothing that is almost one', () => {
    const expression = expressionOf();
    for (const [what, text] of [...NEAR, ...LONGER])
      expect([what, isFound(expression, text)]).toEqual([what, false]);
  });

  it('uses nothing that RE2 lacks', () => {
    // No look-around, no back reference, no count above 1000.
    expect(expressionOf()).toMatch(/^(?:\\b|\((?!\?)|\)|9p|_dz|_|\[0-9A-Za-z\](?:\{\d{1,2}\})?)+$/);
  });
});

describe('the threshold of entropy for gitleaks', () => {
  it('is below that of every token', () => {
    const least = Number(only(gitleaks, /^entropy = (.*)$/gm));
    for (const each of secrets) expect(shannon(each)).toBeGreaterThan(least);
  });
});

/** In bits for each character, as gitleaks counts it. */
function shannon(text: string): number {
  const counts = new Map<string, number>();
  for (const digit of text) counts.set(digit, (counts.get(digit) ?? 0) + 1);
  return [...counts.values()].reduce((sum, n) => sum - (n / text.length) * Math.log2(n / text.length), 0);
}

describe('gitleaks itself', () => {
  it.skipIf(
    lacks('gitleaks', 'neither npm nor Debian has it; its rule is tried as an expression', ['version']),
  )('finds what was planted, and nothing else', () => {
    const files = plant('gitleaks');
    const report = join(folder, 'gitleaks.json');
    const config = `--config=${resolve(root, 'docs/leaks/gitleaks.toml')}`;
    spawnSync('gitleaks', ['dir', config, `--report-path=${report}`, '--report-format=json', files]);
    const found = JSON.parse(readFileSync(report, 'utf8')) as { RuleID: string; File: string }[];
    expect(found.map(({ RuleID, File }) => [RuleID, File.split('/').at(-1)]).toSorted()).toEqual(
      PLANTED.map((_, n) => ['developer-zone-token', `planted-${n}.txt`]),
    );
  });
});

describe('TruffleHog itself', () => {
  it.skipIf(lacks('trufflehog', 'neither npm nor Debian has it; its rule is tried as an expression'))(
    'finds what was planted, and nothing else',
    () => {
      const config = `--config=${resolve(root, 'docs/leaks/trufflehog.yml')}`;
      const { stdout } = spawnSync('trufflehog', [
        'filesystem',
        '--json',
        '--no-update',
        config,
        plant('trufflehog'),
      ]);
      const lines = stdout.toString().split('\n').filter(Boolean);
      const files = lines.map((line) => /planted-\d/.exec(line)?.[0]);
      expect(new Set(files)).toEqual(new Set(PLANTED.map((_, n) => `planted-${n}`)));
    },
  );
});

describe('git-secrets itself', () => {
  const isMissing = lacks('git-secrets', 'install the Debian package git-secrets', ['--list']);
  const pattern = read('git-secrets.txt').trim();

  it.skipIf(isMissing)('refuses a commit with a token, and lets other text pass', () => {
    const home = plant('git-secrets');
    const git = (...args: string[]) => {
      const { status, stderr } = spawnSync('git', args, {
        cwd: home,
        env: { PATH: process.env['PATH'], HOME: home, GIT_CONFIG_NOSYSTEM: '1' },
      });
      return { status, stderr: stderr.toString() };
    };
    expect(git('init', '--quiet').status).toBe(0);
    expect(git('secrets', '--install').status).toBe(0);
    expect(git('secrets', '--add', '--global', pattern).status).toBe(0);
    const scan = (name: string) => git('secrets', '--scan', name);
    for (const [n, [place]] of PLANTED.entries())
      expect([place, scan(`planted-${n}.txt`).status]).toEqual([place, 1]);
    for (const [n, [what]] of NEAR.entries()) expect([what, scan(`near-${n}.txt`).status]).toEqual([what, 0]);
    git('config', 'user.email', 'a@example.com');
    git('config', 'user.name', 'A');
    git('add', 'planted-0.txt');
    const commit = git('commit', '--quiet', '--message', 'A');
    expect([commit.status, commit.stderr.includes('planted-0.txt:2')]).toEqual([1, true]);
  });

  it('has a pattern that grep -E understands', () => {
    // git-secrets hands it to git grep, or to grep.
    const found = execFileSync('grep', ['-E', '-c', pattern], { input: secrets.join('\n') });
    expect(found.toString().trim()).toBe(String(secrets.length));
  });
});

/** A folder with all texts, each in a file of its own. */
function plant(name: string): string {
  const place = mkdtempSync(join(folder, `${name}-`));
  for (const [n, [, text]] of PLANTED.entries()) writeFileSync(join(place, `planted-${n}.txt`), `${text}\n`);
  for (const [n, [, text]] of NEAR.entries()) writeFileSync(join(place, `near-${n}.txt`), `${text}\n`);
  return place;
}
