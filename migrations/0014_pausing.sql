-- Pausing everything: a member switches off all tokens at once, and the operator pauses an organisation.
-- Each trigger stands on one line: remote D1 refuses others.

-- Since when the token is off because a member switched off all tokens at once, and the address of that member. Both NULL for any other token.
ALTER TABLE tokens ADD COLUMN paused_together_at TEXT;
ALTER TABLE tokens ADD COLUMN paused_together_by TEXT CHECK ((paused_together_by IS NULL) = (paused_together_at IS NULL));
-- A switch to active removes the mark, also one by the Worker from before this migration, which does not know it.
CREATE TRIGGER tokens_resumed_together AFTER UPDATE OF active ON tokens WHEN NEW.active = 1 AND NEW.paused_together_at IS NOT NULL BEGIN UPDATE tokens SET paused_together_at = NULL, paused_together_by = NULL WHERE id = NEW.id; END;

-- Since when the operator has paused the organisation: its tokens are refused, whatever its plan. NULL: it is not paused.
ALTER TABLE organisations ADD COLUMN paused_at TEXT;
-- One change for each secret whose verification may have changed.
CREATE TRIGGER organisations_paused AFTER UPDATE OF paused_at ON organisations WHEN (OLD.paused_at IS NULL) <> (NEW.paused_at IS NULL) BEGIN INSERT INTO changes (token_hash) SELECT lower(hash) FROM tokens WHERE organisation_id = NEW.id UNION ALL SELECT lower(replaced_secrets.hash) FROM tokens JOIN replaced_secrets ON replaced_secrets.token_id = tokens.id WHERE tokens.organisation_id = NEW.id AND replaced_secrets.retired_at IS NULL; END;

-- The Worker from before 0009_limits.sql does not read `paused_at` and would accept the tokens of a paused organisation. So their hashes
-- are written in capitals, as those of limited tokens are: that Worker finds none of them.
DROP TRIGGER tokens_hide_new;
CREATE TRIGGER tokens_hide_new AFTER INSERT ON tokens WHEN (NEW.expires_at IS NOT NULL OR NEW.access <> 'full' OR NEW.paths <> '[]' OR NEW.networks <> '[]' OR NEW.origins <> '[]' OR (SELECT paused_at FROM organisations WHERE id = NEW.organisation_id) IS NOT NULL) BEGIN UPDATE tokens SET hash = upper(hash) WHERE id = NEW.id; END;
DROP TRIGGER tokens_hide;
CREATE TRIGGER tokens_hide AFTER UPDATE OF hash, expires_at, access, paths, networks, origins ON tokens WHEN NEW.hash <> iif((NEW.expires_at IS NOT NULL OR NEW.access <> 'full' OR NEW.paths <> '[]' OR NEW.networks <> '[]' OR NEW.origins <> '[]' OR (SELECT paused_at FROM organisations WHERE id = NEW.organisation_id) IS NOT NULL), upper(NEW.hash), lower(NEW.hash)) BEGIN UPDATE tokens SET hash = iif((NEW.expires_at IS NOT NULL OR NEW.access <> 'full' OR NEW.paths <> '[]' OR NEW.networks <> '[]' OR NEW.origins <> '[]' OR (SELECT paused_at FROM organisations WHERE id = NEW.organisation_id) IS NOT NULL), upper(hash), lower(hash)) WHERE id = NEW.id; END;
-- It changes nothing by itself. The trigger `tokens_hide` then writes each hash as it has to be.
CREATE TRIGGER organisations_hide AFTER UPDATE OF paused_at ON organisations WHEN (OLD.paused_at IS NULL) <> (NEW.paused_at IS NULL) BEGIN UPDATE tokens SET hash = hash WHERE organisation_id = NEW.id; END;
