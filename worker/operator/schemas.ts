// The schemas of bodies and query parameters of /operator. The OpenAPI document is made of them too (docs/openapi).
import {
  array,
  boolean,
  check,
  exactOptional,
  maxLength,
  minLength,
  minValue,
  number,
  picklist,
  pipe,
  regex,
  safeInteger,
  strictObject,
  string,
} from 'valibot';
import { instantLike } from '../instant.ts';
import { nameOf } from '../name.ts';
import { ORGANISATION_ID, PLANS } from '../organisation/organisation.ts';

const plan = picklist(PLANS, `not one of ${PLANS.join(', ')}`);
const version = exactOptional(
  pipe(number('not a number'), safeInteger('not a whole number'), minValue(0, 'below zero')),
);
/** The body of `PUT /operator/organisations/:id`. */
export const OrganisationBody = strictObject({ name: nameOf(100), plan, version });

/** The body of `PATCH /operator/organisations/:id/tokens/:token`. */
export const SwitchBody = strictObject({ active: boolean('not a boolean') });

/** Each organisation that changes needs one or two statements, and the free plan allows 50 in a call. */
export const BULK = 40;
export const BULK_KIB = 64;
export const ID_FORM = '1 to 128 letters, digits, ".", "_", "~" or "-"';
/** `reason`: how a refusal says that it is none. */
export const organisationId = (reason = `not ${ID_FORM}`) =>
  pipe(string('not a string'), regex(ORGANISATION_ID, reason));
/** The body of `PUT /operator/organisations`. */
export const OrganisationsBody = strictObject({
  organisations: pipe(
    array(strictObject({ id: organisationId(), name: nameOf(100), plan, version }), 'not a list'),
    minLength(1, 'empty'),
    maxLength(BULK, `more than ${BULK}`),
    check((all) => new Set(all.map(({ id }) => id)).size === all.length, 'an id twice'),
  ),
});

const since = exactOptional(instantLike('2026-01-31T12:00:00Z'));
/** The query of `GET /operator/organisations`. */
export const ListingQuery = strictObject({
  after: exactOptional(string()),
  plan: exactOptional(plan),
  since,
});
const eventId = pipe(string('not a string'), regex(/^[0-9]{1,15}$/, 'no id of an event'));
/** The query of `GET /operator/events`. */
export const EventsQuery = strictObject({
  after: exactOptional(eventId),
  since,
  organisation: exactOptional(organisationId('no id of an organisation')),
});

/** The query of `GET /operator/organisations/:id/members`. */
export const MembersQuery = strictObject({ after: exactOptional(string()) });

/** D1 answers 50 MB at most; 5,000 events are 2 MB. */
export const EXPORT_PAGE = 5000;
/** A run of a Worker may send 50 statements on the free plan. The caller gets the rest with `after`. */
export const EXPORT_PAGES = 40;

/** The body of `PATCH /operator/webhook`. */
export const WebhookBody = strictObject({ cursor: eventId });
/** Waiting events are counted up to this number, because an answer must not read a whole table. */
export const WAITING_COUNTED = 10_000;
