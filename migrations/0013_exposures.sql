-- A token whose secret others have seen is switched off and marked, until a member switches it on again or replaces the secret.
-- Each trigger stands on one line: remote D1 refuses others.

-- When the current secret was exposed (RFC 3339, UTC, milliseconds). NULL: it is not marked.
ALTER TABLE tokens ADD COLUMN exposed_at TEXT CHECK (exposed_at IS strftime('%Y-%m-%dT%H:%M:%fZ', exposed_at) AND (exposed_at IS NULL OR length(exposed_at) = 24));
-- Who said so: a report, GitHub, or a call that had the secret in its URL.
ALTER TABLE tokens ADD COLUMN exposed_by TEXT CHECK ((exposed_by IS NULL) = (exposed_at IS NULL) AND (exposed_by IS NULL OR exposed_by IN ('report', 'github', 'url')));
-- The address where it was seen, if it was told.
ALTER TABLE tokens ADD COLUMN exposed_where TEXT CHECK (exposed_where IS NULL OR (exposed_at IS NOT NULL AND length(exposed_where) <= 2048));
-- Whether the exposure switched the token off: a replacement that ends the exposed secret at once switches it on again.
ALTER TABLE tokens ADD COLUMN exposed_paused INTEGER NOT NULL DEFAULT 0 CHECK (exposed_paused IN (0, 1) AND (exposed_paused = 0 OR exposed_at IS NOT NULL));

-- A marked token is switched off. A switch to active removes the mark, also one by the Worker from before this migration.
CREATE TRIGGER tokens_exposed BEFORE UPDATE OF exposed_at ON tokens WHEN NEW.exposed_at IS NOT NULL AND NEW.active = 1 BEGIN SELECT RAISE (ABORT, 'an exposed token is inactive'); END;
CREATE TRIGGER tokens_resumed AFTER UPDATE OF active ON tokens WHEN NEW.active = 1 AND NEW.exposed_at IS NOT NULL BEGIN UPDATE tokens SET exposed_at = NULL, exposed_by = NULL, exposed_where = NULL, exposed_paused = 0 WHERE id = NEW.id; END;

-- The public keys that GitHub signs its reports with. One row. `url`: where GitHub was asked, `asked_at`: when it was asked last,
-- `told_at`: when it answered last (ms since 1970), `keys`: its answer, keys by their ids.
CREATE TABLE github_keys (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  url TEXT NOT NULL,
  asked_at INTEGER NOT NULL,
  told_at INTEGER NOT NULL,
  keys TEXT NOT NULL CHECK (json_valid(keys) AND json_type(keys) = 'object')
) STRICT;
INSERT INTO github_keys (id, url, asked_at, told_at, keys) VALUES (1, '', 0, 0, '{}');
