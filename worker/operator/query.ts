// The query parameters of the operator's lists, read strictly: what is not known is refused, with the name of the field.
import type { Context } from 'hono';
import { safeParse } from 'valibot';
import type { InferOutput } from 'valibot';
import { cut } from '../cut.ts';
import type { Span } from '../activity/store.ts';
import type { Listing } from '../organisation/register.ts';
import { Problem } from '../http/problem.ts';
import { EventsQuery, ListingQuery, MembersQuery } from './schemas.ts';

/** `after`, `plan` and `since` of the list of organisations. */
export function listingOf(c: Context): Listing {
  return queryOf(c, ListingQuery);
}

/** `after`, `since` and `organisation` of the events. */
export function spanOf(c: Context): Span {
  const { after, organisation, ...since } = queryOf(c, EventsQuery);
  return {
    ...since,
    ...(after === undefined ? {} : { after: Number(after) }),
    ...(organisation === undefined ? {} : { organisationId: organisation }),
  };
}

/** `after` of the members of an organisation. */
export function membersQueryOf(c: Context): InferOutput<typeof MembersQuery> {
  return queryOf(c, MembersQuery);
}

type Query = typeof ListingQuery | typeof EventsQuery | typeof MembersQuery;

function queryOf<S extends Query>(c: Context, schema: S): InferOutput<S> {
  const parameters: Record<string, string | undefined> = {};
  for (const [name, [value, ...more]] of Object.entries(c.req.queries())) {
    if (!Object.hasOwn(schema.entries, name)) throw refusal(cut(name), 'unknown');
    if (more.length > 0) throw refusal(name, 'given twice');
    parameters[name] = value;
  }
  const result = safeParse(schema, parameters, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw refusal(String(issue.path?.[0].key), issue.message);
}

function refusal(name: string, reason: string): Problem {
  return new Problem('invalid-body', `Query "${name}": ${reason}`);
}
