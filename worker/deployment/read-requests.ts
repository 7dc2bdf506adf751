// The setting READ_REQUESTS: calls that a token with read access may make beside GET and HEAD, for APIs whose searches are POSTs.
import { METHODS } from '../http/methods.ts';
import type { Reading } from './reading.ts';

/** Whether the setting names this call. `path` as the caller sent it. */
export type IsRead = (method: string, path: string) => boolean;

const ENTRY = /^([A-Z]+) (\/v1(?:\/(?:\*|[\w.~!$&'()+=:@-]+))+)$/;
const FAULT =
  'READ_REQUESTS: not a comma-separated list such as "POST /v1/events/*/faces", where * stands for one segment';

export function readReadRequests(value: string): Reading<IsRead> {
  if (value === '') return { value: () => false };
  const entries = value.split(',').map((entry) => {
    const [, method = '', path = ''] = ENTRY.exec(entry.trim()) ?? [];
    return { method, segments: path.split('/') };
  });
  const isGood = entries.every(({ method }) => METHODS.some((known) => known === method));
  if (!isGood) return { value: () => false, fault: FAULT };
  return {
    value: (method, path) => {
      const segments = path.split('/');
      return entries.some((entry) => entry.method === method && isMatch(entry.segments, segments));
    },
  };
}

function isMatch(pattern: readonly string[], segments: readonly string[]): boolean {
  return (
    pattern.length === segments.length &&
    pattern.every((part, index) => (part === '*' ? segments[index] !== '' : part === segments[index]))
  );
}
