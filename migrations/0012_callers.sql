-- Who calls with a token, why calls are refused, and who still calls with a secret that has ended.
-- Each trigger stands on one line: remote D1 refuses others.

-- Calls of a UTC day (days since 1970) with one secret, by caller: the 20 callers with the most calls, and one row for all others.
-- No foreign key: the rows of a token outlive it, for its tombstones. No row has an address.
CREATE TABLE callers (
  token_id TEXT NOT NULL,
  day INTEGER NOT NULL,
  -- SHA-256 of the secret, hex, small letters.
  hash TEXT NOT NULL,
  -- The number of the caller's network (AS number); 0: not known; -1: this is the row of all others.
  network INTEGER NOT NULL,
  -- Two letters; empty: not known.
  country TEXT NOT NULL,
  -- The name of the caller's program, without a version.
  agent TEXT NOT NULL,
  network_name TEXT NOT NULL,
  accepted INTEGER NOT NULL,
  refused INTEGER NOT NULL,
  -- When a hub was told of the last of these calls (RFC 3339, UTC, milliseconds).
  last_at TEXT NOT NULL,
  PRIMARY KEY (token_id, day, hash, network, country, agent)
) STRICT, WITHOUT ROWID;
CREATE INDEX callers_by_day ON callers (day);
CREATE INDEX callers_by_hash ON callers (hash, day);

-- Refused calls with a token in one hour (hours since 1970), by reason.
CREATE TABLE refusal_reasons (
  token_id TEXT NOT NULL REFERENCES tokens (id) ON DELETE CASCADE,
  hour INTEGER NOT NULL,
  reason TEXT NOT NULL,
  calls INTEGER NOT NULL,
  PRIMARY KEY (token_id, hour, reason)
) STRICT, WITHOUT ROWID;
CREATE INDEX refusal_reasons_by_hour ON refusal_reasons (hour);

-- A secret that has ended for good, because its token was deleted or because it was retired: 90 days, so that its calls are counted.
CREATE TABLE tombstones (
  -- SHA-256 of the secret, hex, small letters.
  hash TEXT PRIMARY KEY CHECK (length(hash) = 64 AND hash = lower(hash)),
  token_id TEXT NOT NULL,
  organisation_id TEXT NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  preview TEXT NOT NULL,
  -- That of the token at that time.
  name TEXT,
  kind TEXT NOT NULL CHECK (kind IN ('deleted', 'retired')),
  ended_at TEXT NOT NULL,
  -- The actor of the event; NULL where there is none, as after a change at the SQL prompt.
  ended_by TEXT,
  -- When a hub was told of the last refused call; NULL: of none.
  called_at TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX tombstones_by_call ON tombstones (organisation_id, called_at DESC);
CREATE INDEX tombstones_by_end ON tombstones (ended_at);

-- The event of a change is written before the change, in the same transaction. A token that goes with its organisation leaves nothing:
-- the row of the organisation is gone before the cascade deletes its tokens.
CREATE TRIGGER tokens_buried BEFORE DELETE ON tokens WHEN EXISTS (SELECT 1 FROM organisations WHERE id = OLD.organisation_id) BEGIN INSERT INTO tombstones (hash, token_id, organisation_id, preview, name, kind, ended_at, ended_by) SELECT lower(ending.hash), OLD.id, OLD.organisation_id, ending.preview, OLD.name, 'deleted', coalesce(event.at, strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), event.actor FROM (SELECT OLD.hash AS hash, OLD.preview AS preview UNION ALL SELECT hash, preview FROM replaced_secrets WHERE token_id = OLD.id AND retired_at IS NULL) AS ending LEFT JOIN (SELECT at, actor FROM events WHERE token_id = OLD.id AND action = 'token.deleted' AND organisation_id = OLD.organisation_id ORDER BY at DESC LIMIT 1) AS event WHERE true ON CONFLICT DO NOTHING; END;
CREATE TRIGGER tokens_forgotten AFTER DELETE ON tokens WHEN NOT EXISTS (SELECT 1 FROM organisations WHERE id = OLD.organisation_id) BEGIN DELETE FROM callers WHERE token_id = OLD.id; END;
CREATE TRIGGER replaced_secrets_buried AFTER UPDATE OF retired_at ON replaced_secrets WHEN OLD.retired_at IS NULL AND NEW.retired_at IS NOT NULL BEGIN INSERT INTO tombstones (hash, token_id, organisation_id, preview, name, kind, ended_at, ended_by) VALUES (lower(NEW.hash), NEW.token_id, NEW.organisation_id, NEW.preview, (SELECT name FROM tokens WHERE id = NEW.token_id), 'retired', NEW.retired_at, (SELECT actor FROM (SELECT action, actor, preview FROM events WHERE organisation_id = NEW.organisation_id AND token_id = NEW.token_id ORDER BY id DESC LIMIT 10) WHERE action = 'token.retired' AND preview = NEW.preview LIMIT 1)) ON CONFLICT DO NOTHING; END;
CREATE TRIGGER replaced_secrets_buried_at_once AFTER INSERT ON replaced_secrets WHEN NEW.retired_at IS NOT NULL BEGIN INSERT INTO tombstones (hash, token_id, organisation_id, preview, name, kind, ended_at, ended_by) VALUES (lower(NEW.hash), NEW.token_id, NEW.organisation_id, NEW.preview, (SELECT name FROM tokens WHERE id = NEW.token_id), 'retired', NEW.retired_at, (SELECT actor FROM (SELECT action, actor, preview FROM events WHERE organisation_id = NEW.organisation_id AND token_id = NEW.token_id ORDER BY id DESC LIMIT 10) WHERE action = 'token.retired' AND preview = NEW.preview LIMIT 1)) ON CONFLICT DO NOTHING; END;
-- The callers of a secret go with the organisation. Otherwise they stay for their 30 days.
CREATE TRIGGER tombstones_forgotten AFTER DELETE ON tombstones WHEN NOT EXISTS (SELECT 1 FROM organisations WHERE id = OLD.organisation_id) BEGIN DELETE FROM callers WHERE token_id = OLD.token_id; END;

-- A tombstone never becomes a token again, nor the secret of another one.
CREATE TRIGGER tombstones_identity BEFORE UPDATE OF hash, token_id, organisation_id, preview, kind ON tombstones WHEN NEW.hash <> OLD.hash OR NEW.token_id <> OLD.token_id OR NEW.organisation_id <> OLD.organisation_id OR NEW.preview <> OLD.preview OR NEW.kind <> OLD.kind BEGIN SELECT RAISE (ABORT, 'a token keeps its identity'); END;
CREATE TRIGGER tokens_stay_buried BEFORE INSERT ON tokens WHEN EXISTS (SELECT 1 FROM tombstones WHERE hash = lower(NEW.hash)) BEGIN SELECT RAISE (ABORT, 'a token keeps its identity'); END;
CREATE TRIGGER tokens_keep_off BEFORE UPDATE OF hash ON tokens WHEN lower(NEW.hash) <> lower(OLD.hash) AND EXISTS (SELECT 1 FROM tombstones WHERE hash = lower(NEW.hash)) BEGIN SELECT RAISE (ABORT, 'a token keeps its identity'); END;
CREATE TRIGGER replaced_secrets_stay_buried BEFORE INSERT ON replaced_secrets WHEN EXISTS (SELECT 1 FROM tombstones WHERE hash = lower(NEW.hash)) BEGIN SELECT RAISE (ABORT, 'a token keeps its identity'); END;

-- Secrets that were retired before this migration.
INSERT INTO tombstones (hash, token_id, organisation_id, preview, name, kind, ended_at) SELECT lower(replaced_secrets.hash), tokens.id, tokens.organisation_id, replaced_secrets.preview, tokens.name, 'retired', retired_at FROM replaced_secrets JOIN tokens ON tokens.id = replaced_secrets.token_id WHERE retired_at IS NOT NULL;
