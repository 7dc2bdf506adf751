// Every command of the documentation, run in three shells. The programs are stand-ins
// that write down their arguments: the tests check the quoting, and that all three shells pass the same arguments.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '..');
const SHELLS = { sh: ['sh'], bash: ['bash', '--norc'], zsh: ['zsh', '-f'] } as const;
type Shell = keyof typeof SHELLS;
const shells = (Object.keys(SHELLS) as Shell[]).filter((shell) => {
  const isThere = spawnSync(shell, ['-c', ':']).status === 0;
  if (!isThere) console.warn(`SKIPPED: the commands of the documentation in ${shell}, which is not here`);
  return isThere;
});
const PROGRAMS = ['npm', 'npx', 'curl', 'node', 'git', 'turso', 'openssl'];
/** Values that the documentation tells a reader to set in the shell. */
const VALUES = {
  ORIGIN: 'https://zone.example',
  OPERATOR_SECRET: 'secret',
  LIBSQL_URL: 'libsql://a.example',
};

const work = mkdtempSync(join(tmpdir(), 'developer-zone-'));
const log = join(work, 'calls');
afterAll(() => rmSync(work, { recursive: true, force: true }));
mkdirSync(join(work, 'bin'));
for (const program of PROGRAMS) {
  const file = join(work, 'bin', program);
  // "node -e" is run for real: a stand-in would not show that its text passed the shell unchanged.
  const real = program === 'node' ? `[ "$1" = -e ] && exec '${process.execPath}' "$@"\n` : '';
  writeFileSync(
    file,
    `#!/bin/sh\n${real}{ echo ${program}; printf '<%s>\\n' "$@"; } >> '${log}'\necho answer\n`,
  );
  chmodSync(file, 0o755);
}

type Command = { where: string; code: string };

/** The blocks of shell commands of a page, and the commands in its sentences. */
function commandsOf(page: string): Command[] {
  const text = readFileSync(join(root, page), 'utf8');
  const blocks = [...text.matchAll(/^( *)```sh\n([\s\S]*?)^ *```$/gm)].map(([, indent = '', code = '']) =>
    code.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  );
  const prose = text.replaceAll(/```[\s\S]*?```/g, '');
  const inline = [...prose.matchAll(/`((?:npm|npx|curl|node|git|openssl) [^`]*)`/g)].flatMap(
    ([, code = '']) =>
      // "…" in a command stands for the reader's own text.
      code.includes('…') ? [] : [code.replaceAll('\n', ' ')],
  );
  return [...new Set([...blocks, ...inline])].map((code) => ({
    where: `${page}: ${code.slice(0, 60).trim().replaceAll(/\s+/g, ' ')}`,
    code,
  }));
}

const pages = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
  (file) => /^(?:README\.md|(?:docs|bench|e2e)\/.*\.md)$/.test(file) && !file.includes('node_modules'),
);
const commands = pages.toSorted().flatMap(commandsOf);

/** Which programs were called, with which arguments, and what the shell itself printed. */
function run(shell: Shell, code: string): { called: string; said: string; status: number | null } {
  writeFileSync(log, '');
  const home = join(work, 'home');
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home);
  // A command of docs/leaks reads it.
  copyFileSync(join(root, 'docs/leaks/git-secrets.txt'), join(home, 'git-secrets.txt'));
  const [program, ...flags] = SHELLS[shell];
  const { status, stderr } = spawnSync(program, [...flags, '-c', code], {
    cwd: home,
    env: { HOME: home, PATH: `${join(work, 'bin')}:${process.env['PATH'] ?? ''}`, ...VALUES },
    input: 'typed\n',
    encoding: 'utf8',
  });
  return { called: readFileSync(log, 'utf8'), said: stderr, status };
}

describe('the commands of the documentation', () => {
  it('are found', () => {
    expect(commands.length).toBeGreaterThan(30);
    expect(commands.filter(({ where }) => where.startsWith('README.md')).length).toBeGreaterThan(5);
  });

  it.each(commands)('$where', ({ code }) => {
    // zsh accepts no comment in a pasted command.
    expect(code.split('\n').filter((line) => /(?:^|\s)#\s/.test(line))).toEqual([]);
    const results = shells.map((shell) => run(shell, code));
    const [first] = results;
    expect(first).toMatchObject({ status: 0, said: '' });
    expect(results).toEqual(results.map(() => first));
  });
});
