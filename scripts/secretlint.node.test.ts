// The pattern from the documentation in secretlint, a scanner of another project: it finds a leaked token, and
// in this project only the test vectors.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { lintSource } from '@secretlint/core';
import { creator as rule } from '@secretlint/secretlint-rule-pattern';
import { describe, expect, it } from 'vitest';
import { mintSecret, readTagKeyRing } from '../worker/token/secret.ts';

const root = resolve(import.meta.dirname, '..');
const read = (file: string): string => readFileSync(resolve(root, file), 'utf8');
const example = /```json\n([^`]*secretlint-rule-pattern[^`]*)```/.exec(
  read('docs/operating/secrets.md'),
)?.[1];
// The shape of .secretlintrc.json.
const { rules } = JSON.parse(example ?? '') as { rules: [{ id: string; options: object }] };

/** The lines of a file in which secretlint finds something. */
async function findings(filePath: string, content: string): Promise<number[]> {
  const { messages } = await lintSource({
    source: { filePath, content, contentType: 'text' },
    options: { config: { rules: [{ ...rules[0], rule }] } },
  });
  return messages.map(({ loc }) => loc.start.line);
}

function freshSecret(): string {
  const keys = readTagKeyRing(JSON.stringify({ 1: 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8' }), '1');
  if (!keys.ok) throw new Error(keys.reason);
  return mintSecret(keys.ring);
}

describe('secretlint with the pattern of the documentation', () => {
  it.each([
    ['a file of settings', (secret: string) => `# staging\nTOKEN=${secret}\n`],
    ['a program', (secret: string) => `const a = 1;\nfetch(url, { headers: { 'x-api-key': '${secret}' } });`],
    ['a URL', (secret: string) => `see\nhttps://api.example.com/v1/ping?token=${secret}&x=1`],
    ['a log', (secret: string) => `ok\n12:00 Authorization: Bearer ${secret}, 200`],
  ])('finds a token that was left in %s', async (_, planted) => {
    expect(await findings('planted.txt', planted(freshSecret()))).toEqual([2]);
  });

  it('finds only the test vectors in this project', async () => {
    const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
      cwd: root,
    })
      .toString()
      .split('\0')
      .filter((file) => file !== '' && existsSync(resolve(root, file)));
    expect(files.length).toBeGreaterThan(100);
    const hits: string[] = [];
    for (const file of files) if ((await findings(file, read(file))).length > 0) hits.push(file);
    expect(hits).toEqual(['worker/token/secret.vectors.json']);
  });
});
