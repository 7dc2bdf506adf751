// The tables of migrations/ for Drizzle, column by column. Constraints and triggers are only in the SQL. A test compares the columns
// with PRAGMA table_info.
import { blob, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { EXPOSED_BY } from './activity/events.ts';
import { PLANS } from './organisation/organisation.ts';
import { METHOD_NAMES } from './sign-in/names.ts';
import { ACCESS } from './token/limits.ts';
import { ENDINGS, UNTIL } from './token/retirement.ts';

export const organisations = sqliteTable('organisations', {
  id: text().primaryKey(),
  name: text().notNull(),
  plan: text({ enum: PLANS }).notNull(),
  version: integer(),
  createdAt: text('created_at').notNull(),
  planChangedAt: text('plan_changed_at'),
  pausedAt: text('paused_at'),
});

export const members = sqliteTable(
  'members',
  {
    email: text().notNull(),
    organisationId: text('organisation_id').notNull(),
    createdAt: text('created_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.email, table.organisationId] })],
);

export const tokens = sqliteTable('tokens', {
  id: text().primaryKey(),
  organisationId: text('organisation_id').notNull(),
  hash: text().notNull(),
  preview: text().notNull(),
  name: text(),
  active: integer({ mode: 'boolean' }).notNull(),
  createdBy: text('created_by').notNull(),
  createdAt: text('created_at').notNull(),
  lastUsedAt: text('last_used_at'),
  expiresAt: text('expires_at'),
  access: text({ enum: ACCESS }).notNull().default('full'),
  paths: text({ mode: 'json' }).$type<string[]>().notNull().default([]),
  networks: text({ mode: 'json' }).$type<string[]>().notNull().default([]),
  origins: text({ mode: 'json' }).$type<string[]>().notNull().default([]),
  exposedAt: text('exposed_at'),
  exposedBy: text('exposed_by', { enum: EXPOSED_BY }),
  exposedWhere: text('exposed_where'),
  exposedPaused: integer('exposed_paused', { mode: 'boolean' }).notNull().default(false),
  pausedTogetherAt: text('paused_together_at'),
  pausedTogetherBy: text('paused_together_by'),
});

export const replacedSecrets = sqliteTable('replaced_secrets', {
  hash: text().primaryKey(),
  tokenId: text('token_id').notNull(),
  organisationId: text('organisation_id').notNull(),
  preview: text().notNull(),
  replacedAt: text('replaced_at').notNull(),
  retiresAt: text('retires_at').notNull(),
  until: text({ enum: UNTIL }).notNull(),
  retiredAt: text('retired_at'),
  lastUsedAt: text('last_used_at'),
  successorUsedAt: text('successor_used_at'),
});

export const expiryWarnings = sqliteTable(
  'expiry_warnings',
  {
    tokenId: text('token_id').notNull(),
    expiresAt: text('expires_at').notNull(),
    days: integer().notNull(),
    dueAt: text('due_at').notNull(),
    setAt: text('set_at').notNull(),
    givenBy: text('given_by'),
  },
  (table) => [primaryKey({ columns: [table.tokenId, table.expiresAt, table.days] })],
);

/** The queue of the release before migration 0015_mails.sql. It is empty, and takes no row. */
export const expiryMails = sqliteTable(
  'expiry_mails',
  {
    organisationId: text('organisation_id').notNull(),
    email: text().notNull(),
    run: text().notNull(),
    queuedAt: text('queued_at').notNull(),
    dueAt: text('due_at'),
    tries: integer().notNull(),
  },
  (table) => [primaryKey({ columns: [table.organisationId, table.email, table.run] })],
);

export const mailProgress = sqliteTable('mail_progress', {
  id: integer().primaryKey(),
  eventId: integer('event_id').notNull(),
});

export const notices = sqliteTable('notices', {
  id: integer().primaryKey(),
  organisationId: text('organisation_id').notNull(),
  kind: text().notNull(),
  recipient: text().notNull(),
  firstEvent: integer('first_event').notNull(),
  lastEvent: integer('last_event').notNull(),
  events: integer().notNull(),
  begunAt: text('begun_at').notNull(),
  turnAt: text('turn_at'),
  closedAt: text('closed_at').notNull(),
  queuedTo: text('queued_to').notNull(),
});

export const mails = sqliteTable(
  'mails',
  {
    noticeId: integer('notice_id').notNull(),
    email: text().notNull(),
    organisationId: text('organisation_id').notNull(),
    dueAt: text('due_at'),
    tries: integer().notNull(),
  },
  (table) => [primaryKey({ columns: [table.noticeId, table.email] })],
);

export const changes = sqliteTable('changes', {
  seq: integer().primaryKey({ autoIncrement: true }),
  tokenHash: text('token_hash').notNull(),
  nonce: text().notNull(),
  at: text().notNull(),
});

export const tokenUsage = sqliteTable(
  'token_usage',
  {
    tokenId: text('token_id').notNull(),
    hour: integer().notNull(),
    accepted: integer().notNull(),
    refused: integer().notNull(),
  },
  (table) => [primaryKey({ columns: [table.tokenId, table.hour] })],
);

export const callers = sqliteTable(
  'callers',
  {
    tokenId: text('token_id').notNull(),
    day: integer().notNull(),
    hash: text().notNull(),
    network: integer().notNull(),
    country: text().notNull(),
    agent: text().notNull(),
    networkName: text('network_name').notNull(),
    accepted: integer().notNull(),
    refused: integer().notNull(),
    lastAt: text('last_at').notNull(),
  },
  (table) => [
    primaryKey({
      columns: [table.tokenId, table.day, table.hash, table.network, table.country, table.agent],
    }),
  ],
);

export const refusalReasons = sqliteTable(
  'refusal_reasons',
  {
    tokenId: text('token_id').notNull(),
    hour: integer().notNull(),
    reason: text().notNull(),
    calls: integer().notNull(),
  },
  (table) => [primaryKey({ columns: [table.tokenId, table.hour, table.reason] })],
);

export const tombstones = sqliteTable('tombstones', {
  hash: text().primaryKey(),
  tokenId: text('token_id').notNull(),
  organisationId: text('organisation_id').notNull(),
  preview: text().notNull(),
  name: text(),
  kind: text({ enum: ENDINGS }).notNull(),
  endedAt: text('ended_at').notNull(),
  endedBy: text('ended_by'),
  calledAt: text('called_at'),
});

export const refusedAddresses = sqliteTable(
  'refused_addresses',
  {
    tokenId: text('token_id').notNull(),
    address: text().notNull(),
    at: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.tokenId, table.address] })],
);

export const events = sqliteTable('events', {
  id: integer().primaryKey({ autoIncrement: true }),
  at: text().notNull(),
  organisationId: text('organisation_id'),
  actor: text().notNull(),
  action: text().notNull(),
  tokenId: text('token_id'),
  preview: text(),
  requestId: text('request_id').notNull(),
  ip: text(),
  userAgent: text('user_agent'),
  detail: text(),
});

export const sessions = sqliteTable('sessions', {
  hash: text().primaryKey(),
  id: text().notNull(),
  email: text().notNull(),
  method: text({ enum: METHOD_NAMES }).notNull(),
  createdAt: integer('created_at').notNull(),
  seenAt: integer('seen_at').notNull(),
  expiresAt: integer('expires_at').notNull(),
  userAgent: text('user_agent'),
});

export const signIns = sqliteTable('sign_ins', {
  hash: text().primaryKey(),
  browserHash: text('browser_hash').notNull(),
  email: text(),
  nonce: text(),
  codeVerifier: text('code_verifier'),
  returnTo: text('return_to'),
  expiresAt: integer('expires_at').notNull(),
  client: text(),
});

export const dailyCounts = sqliteTable(
  'daily_counts',
  {
    subject: text().notNull(),
    kind: text({ enum: ['change', 'creation', 'refusal', 'sign-in', 'link'] }).notNull(),
    day: integer().notNull(),
    count: integer().notNull(),
  },
  (table) => [primaryKey({ columns: [table.subject, table.kind] })],
);

export const identities = sqliteTable(
  'identities',
  {
    issuer: text().notNull(),
    email: text().notNull(),
    subject: text().notNull(),
    createdAt: text('created_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.issuer, table.email] })],
);

export const idempotencyKeys = sqliteTable(
  'idempotency_keys',
  {
    organisationId: text('organisation_id').notNull(),
    actor: text().notNull(),
    key: text().notNull(),
    bodyHash: text('body_hash').notNull(),
    tokenId: text('token_id').notNull(),
    createdAt: integer('created_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.organisationId, table.actor, table.key] })],
);

export const githubKeys = sqliteTable('github_keys', {
  id: integer().primaryKey(),
  url: text().notNull(),
  askedAt: integer('asked_at').notNull(),
  toldAt: integer('told_at').notNull(),
  keys: text({ mode: 'json' }).$type<Record<string, string>>().notNull(),
});

export const eventRetention = sqliteTable('event_retention', {
  id: integer().primaryKey(),
  days: integer(),
});

export const webhook = sqliteTable('webhook', {
  id: integer().primaryKey(),
  urlHash: text('url_hash').notNull(),
  cursor: integer().notNull(),
  holder: text(),
  heldUntil: text('held_until'),
  failures: integer().notNull().default(0),
  failingSince: text('failing_since'),
  nextTryAt: text('next_try_at'),
  stoppedAt: text('stopped_at'),
  lastSuccessAt: text('last_success_at'),
  lastError: text('last_error'),
  lastErrorAt: text('last_error_at'),
});

export const deployment = sqliteTable('deployment', {
  id: integer().primaryKey(),
  hubs: text().notNull(),
});

export const reserve = sqliteTable('reserve', {
  id: integer().primaryKey(),
  filling: blob().notNull(),
});
