// The query parameters of the operator's lists, read strictly: what is not known is refused, with the name of the field.
import type { Context } from 'hono';
import { ORGANISATION_ID, PLANS, isPlan } from '../organisation/organisation.ts';
import type { Listing } from '../organisation/register.ts';
import { Problem } from '../http/problem.ts';
import type { Span } from '../activity/store.ts';

const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/;

/** `after`, `plan` and `since` of the list of organisations. */
export function listingOf(c: Context): Listing {
  const { after, plan, since } = parametersOf(c, ['after', 'plan', 'since']);
  if (plan !== undefined && !isPlan(plan)) refuse('plan', `not one of ${PLANS.join(', ')}`);
  return {
    ...(after === undefined ? {} : { after }),
    ...(plan === undefined ? {} : { plan }),
    ...(since === undefined ? {} : { since: instantOf(since) }),
  };
}

/** `after`, `since` and `organisation` of the events. */
export function spanOf(c: Context): Span {
  const { after, since, organisation } = parametersOf(c, ['after', 'since', 'organisation']);
  if (after !== undefined && !/^\d{1,15}$/.test(after)) refuse('after', 'no id of an event');
  if (organisation !== undefined && !ORGANISATION_ID.test(organisation)) {
    refuse('organisation', 'no id of an organisation');
  }
  return {
    ...(after === undefined ? {} : { after: Number(after) }),
    ...(since === undefined ? {} : { since: instantOf(since) }),
    ...(organisation === undefined ? {} : { organisationId: organisation }),
  };
}

function parametersOf<Name extends string>(c: Context, names: Name[]): Partial<Record<Name, string>> {
  const given = c.req.queries();
  const parameters: Partial<Record<Name, string>> = {};
  for (const [key, values] of Object.entries(given)) {
    const name = names.find((known) => known === key);
    if (name === undefined) throw new Problem('invalid-body', `Query "${key.slice(0, 64)}": unknown`);
    if (values.length > 1) refuse(name, 'given twice');
    const [value] = values;
    if (value !== undefined) parameters[name] = value;
  }
  return parameters;
}

/** In the one form in which instants are stored, so that texts compare as instants do. */
function instantOf(since: string): string {
  const time = INSTANT.test(since) ? Date.parse(since) : Number.NaN;
  if (Number.isNaN(time)) refuse('since', 'not an instant such as 2026-01-31T12:00:00Z');
  return new Date(time).toISOString();
}

function refuse(name: string, reason: string): never {
  throw new Problem('invalid-body', `Query "${name}": ${reason}`);
}
