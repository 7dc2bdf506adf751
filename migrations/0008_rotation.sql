-- Replacing the secret of a token. `hash` and `preview` of a token are always those of its current secret, so that the Worker
-- before this migration stays right about it. A secret that was replaced is unknown to that Worker, which refuses it.
-- Each trigger stands on one line: remote D1 refuses others.

CREATE TABLE replaced_secrets (
  -- SHA-256 of the secret, hex.
  hash TEXT PRIMARY KEY CHECK (length(hash) = 64),
  token_id TEXT NOT NULL REFERENCES tokens (id) ON DELETE CASCADE,
  -- That of the token: previews are unique within an organisation.
  organisation_id TEXT NOT NULL,
  preview TEXT NOT NULL CHECK (length(preview) = 5),
  replaced_at TEXT NOT NULL,
  -- From here on the secret is refused, by the clock of the place that verifies. For 'silent' it is the latest end.
  retires_at TEXT NOT NULL CHECK (retires_at IS strftime('%Y-%m-%dT%H:%M:%fZ', retires_at)),
  until TEXT NOT NULL CHECK (until IN ('time', 'silent')),
  -- When it was ended for good; NULL while it is retiring. The upkeep writes it for secrets whose time has passed.
  retired_at TEXT,
  last_used_at TEXT,
  -- When the secret that took its place was used first, as far as the database was told.
  successor_used_at TEXT,
  UNIQUE (organisation_id, preview)
) STRICT, WITHOUT ROWID;
CREATE INDEX replaced_secrets_by_token ON replaced_secrets (token_id, replaced_at DESC);
-- A token has two working secrets at most.
CREATE UNIQUE INDEX replaced_secrets_retiring ON replaced_secrets (token_id) WHERE retired_at IS NULL;
CREATE INDEX replaced_secrets_by_end ON replaced_secrets (retires_at) WHERE retired_at IS NULL;
CREATE INDEX replaced_secrets_by_silence ON replaced_secrets (coalesce(last_used_at, replaced_at)) WHERE retired_at IS NULL AND until = 'silent' AND successor_used_at IS NOT NULL;
CREATE INDEX replaced_secrets_by_retirement ON replaced_secrets (retired_at) WHERE retired_at IS NOT NULL;

-- Only what a token has now can be replaced.
CREATE TRIGGER replaced_secrets_current BEFORE INSERT ON replaced_secrets WHEN NOT EXISTS (SELECT 1 FROM tokens WHERE id = NEW.token_id AND organisation_id = NEW.organisation_id AND hash = NEW.hash AND preview = NEW.preview) OR EXISTS (SELECT 1 FROM replaced_secrets WHERE hash = NEW.hash OR (organisation_id = NEW.organisation_id AND preview = NEW.preview) OR (token_id = NEW.token_id AND retired_at IS NULL)) BEGIN SELECT RAISE (ABORT, 'a token keeps its identity'); END;
CREATE TRIGGER replaced_secrets_identity BEFORE UPDATE OF hash, token_id, organisation_id, preview, replaced_at, retires_at, until ON replaced_secrets BEGIN SELECT RAISE (ABORT, 'a token keeps its identity'); END;
CREATE TRIGGER replaced_secrets_stay_retired BEFORE UPDATE OF retired_at ON replaced_secrets WHEN OLD.retired_at IS NOT NULL AND NEW.retired_at IS NOT OLD.retired_at BEGIN SELECT RAISE (ABORT, 'a token keeps its identity'); END;

-- What a token is, and whose, is decided once. Its secret is another one only after the one before it is among the replaced ones.
DROP TRIGGER tokens_identity;
CREATE TRIGGER tokens_identity BEFORE UPDATE OF id, organisation_id, created_by, created_at ON tokens BEGIN SELECT RAISE (ABORT, 'a token keeps its identity'); END;
CREATE TRIGGER tokens_rotation BEFORE UPDATE OF hash, preview ON tokens WHEN (NEW.hash <> OLD.hash OR NEW.preview <> OLD.preview) AND (NOT EXISTS (SELECT 1 FROM replaced_secrets WHERE hash = OLD.hash) OR EXISTS (SELECT 1 FROM replaced_secrets WHERE hash = NEW.hash OR (organisation_id = NEW.organisation_id AND preview = NEW.preview)) OR EXISTS (SELECT 1 FROM tokens WHERE hash = NEW.hash OR (organisation_id = NEW.organisation_id AND preview = NEW.preview))) BEGIN SELECT RAISE (ABORT, 'a token keeps its identity'); END;
DROP TRIGGER tokens_unique;
CREATE TRIGGER tokens_unique BEFORE INSERT ON tokens WHEN EXISTS (SELECT 1 FROM tokens WHERE id = NEW.id OR hash = NEW.hash OR (organisation_id = NEW.organisation_id AND preview = NEW.preview)) OR EXISTS (SELECT 1 FROM replaced_secrets WHERE hash = NEW.hash OR (organisation_id = NEW.organisation_id AND preview = NEW.preview)) BEGIN SELECT RAISE (ABORT, 'a token keeps its identity'); END;

-- One change for each secret whose verification may have changed. A retired secret is refused whatever happens to its token.
CREATE TRIGGER tokens_rotated AFTER UPDATE OF hash ON tokens WHEN OLD.hash <> NEW.hash BEGIN INSERT INTO changes (token_hash) VALUES (NEW.hash); END;
CREATE TRIGGER replaced_secrets_inserted AFTER INSERT ON replaced_secrets BEGIN INSERT INTO changes (token_hash) VALUES (NEW.hash); END;
CREATE TRIGGER replaced_secrets_retired AFTER UPDATE OF retired_at ON replaced_secrets WHEN OLD.retired_at IS NOT NEW.retired_at BEGIN INSERT INTO changes (token_hash) VALUES (NEW.hash); END;
CREATE TRIGGER replaced_secrets_deleted AFTER DELETE ON replaced_secrets WHEN OLD.retired_at IS NULL BEGIN INSERT INTO changes (token_hash) VALUES (OLD.hash); END;
CREATE TRIGGER replaced_secrets_switched AFTER UPDATE OF active ON tokens WHEN OLD.active <> NEW.active BEGIN INSERT INTO changes (token_hash) SELECT hash FROM replaced_secrets WHERE token_id = NEW.id AND retired_at IS NULL; END;
CREATE TRIGGER replaced_secrets_plan_changed AFTER UPDATE OF plan ON organisations WHEN OLD.plan <> NEW.plan BEGIN INSERT INTO changes (token_hash) SELECT replaced_secrets.hash FROM tokens JOIN replaced_secrets ON replaced_secrets.token_id = tokens.id WHERE tokens.organisation_id = NEW.id AND replaced_secrets.retired_at IS NULL; END;
