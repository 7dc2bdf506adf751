// /operator: the platform's face (billing, provisioning). Everything is idempotent: repeating a call whose answer was
// lost completes it. A change of plan, and a deletion, is answered when every place on earth knows it.
import { Hono } from 'hono/tiny';
import { minValue, number, optional, picklist, pipe, safeInteger, strictObject } from 'valibot';
import { causeOf } from '../activity/cause.ts';
import { strictBody } from '../body.ts';
import { openDatabase } from '../database.ts';
import type { Db } from '../database.ts';
import type { Env } from '../env.ts';
import { finishFace } from '../face.ts';
import { note } from '../log.ts';
import { nameOf } from '../name.ts';
import { normaliseEmail } from '../organisation/email.ts';
import { addMember, listMembers, removeMember } from '../organisation/members.ts';
import { ORGANISATION_ID, PLANS, TOKEN_LIMIT } from '../organisation/organisation.ts';
import {
  deleteOrganisation,
  listOrganisations,
  putOrganisation,
  readOrganisation,
} from '../organisation/register.ts';
import { Problem } from '../problem.ts';
import { withReserve } from '../reserve.ts';
import { publish } from '../verification/publish.ts';
import { requireOperator } from './access.ts';

/** The body of `PUT /operator/organisations/:id`. */
const OrganisationBody = strictObject({
  name: nameOf(100),
  plan: picklist(PLANS, `not one of ${PLANS.join(', ')}`),
  version: optional(
    pipe(number('not a number'), safeInteger('not a whole number'), minValue(0, 'below zero')),
  ),
});

const ACTOR = 'operator';

type OperatorEnv = { Bindings: Env; Variables: { db: Db } };

export const operator = finishFace(
  new Hono<OperatorEnv>()
    .basePath('/operator')
    .use(requireOperator)
    .use(async (c, next) => {
      c.set('db', await openDatabase(c.env));
      await next();
      c.header('cache-control', 'no-store');
    })
    .get('/organisations', async (c) => c.json(await listOrganisations(c.var.db, c.req.query('after')), 200))
    .put('/organisations/:id', strictBody(OrganisationBody), async (c) => {
      const id = c.req.param('id');
      if (!ORGANISATION_ID.test(id)) {
        throw new Problem('invalid-body', 'Path "id": 1 to 128 letters, digits, ".", "_", "~" or "-"');
      }
      const { version, ...wanted } = c.req.valid('json');
      const put = await putOrganisation(
        c.var.db,
        { id, ...wanted, ...(version === undefined ? {} : { version }) },
        causeOf(c, ACTOR),
      );
      if (!put.ok) throw new Problem(put.reason, `Version ${put.version} was applied before`);
      note(c.req.raw, { organisationId: id });
      // Also when the plan stood there already: an earlier call may have changed it and lost its answer.
      const { effectiveAt } =
        put.hashes.length === 0
          ? { effectiveAt: new Date().toISOString() }
          : await publish(c.env, { head: put.head, hashes: put.hashes });
      return c.json({ ...put.organisation, effectiveAt }, put.created ? 201 : 200);
    })
    .get('/organisations/:id', async (c) => {
      const organisation = await readOrganisation(c.var.db, c.req.param('id'));
      if (organisation === null) throw new Problem('organisation-not-found');
      note(c.req.raw, { organisationId: organisation.id });
      return c.json({ ...organisation, tokens: { ...organisation.tokens, limit: TOKEN_LIMIT } }, 200);
    })
    .delete('/organisations/:id', async (c) => {
      const id = c.req.param('id');
      // Also when nothing was there to delete, for the same reason.
      const { effectiveAt } = await publish(
        c.env,
        await deleteOrganisation(withReserve(c.var.db), id, causeOf(c, ACTOR)),
      );
      return c.json({ deleted: id, effectiveAt }, 200);
    })
    .get('/organisations/:id/members', async (c) => {
      const listed = await listMembers(c.var.db, c.req.param('id'), c.req.query('after'));
      if (!listed.ok) throw new Problem(listed.reason);
      note(c.req.raw, { organisationId: c.req.param('id') });
      return c.json({ members: listed.members, next: listed.next }, 200);
    })
    .put('/organisations/:id/members/:email', async (c) => {
      const outcome = await addMember(
        c.var.db,
        c.req.param('id'),
        emailOf(c.req.param('email')),
        causeOf(c, ACTOR),
      );
      if (!outcome.ok) throw new Problem(outcome.reason);
      note(c.req.raw, { organisationId: c.req.param('id') });
      return c.json(outcome.member, outcome.added ? 201 : 200);
    })
    .delete('/organisations/:id/members/:email', async (c) => {
      const email = emailOf(c.req.param('email'));
      const outcome = await removeMember(withReserve(c.var.db), c.req.param('id'), email, causeOf(c, ACTOR));
      if (!outcome.ok) throw new Problem(outcome.reason);
      note(c.req.raw, { organisationId: c.req.param('id') });
      return c.json({ deleted: email }, 200);
    }),
);

function emailOf(text: string): string {
  const email = normaliseEmail(text);
  if (email === null) throw new Problem('invalid-body', 'Path "email": not an e-mail address');
  return email;
}
