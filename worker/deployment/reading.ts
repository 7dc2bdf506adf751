// Reads one setting: its value, and its fault if it has one. A fault is one sentence that names the setting and says what is right. It
// never has the value.
import type { Env } from './env.ts';

/** With a fault, `value` is that of a missing setting. It is used only for refusals. */
export type Reading<T> = { value: T; fault?: string };

/** The settings that are text. */
type Name = { [Key in keyof Env]-?: Env[Key] extends string | undefined ? Key : never }[keyof Env];

/** In characters, at least. */
export const SECRET_LENGTH = 32;
const LOCAL_HOSTS = new Set(['localhost', '127.0.0.1']);

/** As a browser writes a host name: the URL of a request is compared with it. */
export function readHost(env: Env, name: Name): Reading<string> {
  const value = env[name] ?? '';
  const isGood = value === '' || (!value.endsWith('.') && URL.parse(`https://${value}`)?.hostname === value);
  if (isGood) return { value };
  return { value: '', fault: `${name}: not a host name in small letters, without scheme, port and path` };
}

/** `unset`: what stands for a setting that may be missing. */
export function readNumber(env: Env, name: Name, least: number, most: number, unset = ''): Reading<number> {
  const value = env[name] ?? unset;
  const isGood = /^\d+$/.test(value) && Number(value) >= least && Number(value) <= most;
  if (isGood) return { value: Number(value) };
  return { value: least, fault: `${name}: not a whole number from ${least} to ${most}` };
}

/** An unset or empty secret is null: it switches its routes off. A short one is a mistake, and so is one that no header can carry. */
export function readSecret(env: Env, name: Name): Reading<string | null> {
  const value = env[name];
  if (!value) return { value: null };
  if (value.length < SECRET_LENGTH)
    return { value: null, fault: `${name}: shorter than ${SECRET_LENGTH} characters` };
  if (/^[!-~]+$/.test(value)) return { value };
  return { value: null, fault: `${name}: a space, or another character than visible ASCII` };
}

/** The secrets of clients by their ids, or null where none is configured. */
export function readClients(env: Env, name: Name): Reading<Readonly<Record<string, string>> | null> {
  const value = env[name];
  if (!value) return { value: null };
  let clients: unknown;
  try {
    clients = JSON.parse(value);
  } catch {
    clients = null;
  }
  if (typeof clients !== 'object' || clients === null || Array.isArray(clients))
    return { value: null, fault: `${name}: not a JSON object` };
  const isGood = Object.values(clients).every(
    (secret) => typeof secret === 'string' && secret.length >= SECRET_LENGTH,
  );
  if (!isGood) return { value: null, fault: `${name}: a secret is shorter than ${SECRET_LENGTH} characters` };
  // Its values are strings.
  return { value: clients as Record<string, string> };
}

/** A switch with two words. At fault it is the second one. */
export function readWord<const Word extends string>(
  env: Env,
  name: Name,
  words: readonly [Word, Word],
): Reading<Word> {
  const word = words.find((known) => known === env[name]);
  if (word !== undefined) return { value: word };
  return { value: words[1], fault: `${name}: neither "${words[0]}" nor "${words[1]}"` };
}

/** The origin that an http(s) URL without a path names, or null. */
export function originOf(value: string): string | null {
  const url = URL.parse(value);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) return null;
  return value === url.origin || value === `${url.origin}/` ? url.origin : null;
}

export const WITH_USER = 'a URL with a user or a password';

/** `fetch` refuses such a URL. */
export function hasUser({ username, password }: URL): boolean {
  return username !== '' || password !== '';
}

/** Whether a URL is of this machine, and http may be used for it: in local mode alone. */
export function isLocalHttp(isLocalMode: boolean, url: URL): boolean {
  return isLocalMode && url.protocol === 'http:' && LOCAL_HOSTS.has(url.hostname);
}
