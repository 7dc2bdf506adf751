// What the platform sends. The OpenAPI document is made of the same schemas (docs/openapi).
import {
  array,
  check,
  maxLength,
  minLength,
  minValue,
  number,
  optional,
  picklist,
  pipe,
  regex,
  safeInteger,
  strictObject,
  string,
} from 'valibot';
import { nameOf } from '../name.ts';
import { ORGANISATION_ID, PLANS } from '../organisation/organisation.ts';

const plan = picklist(PLANS, `not one of ${PLANS.join(', ')}`);
const version = optional(
  pipe(number('not a number'), safeInteger('not a whole number'), minValue(0, 'below zero')),
);
/** The body of `PUT /operator/organisations/:id`. */
export const OrganisationBody = strictObject({ name: nameOf(100), plan, version });

/** Each one that changes costs a statement or two, and the free plan allows 50 in a call. */
export const BULK = 40;
export const BULK_KIB = 64;
export const ID_FORM = '1 to 128 letters, digits, ".", "_", "~" or "-"';
/** The body of `PUT /operator/organisations`. */
export const OrganisationsBody = strictObject({
  organisations: pipe(
    array(
      strictObject({
        id: pipe(string('not a string'), regex(ORGANISATION_ID, `not ${ID_FORM}`)),
        name: nameOf(100),
        plan,
        version,
      }),
      'not a list',
    ),
    minLength(1, 'empty'),
    maxLength(BULK, `more than ${BULK}`),
    check((all) => new Set(all.map(({ id }) => id)).size === all.length, 'an id twice'),
  ),
});
