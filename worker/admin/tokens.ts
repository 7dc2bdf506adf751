// /api/organisations/:organisation: tokens, their use and the activity, for members who may open Developer Zone.
// The organisation is always the one in the path. A change is answered when it is true everywhere.
import { Hono } from 'hono';
import {
  boolean,
  maxLength,
  minLength,
  nullable,
  optional,
  pipe,
  regex,
  strictObject,
  string,
} from 'valibot';
import { causeOf } from '../activity/cause.ts';
import { ACTIONS } from '../activity/events.ts';
import { listEvents } from '../activity/store.ts';
import { readBody } from '../body.ts';
import { limit } from '../limit.ts';
import { TOKEN_LIMIT } from '../organisation/organisation.ts';
import { readAccess } from '../organisation/store.ts';
import { Problem } from '../problem.ts';
import { sha256Hex } from '../random.ts';
import { hashOfSecret, mintSecret, previewOfSecret, readTagKeyRing } from '../token/secret.ts';
import { changeToken, createToken, deleteToken, listTokens, listUsage } from '../token/store.ts';
import type { Creation, Place } from '../token/store.ts';
import { publish } from '../verification/publish.ts';
import { exportActivity } from './activity-export.ts';
import { requireSession } from './session.ts';
import type { AdminEnv } from './session.ts';
import type { Env } from '../env.ts';

const Name = nullable(
  pipe(
    string('not a string'),
    minLength(1, 'empty'),
    maxLength(50, 'longer than 50 characters'),
    // Control and formatting characters would let a name look like something else.
    regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+$/u, 'has a control character'),
  ),
);
const CreateBody = strictObject({ name: optional(Name) });
const ChangeBody = strictObject({ active: optional(boolean('not a boolean')), name: optional(Name) });
const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;
/** Two secrets of one organisation share a preview once in 238,000 draws. */
const DRAWS = 5;
const HOUR_MS = 60 * 60 * 1000;
const DAY_HOURS = 24;

export const tokens = new Hono<AdminEnv>()
  .use(requireSession)
  .get('/tokens', async (c) => {
    const listed = await listTokens(c.var.db, placeOf(c));
    if (!listed.ok) throw new Problem(listed.reason);
    return c.json({ tokens: listed.tokens, limit: TOKEN_LIMIT });
  })
  .post('/tokens', async (c) => {
    const place = placeOf(c);
    const key = c.req.header('idempotency-key');
    if (key !== undefined && !IDEMPOTENCY_KEY.test(key)) {
      throw new Problem('invalid-body', 'Header "Idempotency-Key": 1 to 255 visible ASCII characters');
    }
    const { name = null } = await readBody(c.req.raw, CreateBody);
    await limit(c.env.MUTATIONS_PER_ORGANISATION, place.organisationId);
    const idempotency =
      key === undefined ? null : { key, bodyHash: sha256Hex(JSON.stringify(name)), now: Date.now() };
    const cause = causeOf(c, place.email);
    for (let draw = 0; draw < DRAWS; draw++) {
      const secret = mint(c.env);
      const token = {
        id: crypto.randomUUID(),
        hash: hashOfSecret(secret),
        preview: previewOfSecret(secret),
        name,
      };
      const creation = await createToken(c.var.db, place, token, cause, idempotency);
      if (creation.ok) {
        c.header('location', `/api/organisations/${place.organisationId}/tokens/${creation.token.id}`);
        return c.json({ token: creation.token, secret }, 201);
      }
      if (creation.reason === 'repeated')
        return c.json({ token: repeatedToken(creation), secret: null }, 200);
      if (creation.reason !== 'preview-taken')
        throw new Problem(creation.reason, limitDetail(creation.reason));
    }
    throw new Error('no free preview in five draws');
  })
  .patch('/tokens/:token', async (c) => {
    const place = placeOf(c);
    const { active, name } = await readBody(c.req.raw, ChangeBody);
    if (active === undefined && name === undefined) {
      throw new Problem('invalid-body', 'Field "active" or "name": one of them is needed');
    }
    await limit(c.env.MUTATIONS_PER_ORGANISATION, place.organisationId);
    const changed = await changeToken(
      c.var.db,
      place,
      c.req.param('token'),
      { ...(active === undefined ? {} : { active }), ...(name === undefined ? {} : { name }) },
      causeOf(c, place.email),
    );
    if (!changed.ok) throw new Problem(changed.reason);
    // Also when the switch stood there already: another member's change may still be on its way.
    const { effectiveAt } =
      active === undefined
        ? { effectiveAt: new Date().toISOString() }
        : await publish(c.env, { seq: changed.seq, hashes: [changed.hash] });
    return c.json({ token: changed.token, effectiveAt });
  })
  .delete('/tokens/:token', async (c) => {
    const place = placeOf(c);
    const id = c.req.param('token');
    await limit(c.env.MUTATIONS_PER_ORGANISATION, place.organisationId);
    const deleted = await deleteToken(c.var.db, place, id, causeOf(c, place.email));
    if (!deleted.ok) throw new Problem(deleted.reason);
    const { effectiveAt } = await publish(c.env, { seq: deleted.seq, hashes: [deleted.hash] });
    return c.json({ deleted: id, effectiveAt });
  })
  .get('/usage', async (c) => {
    const place = placeOf(c);
    const access = await readAccess(c.var.db, place.organisationId, place.email);
    if (!access.ok) throw new Problem(access.reason);
    const hour = Math.floor(Date.now() / HOUR_MS);
    const usage: Record<string, { accepted: number[]; refused: number[] }> = {};
    for (const row of await listUsage(c.var.db, place, hour - DAY_HOURS)) {
      const hours = (usage[row.tokenId] ??= {
        accepted: Array<number>(DAY_HOURS).fill(0),
        refused: Array<number>(DAY_HOURS).fill(0),
      });
      const index = row.hour - (hour - DAY_HOURS) - 1;
      hours.accepted[index] = row.accepted;
      hours.refused[index] = row.refused;
    }
    return c.json({ usage, until: new Date((hour + 1) * HOUR_MS).toISOString() });
  })
  .get('/activity', async (c) => {
    const place = placeOf(c);
    const filter = filterOf(c.req.query());
    const access = await readAccess(c.var.db, place.organisationId, place.email);
    if (!access.ok) throw new Problem(access.reason);
    return c.json(await listEvents(c.var.db, place.organisationId, filter));
  })
  .get('/:file{activity\\.(?:csv|jsonl)}', async (c) => {
    const place = placeOf(c);
    const filter = filterOf(c.req.query());
    const access = await readAccess(c.var.db, place.organisationId, place.email);
    if (!access.ok) throw new Problem(access.reason);
    return exportActivity(
      c.var.db,
      place.organisationId,
      filter,
      c.req.path.endsWith('.csv') ? 'csv' : 'jsonl',
    );
  });

function placeOf(c: {
  req: { param(name: 'organisation'): string | undefined };
  var: AdminEnv['Variables'];
}): Place {
  return { organisationId: c.req.param('organisation') ?? '', email: c.var.session.email };
}

function mint(env: Env): string {
  const keys = readTagKeyRing(env.TAG_KEYS, env.TAG_KEY_CURRENT);
  if (!keys.ok) throw new Error(keys.reason);
  return mintSecret(keys.ring);
}

function repeatedToken(creation: Extract<Creation, { reason: 'repeated' }>) {
  if (!creation.sameBody) {
    throw new Problem('invalid-body', 'Header "Idempotency-Key": used before with another body');
  }
  if (creation.token === null)
    throw new Problem('token-not-found', 'The token of this Idempotency-Key was deleted');
  return creation.token;
}

function limitDetail(reason: string): string | undefined {
  return reason === 'token-limit-reached'
    ? `An organisation has at most ${TOKEN_LIMIT} tokens. Delete an existing token to create a new one.`
    : undefined;
}

function filterOf(query: Record<string, string>): { before?: number; action?: string; actor?: string } {
  const { before, action, actor } = query;
  if (before !== undefined && !/^\d{1,15}$/.test(before))
    throw new Problem('invalid-body', 'Query "before": no cursor');
  if (action !== undefined && !ACTIONS.some((known) => known === action)) {
    throw new Problem('invalid-body', 'Query "action": unknown');
  }
  if (actor !== undefined && actor.length > 254) throw new Problem('invalid-body', 'Query "actor": too long');
  return {
    ...(before === undefined ? {} : { before: Number(before) }),
    ...(action === undefined ? {} : { action }),
    ...(actor === undefined ? {} : { actor }),
  };
}
