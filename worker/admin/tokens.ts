// /api/organisations/:organisation/tokens, /still-calling and /usage, for members who may open Developer Zone. A change is answered when it is in
// effect everywhere. A secret is only in the answer to the call that made it.
import { Hono } from 'hono/tiny';
import type { Context } from 'hono';
import {
  array,
  boolean,
  maxLength,
  nullable,
  optional,
  picklist,
  pipe,
  rawTransform,
  regex,
  strictObject,
  string,
} from 'valibot';
import { causeOf } from '../activity/cause.ts';
import type { Cause } from '../activity/events.ts';
import { strictBody } from '../http/body.ts';
import { Problem } from '../http/problem.ts';
import { instantLike } from '../instant.ts';
import { TOKEN_NAME_LENGTH, nameOf } from '../name.ts';
import { TOKEN_LIMIT } from '../organisation/organisation.ts';
import { sha256Hex } from '../random.ts';
import { listStillCalling, readCalls, seriesOf } from '../token/calls.ts';
import {
  changeToken,
  createToken,
  deleteToken,
  endRetiring,
  replaceSecret,
  switchAllTokens,
} from '../token/deeds.ts';
import { ACCESS, MOST, readNetwork, readOrigin, readPath } from '../token/limits.ts';
import type { Entry } from '../token/limits.ts';
import { RETIRE } from '../token/retirement.ts';
import { PREVIEW } from '../token/secret.ts';
import { listTokens } from '../token/store.ts';
import { countResumable } from '../token/together.ts';
import type { Token } from '../token/store.ts';
import { listRefusedAddresses, listUsage } from '../token/usage.ts';
import { countChange, limitMutation, limitReads, requireAccess } from './access.ts';
import type { PlaceEnv } from './access.ts';

const Name = nullable(nameOf(TOKEN_NAME_LENGTH));
const ExpiresAt = nullable(instantLike('2030-01-31T23:00:00Z (RFC 3339)'));
const TokenAccess = picklist(ACCESS, `not one of ${ACCESS.join(', ')}`);
const Paths = listOf(readPath, MOST.paths);
const Networks = listOf(readNetwork, MOST.networks);
const Origins = listOf(readOrigin, MOST.origins);
const CreateBody = strictObject({
  name: optional(Name, null),
  expiresAt: optional(ExpiresAt, null),
  access: optional(TokenAccess, 'full'),
  paths: optional(Paths, []),
  networks: optional(Networks, []),
  origins: optional(Origins, []),
});
const ChangeBody = strictObject({
  active: optional(boolean('not a boolean')),
  name: optional(Name),
  expiresAt: optional(ExpiresAt),
  access: optional(TokenAccess),
  paths: optional(Paths),
  networks: optional(Networks),
  origins: optional(Origins),
});
/** The preview of the secret that the member means. Nothing is changed if another secret has taken its place. */
const Preview = pipe(string('not a string'), regex(PREVIEW, 'not the first five characters of a token'));
const RotateBody = strictObject({
  retire: picklist(RETIRE, `not one of ${RETIRE.join(', ')}`),
  preview: optional(Preview),
});
const RetireBody = strictObject({ preview: optional(Preview) });
const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;
const HOUR_MS = 60 * 60 * 1000;
const DAY_HOURS = 24;

export const tokens = new Hono<PlaceEnv>()
  .get('/tokens', async (c) => {
    const listed = await listTokens(c.var.db, c.var.place);
    if (!listed.ok) throw new Problem(listed.reason);
    return c.json({ tokens: listed.tokens, limit: TOKEN_LIMIT }, 200);
  })
  // A repeat with the same Idempotency-Key makes no second token. It is answered 200 with the token and `secret: null`, or 422 if
  // its body is another. A key belongs to one member in one organisation, for a day.
  .post('/tokens', requireAccess, strictBody(CreateBody), async (c) => {
    await limitMutation(c, false);
    const { place, db } = c.var;
    const body = c.req.valid('json');
    const idempotency = idempotencyOf(c, body);
    const cause = causeOf(c.env.call, place.email);
    await countChange(c, 'change');
    await countChange(c, 'creation');
    const created = await createToken(
      db,
      c.env.call.deployment.settings.tagKeys,
      place,
      body,
      cause,
      idempotency,
    );
    if (created.ok) {
      const { token, secret } = created;
      c.env.call.note({ tokenId: token.id });
      c.header('location', `/api/organisations/${place.organisationId}/tokens/${token.id}`);
      return c.json({ token, secret }, 201);
    }
    if (created.reason === 'repeated') return c.json({ token: repeatedToken(created), secret: null }, 200);
    if (created.reason === 'past') throw pastProblem(cause);
    throw new Problem(created.reason, limitDetail(created.reason));
  })
  .patch('/tokens/:token', requireAccess, strictBody(ChangeBody), async (c) => {
    const { place, db } = c.var;
    const change = withoutUndefined(c.req.valid('json'));
    const fields = Object.keys(change);
    const isOff = change.active === false && fields.length === 1;
    await limitMutation(c, isOff);
    if (fields.length === 0) {
      throw new Problem('invalid-body', `One field is needed: ${Object.keys(ChangeBody.entries).join(', ')}`);
    }
    const cause = causeOf(c.env.call, place.email);
    if (!isOff) await countChange(c, 'change');
    const changed = await changeToken(
      db,
      c.env.call.deployment.publish,
      place,
      c.req.param('token'),
      change,
      cause,
    );
    if (!changed.ok) {
      if (changed.reason === 'past') throw pastProblem(cause);
      if (changed.reason !== 'wider') throw new Problem(changed.reason);
      throw new Problem('invalid-body', `Field "${changed.field}": can only be narrowed`);
    }
    c.env.call.note({ tokenId: changed.token.id });
    return c.json({ token: changed.token, effectiveAt: changed.effectiveAt }, 200);
  })
  .delete('/tokens/:token', requireAccess, async (c) => {
    await limitMutation(c, true);
    const { place, db } = c.var;
    const id = c.req.param('token');
    const deleted = await deleteToken(
      db,
      c.env.call.deployment.publish,
      place,
      id,
      causeOf(c.env.call, place.email),
    );
    if (!deleted.ok) throw new Problem(deleted.reason);
    c.env.call.note({ tokenId: id });
    return c.json({ deleted: id, effectiveAt: deleted.effectiveAt }, 200);
  })
  // Works at ten tokens, and for an inactive token, which stays inactive. A repeat with the same Idempotency-Key is answered as above.
  .post('/tokens/:token/rotate', requireAccess, strictBody(RotateBody), async (c) => {
    await limitMutation(c, false);
    const { place, db } = c.var;
    const id = c.req.param('token');
    const body = c.req.valid('json');
    const idempotency = idempotencyOf(c, { rotate: id, ...body });
    await countChange(c, 'change');
    await countChange(c, 'creation');
    const replaced = await replaceSecret(
      db,
      c.env.call.deployment.publish,
      c.env.call.deployment.settings.tagKeys,
      place,
      id,
      { retire: body.retire, expected: body.preview ?? null },
      causeOf(c.env.call, place.email),
      idempotency,
    );
    if (replaced.ok) {
      const { token, secret, effectiveAt } = replaced;
      c.env.call.note({ tokenId: id });
      return c.json({ token, secret, effectiveAt }, 201);
    }
    if (replaced.reason === 'repeated') {
      return c.json({ token: repeatedToken(replaced), secret: null, effectiveAt: replaced.effectiveAt }, 200);
    }
    if (replaced.reason !== 'secret-changed') throw new Problem(replaced.reason);
    throw new Problem(
      replaced.reason,
      replaced.isLate
        ? 'The value of this token was replaced less than 15 seconds ago'
        : `Field "preview": the current value begins with ${replaced.preview}`,
    );
  })
  .post('/tokens/:token/retire', requireAccess, strictBody(RetireBody), async (c) => {
    await limitMutation(c, true);
    const { place, db } = c.var;
    const id = c.req.param('token');
    const { preview } = c.req.valid('json');
    const ended = await endRetiring(
      db,
      c.env.call.deployment.publish,
      place,
      id,
      preview ?? null,
      causeOf(c.env.call, place.email),
    );
    if (ended.ok) {
      c.env.call.note({ tokenId: id });
      return c.json({ token: ended.token, effectiveAt: ended.effectiveAt }, 200);
    }
    if (ended.reason !== 'secret-changed') throw new Problem(ended.reason);
    throw new Problem(
      ended.reason,
      ended.preview === null
        ? 'Field "preview": no value of this token was replaced'
        : `Field "preview": the value that was replaced last begins with ${ended.preview}`,
    );
  })
  .get('/tokens/:token/calls', limitReads, async (c) => {
    const { db, place } = c.var;
    const id = c.req.param('token');
    const read = await readCalls(db, place, id, Date.now());
    if (!read.ok) throw new Problem(read.reason);
    c.env.call.note({ tokenId: id });
    return c.json(read.calls, 200);
  })
  .get('/still-calling', limitReads, async (c) => {
    const { db, place } = c.var;
    const listed = await listStillCalling(db, place, Date.now());
    if (!listed.ok) throw new Problem(listed.reason);
    return c.json({ stillCalling: listed.stillCalling }, 200);
  })
  .post('/tokens/pause', requireAccess, async (c) => {
    await limitMutation(c, true);
    return c.json(await switchAll(c, false), 200);
  })
  .post('/tokens/resume', requireAccess, async (c) => {
    await limitMutation(c, false);
    // Each token counts, as if it were switched on alone.
    await countChange(c, 'change', Math.max(1, await countResumable(c.var.db, c.var.place.organisationId)));
    return c.json(await switchAll(c, true), 200);
  })
  .get('/usage', requireAccess, async (c) => {
    const now = Date.now();
    const hour = Math.floor(now / HOUR_MS);
    const rows = await listUsage(c.var.db, c.var.place, hour - DAY_HOURS);
    const usage = Object.entries(Object.groupBy(rows, ({ tokenId }) => tokenId)).map(
      ([tokenId, ofToken = []]) => [tokenId, seriesOf(ofToken, hour, DAY_HOURS)] as const,
    );
    const refused = await listRefusedAddresses(c.var.db, c.var.place, now);
    return c.json(
      {
        usage: Object.fromEntries(usage),
        until: new Date((hour + 1) * HOUR_MS).toISOString(),
        refusedAddresses: refused,
      },
      200,
    );
  });

async function switchAll(c: Context<PlaceEnv>, active: boolean) {
  const { place, db } = c.var;
  const { publish } = c.env.call.deployment;
  const switched = await switchAllTokens(db, publish, place, active, causeOf(c.env.call, place.email));
  if (!switched.ok) throw new Problem(switched.reason);
  return { tokens: switched.tokens, effectiveAt: switched.effectiveAt };
}

/** A list of entries, each once and in the order of the alphabet. `read` says what is wrong with an entry. */
function listOf(read: (text: string) => Entry, most: number) {
  return pipe(
    array(string('not a string'), 'not a list'),
    maxLength(most, `more than ${most}`),
    rawTransform(({ dataset, addIssue, NEVER }) => {
      const kept = new Set<string>();
      for (const text of dataset.value) {
        const entry = read(text);
        if (!entry.ok) {
          addIssue({ message: entry.wrong });
          return NEVER;
        }
        kept.add(entry.value);
      }
      return [...kept].toSorted();
    }),
  );
}

function pastProblem({ at }: Cause): Problem {
  return new Problem('invalid-body', `Field "expiresAt": in the past (now it is ${at})`);
}

/** The fields that were given. */
function withoutUndefined<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  // An entry that is undefined is left out.
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

/** `body`: the output of the schema, so that defaults are filled in and the fields have one order. */
function idempotencyOf(c: Context<PlaceEnv>, body: object) {
  const key = c.req.header('idempotency-key');
  if (key === undefined) return null;
  if (!IDEMPOTENCY_KEY.test(key)) {
    throw new Problem('invalid-body', 'Header "Idempotency-Key": 1 to 255 visible ASCII characters');
  }
  return { key, bodyHash: sha256Hex(JSON.stringify(body)), now: Date.now() };
}

function repeatedToken(repeated: { token: Token | null; sameBody: boolean }): Token {
  if (!repeated.sameBody) {
    throw new Problem('invalid-body', 'Header "Idempotency-Key": used before with another body');
  }
  if (repeated.token === null)
    throw new Problem('token-not-found', 'The token of this Idempotency-Key was deleted');
  return repeated.token;
}

function limitDetail(reason: string): string | undefined {
  return reason === 'token-limit-reached'
    ? `An organisation has at most ${TOKEN_LIMIT} tokens. Delete an existing token to create a new one.`
    : undefined;
}
