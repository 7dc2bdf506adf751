// The bodies of reports.
import { array, check, maxLength, minLength, object, optional, pipe, strictObject, string } from 'valibot';
import { REPORTED, SEEN_LENGTH } from './bounds.ts';
import { seenAt } from './seen.ts';

export const URL_FORM = `not an http or https address of at most ${SEEN_LENGTH} characters`;
const COUNT_FORM = `not 1 to ${REPORTED} tokens`;

export const ReportBody = strictObject({
  tokens: pipe(
    array(string('not a string'), 'not a list'),
    minLength(1, COUNT_FORM),
    maxLength(REPORTED, COUNT_FORM),
  ),
  url: optional(
    pipe(
      string('not a string'),
      check((text) => seenAt(text) !== null, URL_FORM),
    ),
  ),
});

/** What GitHub found. It may send more fields. `url` may be empty. */
export const Matches = array(object({ token: string(), type: string(), url: optional(string(), '') }));
