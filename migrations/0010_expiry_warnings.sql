-- The warnings before the end of a token: 30, 7 and 1 days before it.
-- Each trigger stands on one line: remote D1 refuses others.

-- A row for each warning that is to come or was given. The key is why no warning is given twice.
CREATE TABLE expiry_warnings (
  token_id TEXT NOT NULL REFERENCES tokens (id) ON DELETE CASCADE,
  -- The end that it warns of, as in the token at that time.
  expires_at TEXT NOT NULL,
  days INTEGER NOT NULL CHECK (days IN (30, 7, 1)),
  due_at TEXT NOT NULL,
  -- When this end was set. A warning that was due before it is never given.
  set_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
  -- The run that gave it: the request id of its event. NULL while it is to come.
  given_by TEXT,
  PRIMARY KEY (token_id, expires_at, days)
) STRICT, WITHOUT ROWID;
CREATE INDEX expiry_warnings_by_time ON expiry_warnings (due_at) WHERE given_by IS NULL;
CREATE INDEX expiry_warnings_by_end ON expiry_warnings (expires_at);

-- The triggers plan the warnings of every new end, also of one that is set at the SQL prompt. They delete the warnings of the earlier end
-- that were not given yet.
CREATE TRIGGER tokens_end_set AFTER INSERT ON tokens WHEN NEW.expires_at IS NOT NULL BEGIN INSERT INTO expiry_warnings (token_id, expires_at, days, due_at) SELECT NEW.id, NEW.expires_at, value, strftime('%Y-%m-%dT%H:%M:%fZ', NEW.expires_at, '-' || value || ' days') FROM json_each('[30,7,1]'); END;
CREATE TRIGGER tokens_end_moved AFTER UPDATE OF expires_at ON tokens WHEN OLD.expires_at IS NOT NEW.expires_at BEGIN DELETE FROM expiry_warnings WHERE token_id = NEW.id AND given_by IS NULL; INSERT INTO expiry_warnings (token_id, expires_at, days, due_at) SELECT NEW.id, NEW.expires_at, value, strftime('%Y-%m-%dT%H:%M:%fZ', NEW.expires_at, '-' || value || ' days') FROM json_each('[30,7,1]') WHERE NEW.expires_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM expiry_warnings WHERE token_id = NEW.id AND expires_at = NEW.expires_at AND days = value); END;
INSERT INTO expiry_warnings (token_id, expires_at, days, due_at, set_at) SELECT tokens.id, expires_at, value, strftime('%Y-%m-%dT%H:%M:%fZ', expires_at, '-' || value || ' days'), created_at FROM tokens JOIN json_each('[30,7,1]') WHERE expires_at IS NOT NULL;

-- The mails that wait: one for each member and run, about all warnings that the run gave in the organisation. Removed when sent.
CREATE TABLE expiry_mails (
  organisation_id TEXT NOT NULL,
  email TEXT NOT NULL,
  -- `given_by` of the warnings.
  run TEXT NOT NULL,
  queued_at TEXT NOT NULL,
  -- When it is tried next. NULL: a run has taken it, and no other run takes it.
  due_at TEXT,
  tries INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (organisation_id, email, run),
  FOREIGN KEY (email, organisation_id) REFERENCES members (email, organisation_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX expiry_mails_by_time ON expiry_mails (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX expiry_mails_by_age ON expiry_mails (queued_at);
