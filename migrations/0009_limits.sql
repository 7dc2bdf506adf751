-- What makes a token smaller: an end, access, paths, networks and websites. A token without any of them is as it was.
-- A Worker from before this migration knows none of these columns and would take a limited token for a free one. So the hash of a
-- limited token is written in capitals: that Worker looks for small letters, finds nothing, and refuses the call. Hashes in
-- `changes` are always in small letters.
-- Each trigger stands on one line: remote D1 refuses others.

-- From here on (RFC 3339, UTC, milliseconds) the token is refused, by the clock of the place that verifies. NULL: it has no end.
ALTER TABLE tokens ADD COLUMN expires_at TEXT CHECK (expires_at IS strftime('%Y-%m-%dT%H:%M:%fZ', expires_at) AND (expires_at IS NULL OR length(expires_at) = 24));
ALTER TABLE tokens ADD COLUMN access TEXT NOT NULL DEFAULT 'full' CHECK (access IN ('read', 'full'));
-- Lists in JSON, in its one spelling; an empty one restrains nothing.
ALTER TABLE tokens ADD COLUMN paths TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(paths) AND paths = json(paths) AND json_type(paths) = 'array' AND json_array_length(paths) <= 5);
ALTER TABLE tokens ADD COLUMN networks TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(networks) AND networks = json(networks) AND json_type(networks) = 'array' AND json_array_length(networks) <= 10);
ALTER TABLE tokens ADD COLUMN origins TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(origins) AND origins = json(origins) AND json_type(origins) = 'array' AND json_array_length(origins) <= 5);

-- What a token may do is chosen once. Later it may become less.
CREATE TRIGGER tokens_narrow BEFORE UPDATE OF access, paths ON tokens WHEN (OLD.access = 'read' AND NEW.access <> 'read') OR (OLD.paths <> '[]' AND (NEW.paths = '[]' OR EXISTS (SELECT 1 FROM json_each(NEW.paths) AS wanted WHERE NOT EXISTS (SELECT 1 FROM json_each(OLD.paths) AS had WHERE wanted.value = had.value OR substr(wanted.value, 1, length(had.value) + 1) = had.value || '/')))) BEGIN SELECT RAISE (ABORT, 'a token is only narrowed'); END;

-- The hash of a limited token, and that of its retiring secret, are written in capitals; those of another one in small letters.
CREATE TRIGGER tokens_hide_new AFTER INSERT ON tokens WHEN (NEW.expires_at IS NOT NULL OR NEW.access <> 'full' OR NEW.paths <> '[]' OR NEW.networks <> '[]' OR NEW.origins <> '[]') BEGIN UPDATE tokens SET hash = upper(hash) WHERE id = NEW.id; END;
CREATE TRIGGER tokens_hide AFTER UPDATE OF hash, expires_at, access, paths, networks, origins ON tokens WHEN NEW.hash <> iif((NEW.expires_at IS NOT NULL OR NEW.access <> 'full' OR NEW.paths <> '[]' OR NEW.networks <> '[]' OR NEW.origins <> '[]'), upper(NEW.hash), lower(NEW.hash)) BEGIN UPDATE tokens SET hash = iif((NEW.expires_at IS NOT NULL OR NEW.access <> 'full' OR NEW.paths <> '[]' OR NEW.networks <> '[]' OR NEW.origins <> '[]'), upper(hash), lower(hash)) WHERE id = NEW.id; END;
CREATE TRIGGER replaced_secrets_hide AFTER UPDATE OF hash ON tokens WHEN lower(OLD.hash) = lower(NEW.hash) AND OLD.hash <> NEW.hash BEGIN UPDATE replaced_secrets SET hash = iif(NEW.hash = lower(NEW.hash), lower(hash), upper(hash)) WHERE token_id = NEW.id AND retired_at IS NULL; END;

-- A hash is one in small letters and in capitals.
DROP TRIGGER tokens_rotation;
CREATE TRIGGER tokens_rotation BEFORE UPDATE OF hash, preview ON tokens WHEN (lower(NEW.hash) <> lower(OLD.hash) OR NEW.preview <> OLD.preview) AND (NOT EXISTS (SELECT 1 FROM replaced_secrets WHERE hash = OLD.hash) OR EXISTS (SELECT 1 FROM replaced_secrets WHERE hash IN (lower(NEW.hash), upper(NEW.hash)) OR (organisation_id = NEW.organisation_id AND preview = NEW.preview)) OR EXISTS (SELECT 1 FROM tokens WHERE hash IN (lower(NEW.hash), upper(NEW.hash)) OR (organisation_id = NEW.organisation_id AND preview = NEW.preview))) BEGIN SELECT RAISE (ABORT, 'a token keeps its identity'); END;
DROP TRIGGER tokens_unique;
CREATE TRIGGER tokens_unique BEFORE INSERT ON tokens WHEN EXISTS (SELECT 1 FROM tokens WHERE id = NEW.id OR hash IN (lower(NEW.hash), upper(NEW.hash)) OR (organisation_id = NEW.organisation_id AND preview = NEW.preview)) OR EXISTS (SELECT 1 FROM replaced_secrets WHERE hash IN (lower(NEW.hash), upper(NEW.hash)) OR (organisation_id = NEW.organisation_id AND preview = NEW.preview)) BEGIN SELECT RAISE (ABORT, 'a token keeps its identity'); END;
DROP TRIGGER replaced_secrets_identity;
CREATE TRIGGER replaced_secrets_identity BEFORE UPDATE OF hash, token_id, organisation_id, preview, replaced_at, retires_at, until ON replaced_secrets WHEN lower(NEW.hash) <> lower(OLD.hash) OR NEW.token_id <> OLD.token_id OR NEW.organisation_id <> OLD.organisation_id OR NEW.preview <> OLD.preview OR NEW.replaced_at <> OLD.replaced_at OR NEW.retires_at <> OLD.retires_at OR NEW.until <> OLD.until BEGIN SELECT RAISE (ABORT, 'a token keeps its identity'); END;

-- One change for each secret whose verification may have changed.
CREATE TRIGGER tokens_limited AFTER UPDATE OF expires_at, access, paths, networks, origins ON tokens WHEN OLD.expires_at IS NOT NEW.expires_at OR OLD.access <> NEW.access OR OLD.paths <> NEW.paths OR OLD.networks <> NEW.networks OR OLD.origins <> NEW.origins BEGIN INSERT INTO changes (token_hash) SELECT lower(NEW.hash) UNION ALL SELECT lower(hash) FROM replaced_secrets WHERE token_id = NEW.id AND retired_at IS NULL; END;
DROP TRIGGER tokens_inserted;
CREATE TRIGGER tokens_inserted AFTER INSERT ON tokens BEGIN INSERT INTO changes (token_hash) VALUES (lower(NEW.hash)); END;
DROP TRIGGER tokens_switched;
-- The Worker from before this migration looks for the last change of a token by its hash as the token has it: without the second row
-- it would not tell the hubs that it switched a limited token off.
CREATE TRIGGER tokens_switched AFTER UPDATE OF active ON tokens WHEN OLD.active <> NEW.active BEGIN INSERT INTO changes (token_hash) SELECT lower(NEW.hash) UNION SELECT NEW.hash; END;
DROP TRIGGER tokens_deleted;
CREATE TRIGGER tokens_deleted AFTER DELETE ON tokens BEGIN INSERT INTO changes (token_hash) VALUES (lower(OLD.hash)); END;
DROP TRIGGER tokens_rotated;
CREATE TRIGGER tokens_rotated AFTER UPDATE OF hash ON tokens WHEN lower(OLD.hash) <> lower(NEW.hash) BEGIN INSERT INTO changes (token_hash) VALUES (lower(NEW.hash)); END;
DROP TRIGGER organisations_plan_changed;
CREATE TRIGGER organisations_plan_changed AFTER UPDATE OF plan ON organisations WHEN OLD.plan <> NEW.plan BEGIN INSERT INTO changes (token_hash) SELECT lower(hash) FROM tokens WHERE organisation_id = NEW.id; END;
DROP TRIGGER replaced_secrets_inserted;
CREATE TRIGGER replaced_secrets_inserted AFTER INSERT ON replaced_secrets BEGIN INSERT INTO changes (token_hash) VALUES (lower(NEW.hash)); END;
DROP TRIGGER replaced_secrets_retired;
CREATE TRIGGER replaced_secrets_retired AFTER UPDATE OF retired_at ON replaced_secrets WHEN OLD.retired_at IS NOT NEW.retired_at BEGIN INSERT INTO changes (token_hash) VALUES (lower(NEW.hash)); END;
DROP TRIGGER replaced_secrets_deleted;
CREATE TRIGGER replaced_secrets_deleted AFTER DELETE ON replaced_secrets WHEN OLD.retired_at IS NULL BEGIN INSERT INTO changes (token_hash) VALUES (lower(OLD.hash)); END;
DROP TRIGGER replaced_secrets_switched;
CREATE TRIGGER replaced_secrets_switched AFTER UPDATE OF active ON tokens WHEN OLD.active <> NEW.active BEGIN INSERT INTO changes (token_hash) SELECT lower(hash) FROM replaced_secrets WHERE token_id = NEW.id AND retired_at IS NULL; END;
DROP TRIGGER replaced_secrets_plan_changed;
CREATE TRIGGER replaced_secrets_plan_changed AFTER UPDATE OF plan ON organisations WHEN OLD.plan <> NEW.plan BEGIN INSERT INTO changes (token_hash) SELECT lower(replaced_secrets.hash) FROM tokens JOIN replaced_secrets ON replaced_secrets.token_id = tokens.id WHERE tokens.organisation_id = NEW.id AND replaced_secrets.retired_at IS NULL; END;
