// Routine output of the suite's Workers is not shown on the screen, but it is still scanned for secrets. A leak is reported to
// test.ts through a file, because the output comes from many processes.
import { appendFileSync, mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { findLeak } from './leaks.ts';

/** The file with a line for each leak, without the secret. It does not exist when there was no leak. */
export const LEAKS = resolve(import.meta.dirname, '../.tmp/leaks.log');

/** Local mode prints the link in this line on purpose; a code anywhere else fails the suite. */
const LOCAL_LINK =
  /^Sign-in link for \S+: http:\/\/(localhost|127\.0\.0\.1)(:\d+)?\/sign-in#code=[\w-]{43}$/gm;
/** A line of worker/http/log.ts about a request. */
const REQUEST = /^\{"method":"/;

/** Whether a log of a Worker is not shown: it holds only requests, or a sign-in link. */
export function isRoutine(text: string): boolean {
  const lines = text.split('\n').filter((line) => line !== '');
  return text.search(LOCAL_LINK) >= 0 || lines.every((line) => REQUEST.test(line));
}

/** Scans the output of a Worker, shown or not; a leak is written to `file`. */
export function watch(text: string, file = LEAKS): void {
  const plain = stripVTControlCharacters(text).replaceAll(LOCAL_LINK, '');
  const leak = findLeak(plain, true);
  if (leak === null) return;
  mkdirSync(dirname(file), { recursive: true });
  const line = plain.split('\n')[leak.line - 1] ?? '';
  appendFileSync(file, `${leak.kind}: ${line.replaceAll(/[\w-]{20,}/g, '***')}\n`);
}
