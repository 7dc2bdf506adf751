// /operator/organisations/:id/tokens: support lists the tokens of an organisation, switches them and deletes them, whatever its plan.
import { Hono } from 'hono/tiny';
import { causeOf } from '../activity/cause.ts';
import { OPERATOR } from '../activity/events.ts';
import { strictBody } from '../http/body.ts';
import { Problem } from '../http/problem.ts';
import { changeToken, deleteToken } from '../token/deeds.ts';
import { listTokens } from '../token/store.ts';
import type { OperatorEnv } from './access.ts';
import { SwitchBody } from './schemas.ts';

export const tokens = new Hono<OperatorEnv>()
  .get('/organisations/:id/tokens', async (c) => {
    const organisationId = c.req.param('id');
    const listed = await listTokens(c.var.db, { organisationId, email: null });
    if (!listed.ok) throw new Problem(listed.reason);
    return c.json({ tokens: listed.tokens }, 200);
  })
  .patch('/organisations/:id/tokens/:token', strictBody(SwitchBody), async (c) => {
    const { call } = c.env;
    const organisationId = c.req.param('id');
    const changed = await changeToken(
      c.var.db,
      call.deployment.publish,
      { organisationId, email: null },
      c.req.param('token'),
      { active: c.req.valid('json').active },
      causeOf(call, OPERATOR),
    );
    if (!changed.ok) {
      // Only a change of limits can be refused so.
      if (changed.reason === 'wider' || changed.reason === 'past')
        throw new Error(`a switch was refused as ${changed.reason}`);
      throw new Problem(changed.reason);
    }
    call.note({ tokenId: changed.token.id });
    return c.json({ token: changed.token, effectiveAt: changed.effectiveAt }, 200);
  })
  .delete('/organisations/:id/tokens/:token', async (c) => {
    const { call } = c.env;
    const organisationId = c.req.param('id');
    const id = c.req.param('token');
    const deleted = await deleteToken(
      c.var.db,
      call.deployment.publish,
      { organisationId, email: null },
      id,
      causeOf(call, OPERATOR),
    );
    if (!deleted.ok) throw new Problem(deleted.reason);
    call.note({ tokenId: id });
    return c.json({ deleted: id, effectiveAt: deleted.effectiveAt }, 200);
  });
