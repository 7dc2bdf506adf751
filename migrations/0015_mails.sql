-- Mails about events: each member is told what happened, at most once a minute for each organisation and kind.

-- The last event that was looked at. What happened before this migration is not mailed.
CREATE TABLE mail_progress (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  event_id INTEGER NOT NULL
) STRICT;
INSERT INTO mail_progress (id, event_id) SELECT 1, coalesce(max(id), 0) FROM events;

-- What one mail to each member tells: the events of one organisation and one action, from the first to the last. Events are added
-- until the mails are queued.
CREATE TABLE notices (
  id INTEGER PRIMARY KEY,
  organisation_id TEXT NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  -- The action of the events.
  kind TEXT NOT NULL,
  -- The only member who gets a mail. Empty: every member.
  recipient TEXT NOT NULL,
  first_event INTEGER NOT NULL,
  last_event INTEGER NOT NULL,
  -- How many events there are.
  events INTEGER NOT NULL,
  begun_at TEXT NOT NULL,
  -- When mails are queued next, some members at a time. NULL: all are queued.
  turn_at TEXT,
  -- When the first mails were queued. Empty: none yet, so that events are still added.
  closed_at TEXT NOT NULL DEFAULT '',
  -- The mails are queued up to this member, in the order of addresses.
  queued_to TEXT NOT NULL DEFAULT '',
  UNIQUE (organisation_id, kind, recipient, closed_at)
) STRICT;
CREATE INDEX notices_by_turn ON notices (turn_at) WHERE turn_at IS NOT NULL;
CREATE INDEX notices_by_age ON notices (begun_at);

-- The mails that wait: one for each notice and member. Removed when sent.
CREATE TABLE mails (
  notice_id INTEGER NOT NULL REFERENCES notices (id) ON DELETE CASCADE,
  email TEXT NOT NULL,
  organisation_id TEXT NOT NULL,
  -- When it is tried next. NULL: a run has taken it, and no other run takes it.
  due_at TEXT,
  tries INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (notice_id, email),
  FOREIGN KEY (email, organisation_id) REFERENCES members (email, organisation_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX mails_by_time ON mails (due_at) WHERE due_at IS NOT NULL;
-- For the foreign key: otherwise the removal of a member would read every mail.
CREATE INDEX mails_by_member ON mails (email, organisation_id);

-- The mail about a deleted token has its name from here.
CREATE INDEX tombstones_by_token ON tombstones (token_id);

-- The mails about ending tokens that wait go on in the new tables.
INSERT INTO notices (organisation_id, kind, recipient, first_event, last_event, events, begun_at, turn_at, closed_at) SELECT waiting.organisation_id, 'token.expiring', '', min(events.id), max(events.id), count(*), waiting.queued_at, NULL, waiting.queued_at FROM (SELECT DISTINCT organisation_id, run, queued_at FROM expiry_mails) AS waiting JOIN events ON events.organisation_id = waiting.organisation_id AND events.action = 'token.expiring' AND events.request_id = waiting.run GROUP BY waiting.organisation_id, waiting.run;
INSERT INTO mails (notice_id, email, organisation_id, due_at, tries) SELECT notices.id, expiry_mails.email, expiry_mails.organisation_id, expiry_mails.due_at, expiry_mails.tries FROM expiry_mails JOIN notices ON notices.organisation_id = expiry_mails.organisation_id JOIN events ON events.id = notices.first_event AND events.request_id = expiry_mails.run;
DELETE FROM expiry_mails;
DROP INDEX expiry_mails_by_time;
DROP INDEX expiry_mails_by_age;
-- The Worker of the release before may still run, or run again. It finds its table, and queues nothing there: its warnings are events,
-- which the present Worker mails. So no warning is mailed twice.
CREATE TRIGGER expiry_mails_moved BEFORE INSERT ON expiry_mails BEGIN SELECT RAISE (IGNORE); END;
