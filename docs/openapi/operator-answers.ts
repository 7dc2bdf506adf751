// The answers of /operator: the schema of each, and the example that the documentation shows.
import {
  array,
  boolean,
  integer,
  literal,
  nullable,
  number,
  picklist,
  pipe,
  strictObject,
  variant,
} from 'valibot';
import type { InferInput } from 'valibot';
import { EXPOSED_BY } from '../../worker/activity/events.ts';
import { WAITING_COUNTED } from '../../worker/operator/schemas.ts';
import { WEBHOOK_STATES } from '../../worker/operator/webhook.ts';
import { ACCESS } from '../../worker/token/limits.ts';
import { UNTIL } from '../../worker/token/retirement.ts';
import { eachTable } from '../../worker/upkeep/expired.ts';
import { JURISDICTIONS } from '../../worker/verification/jurisdiction.ts';
import { REGIONS } from '../../worker/verification/region.ts';
import { count, instant, plan, text } from './answers.ts';

const version = nullable(pipe(number(), integer()));
export const registered = {
  id: text,
  name: text,
  plan,
  pausedAt: nullable(instant),
  version,
  createdAt: instant,
};
export const Organisation = strictObject(registered);
export const Member = strictObject({ email: text, createdAt: instant });
export const next = nullable(text);
export const Put = strictObject({ ...registered, effectiveAt: instant });
const preview = text;
const lastUsedAt = nullable(instant);
export const Token = strictObject({
  id: text,
  preview,
  name: nullable(text),
  active: boolean(),
  createdBy: text,
  createdAt: instant,
  lastUsedAt,
  expiresAt: nullable(instant),
  access: picklist(ACCESS),
  paths: array(text),
  networks: array(text),
  origins: array(text),
  pausedTogether: nullable(strictObject({ at: instant, by: text })),
  retiring: nullable(strictObject({ preview, retiresAt: instant, lastUsedAt, until: picklist(UNTIL) })),
  retired: array(strictObject({ preview, retiredAt: instant, lastUsedAt })),
  exposed: nullable(
    strictObject({
      at: instant,
      by: picklist(EXPOSED_BY),
      where: nullable(text),
      paused: boolean(),
    }),
  ),
});
export const Outcome = variant('outcome', [
  strictObject({
    id: text,
    outcome: picklist(['created', 'changed', 'unchanged']),
    organisation: Organisation,
  }),
  strictObject({ id: text, outcome: literal('stale-version'), version: count }),
]);
const Hub = strictObject({
  region: picklist([...REGIONS, ...JURISDICTIONS]),
  isReachable: boolean(),
  head: nullable(pipe(number(), integer())),
  ageMs: nullable(pipe(number(), integer())),
  startedAt: nullable(text),
});
export const Status = strictObject({
  version: strictObject({ id: text, tag: nullable(text), createdAt: text }),
  database: strictObject({
    kind: picklist(['d1', 'libsql']),
    bytes: count,
    reserveBytes: count,
    head: count,
  }),
  hubs: array(Hub),
  backlog: strictObject({
    ...eachTable(count),
    countedUpTo: count,
  }),
});

export const ORGANISATION: InferInput<typeof Organisation> = {
  id: 'acme',
  name: 'Acme Events',
  plan: 'enterprise',
  pausedAt: null,
  version: 3,
  createdAt: '2026-11-23T18:00:00.000Z',
};
export const MEMBER = { email: 'owner@example.com', createdAt: '2026-11-23T18:00:00.000Z' };
export const AT = '2026-11-23T18:00:01.000Z';
/** The token of the examples. */
export const TOKEN: InferInput<typeof Token> = {
  id: '3f1c9a52-8a8e-4d1c-9d55-6d1b4a2f0c11',
  preview: '9pW4k',
  name: 'Website',
  active: false,
  createdBy: 'owner@example.com',
  createdAt: '2026-11-23T18:00:00.000Z',
  lastUsedAt: null,
  expiresAt: null,
  access: 'full',
  paths: [],
  networks: [],
  origins: [],
  pausedTogether: null,
  retiring: null,
  retired: [],
  exposed: null,
};
export const STATUS: InferInput<typeof Status> = {
  version: { id: '1e9f4c0a-6c1d-4f0e-9a51-0d6f3f2b7c11', tag: null, createdAt: '2026-11-23T17:00:00.000Z' },
  database: { kind: 'd1', bytes: 412_884_992, reserveBytes: 4_194_304, head: 90_211 },
  hubs: [
    { region: 'weur', isReachable: true, head: 90_211, ageMs: 2140, startedAt: '2026-11-23T17:00:09.000Z' },
  ],
  backlog: {
    ...eachTable(0),
    signIns: 2,
    countedUpTo: 10_000,
  },
};
export const Webhook = strictObject({
  url: nullable(text),
  state: picklist(WEBHOOK_STATES),
  cursor: nullable(text),
  lag: strictObject({ events: count, countedUpTo: count, seconds: count }),
  failingSince: nullable(instant),
  lastError: nullable(strictObject({ at: instant, reason: text })),
  lastSuccessAt: nullable(instant),
  nextTryAt: nullable(instant),
});
export const WEBHOOK: InferInput<typeof Webhook> = {
  url: 'https://siem.example/hook',
  state: 'running',
  cursor: '4711',
  lag: { events: 0, countedUpTo: WAITING_COUNTED, seconds: 0 },
  failingSince: null,
  lastError: null,
  lastSuccessAt: '2026-11-23T17:59:00.000Z',
  nextTryAt: null,
};
export const EVENT = {
  id: '4711',
  at: '2026-11-23T18:00:00.000Z',
  actor: 'owner@example.com',
  action: 'token.deactivated',
  tokenId: '3f1c9a52-8a8e-4d1c-9d55-6d1b4a2f0c11',
  preview: '9pW4k',
  requestId: '9f0c2d5e7a1b4c3d',
  ip: '203.0.113.7',
  userAgent: 'Mozilla/5.0',
  detail: null,
  organisationId: 'acme',
};
