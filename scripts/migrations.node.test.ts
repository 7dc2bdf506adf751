// The migration files, in the form that a deployment needs.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { migrationDigests, readMigrations } from './migrations.ts';

const root = resolve(import.meta.dirname, '..');
const digests = migrationDigests(root);

it('are the released files: an applied migration is never edited, and a change is a new file', () => {
  const released = readFileSync(resolve(root, 'scripts/released-migrations.sha256'), 'utf8');
  expect([...digests].map(([file, digest]) => `${digest}  ${file}\n`).join('')).toBe(released);
});

it.each([...readMigrations(root)])(
  '%s has each trigger on one line, with one END, because remote D1 accepts no other form',
  (_, sql) => {
    const lines = sql.split('\n').filter((line) => /\bTRIGGER\b/i.test(line.replace(/--.*/, '')));
    const whole = lines.filter((line) => /^(?:CREATE TRIGGER .* END;|DROP TRIGGER \S+;)$/.test(line));
    expect(lines.filter((line) => !whole.includes(line))).toEqual([]);
    expect(whole.filter((line) => (line.match(/\bEND\b/g)?.length ?? 0) > 1)).toEqual([]);
    expect(sql).not.toContain('\r');
  },
);
