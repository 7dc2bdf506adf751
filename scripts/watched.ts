// What the Workers of the suite print and nobody needs to read stays off the screen, and is watched all the same: what must
// not be in it is told to test.ts through a file, since it is printed in many processes.
import { appendFileSync, mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { findLeak } from './leaks.ts';

/** A line for each leak, without the thing itself. Not there when there was none. */
export const LEAKS = resolve(import.meta.dirname, '../.tmp/leaks.log');

/** Local mode prints the link on purpose, and this line alone; a code anywhere else fails the suite. */
const LOCAL_LINK =
  /^Sign-in link for \S+: http:\/\/(localhost|127\.0\.0\.1)(:\d+)?\/sign-in#code=[\w-]{43}$/gm;
/** A line of worker/http/log.ts about a request. */
const REQUEST = /^\{"method":"/;

/** Whether a log of a Worker can stay off the screen: nothing but requests, or a link that must not be on it. */
export function isRoutine(text: string): boolean {
  const lines = text.split('\n').filter((line) => line !== '');
  return text.search(LOCAL_LINK) >= 0 || lines.every((line) => REQUEST.test(line));
}

/** Looks at what a Worker printed, on the screen or off it; a leak is written to `file`. */
export function watch(text: string, file = LEAKS): void {
  const plain = stripVTControlCharacters(text).replaceAll(LOCAL_LINK, '');
  const leak = findLeak(plain, true);
  if (leak === null) return;
  mkdirSync(dirname(file), { recursive: true });
  const line = plain.split('\n')[leak.line - 1] ?? '';
  appendFileSync(file, `${leak.kind}: ${line.replaceAll(/[\w-]{20,}/g, '***')}\n`);
}
