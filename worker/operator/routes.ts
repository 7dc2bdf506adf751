// /operator: the routes of the platform (billing, provisioning). All calls are idempotent: a call whose answer was lost is completed
// by a repeat. A change of plan, and a deletion, is answered when it is in effect everywhere.
import { Hono } from 'hono/tiny';
import type { Context } from 'hono';
import { causeOf } from '../activity/cause.ts';
import { OPERATOR } from '../activity/events.ts';
import { strictBody } from '../http/body.ts';
import { Problem } from '../http/problem.ts';
import { finishRoutes } from '../http/route-group.ts';
import { normaliseEmail } from '../organisation/email.ts';
import { addMember, listMembers, removeMember } from '../organisation/members.ts';
import { ORGANISATION_ID, TOKEN_LIMIT } from '../organisation/organisation.ts';
import { deleteOrganisation, pauseOrganisation, putOrganisations } from '../organisation/deeds.ts';
import { listOrganisations, readRegistered } from '../organisation/register.ts';
import { pushAfterChange } from '../upkeep/push.ts';
import { movePush, testReceiver } from '../webhook/deeds.ts';
import { requireOperator } from './access.ts';
import type { OperatorEnv } from './access.ts';
import { exportEvents } from './events.ts';
import { listingOf, membersQueryOf, spanOf } from './query.ts';
import { BULK_KIB, ID_FORM, OrganisationBody, OrganisationsBody, WebhookBody } from './schemas.ts';
import { readStatus } from './status.ts';
import { tokens } from './tokens.ts';
import { WEBHOOK_OFF, readWebhookStatus } from './webhook.ts';

export const operator = finishRoutes(
  new Hono<OperatorEnv>()
    .basePath('/operator')
    .use(requireOperator)
    .use(async (c, next) => {
      c.set('db', await c.env.call.deployment.openDatabase());
      await next();
      c.header('cache-control', 'no-store');
    })
    .use('/organisations/:id/*', async (c, next) => {
      await next();
      // Only now is the id that of a row, and not a text of the caller.
      const organisationId = c.req.param('id');
      if (ORGANISATION_ID.test(organisationId)) c.env.call.note({ organisationId });
    })
    .get('/status', async (c) => c.json(await readStatus(c.env.call.deployment, c.var.db), 200))
    .get('/events', (c) => exportEvents(c.var.db, spanOf(c)))
    .get('/webhook', async (c) =>
      c.json(await readWebhookStatus(c.env.call.deployment, c.var.db, Date.now()), 200),
    )
    .patch('/webhook', strictBody(WebhookBody), async (c) => {
      const { call } = c.env;
      const cursor = Number(c.req.valid('json').cursor);
      const { webhook } = call.deployment.settings;
      if (webhook === null) throw new Problem('invalid-body', `Field "cursor": ${WEBHOOK_OFF}`);
      const moved = await movePush(c.var.db, webhook.urlHash, causeOf(call, OPERATOR), cursor);
      if (!moved.ok) throw new Problem('invalid-body', 'Field "cursor": above the newest event');
      return c.json(await readWebhookStatus(call.deployment, c.var.db, Date.now()), 200);
    })
    .post('/webhook/test', async (c) => {
      const { call } = c.env;
      const { webhook } = call.deployment.settings;
      const tested =
        webhook === null
          ? { ok: false, reason: WEBHOOK_OFF }
          : await testReceiver(c.var.db, webhook, Date.now());
      // What waits is sent at once, although the test itself is not on record.
      if (tested.ok) call.waitUntil(pushAfterChange(call.deployment));
      return c.json({ isDelivered: tested.ok, reason: tested.reason }, 200);
    })
    .get('/organisations', async (c) => c.json(await listOrganisations(c.var.db, listingOf(c)), 200))
    .put('/organisations', strictBody(OrganisationsBody, BULK_KIB), async (c) => {
      const [first, ...more] = c.req.valid('json').organisations;
      // The schema has asked for one at least.
      if (first === undefined) throw new Problem('invalid-body', 'Field "organisations": empty');
      return c.json(
        await putOrganisations(
          c.var.db,
          c.env.call.deployment.publish,
          [first, ...more],
          causeOf(c.env.call, OPERATOR),
        ),
        200,
      );
    })
    .put('/organisations/:id', strictBody(OrganisationBody), async (c) => {
      const id = c.req.param('id');
      if (!ORGANISATION_ID.test(id)) throw new Problem('invalid-body', `Path "id": ${ID_FORM}`);
      const wanted = { id, ...c.req.valid('json') };
      const { outcomes, effectiveAt } = await putOrganisations(
        c.var.db,
        c.env.call.deployment.publish,
        [wanted],
        causeOf(c.env.call, OPERATOR),
      );
      const [put] = outcomes;
      if (put === undefined) throw new Error('an organisation that was put has no outcome');
      if (put.outcome === 'stale-version') {
        throw new Problem(put.outcome, `Version ${put.version} was applied before`);
      }
      return c.json({ ...put.organisation, effectiveAt }, put.outcome === 'created' ? 201 : 200);
    })
    .get('/organisations/:id', async (c) => {
      const organisation = await readRegistered(c.var.db, c.req.param('id'));
      if (organisation === null) throw new Problem('organisation-not-found');
      return c.json({ ...organisation, tokens: { ...organisation.tokens, limit: TOKEN_LIMIT } }, 200);
    })
    .delete('/organisations/:id', async (c) => {
      const id = c.req.param('id');
      const { effectiveAt } = await deleteOrganisation(
        c.var.db,
        c.env.call.deployment.publish,
        id,
        causeOf(c.env.call, OPERATOR),
      );
      return c.json({ deleted: id, effectiveAt }, 200);
    })
    .post('/organisations/:id/pause', async (c) => c.json(await setPause(c, true), 200))
    .post('/organisations/:id/resume', async (c) => c.json(await setPause(c, false), 200))
    .route('/', tokens)
    .get('/organisations/:id/members', async (c) => {
      const listed = await listMembers(c.var.db, c.req.param('id'), membersQueryOf(c).after);
      if (!listed.ok) throw new Problem(listed.reason);
      return c.json({ members: listed.members, next: listed.next }, 200);
    })
    .put('/organisations/:id/members/:email', async (c) => {
      const outcome = await addMember(
        c.var.db,
        c.req.param('id'),
        emailOf(c.req.param('email')),
        causeOf(c.env.call, OPERATOR),
      );
      if (!outcome.ok) throw new Problem(outcome.reason);
      return c.json(outcome.member, outcome.added ? 201 : 200);
    })
    .delete('/organisations/:id/members/:email', async (c) => {
      const email = emailOf(c.req.param('email'));
      const outcome = await removeMember(c.var.db, c.req.param('id'), email, causeOf(c.env.call, OPERATOR));
      if (!outcome.ok) throw new Problem(outcome.reason);
      return c.json({ deleted: email }, 200);
    }),
);

async function setPause(c: Context<OperatorEnv, '/organisations/:id/*'>, isPaused: boolean) {
  const { call } = c.env;
  const id = c.req.param('id');
  const cause = causeOf(call, OPERATOR);
  const paused = await pauseOrganisation(c.var.db, call.deployment.publish, id, isPaused, cause);
  if (!paused.ok) throw new Problem(paused.reason);
  return { ...paused.organisation, effectiveAt: paused.effectiveAt };
}

function emailOf(text: string): string {
  const email = normaliseEmail(text);
  if (email === null) throw new Problem('invalid-body', 'Path "email": not an e-mail address');
  return email;
}

export type OperatorApi = typeof operator;
