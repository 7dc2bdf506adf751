-- Pausing everything: a member switches off all tokens at once, and the operator pauses an organisation.
-- Each trigger stands on one line: remote D1 refuses others.

-- Since when the token is off because a member switched off all tokens at once, and the address of that member. Both NULL for any other token.
ALTER TABLE tokens ADD COLUMN paused_together_at TEXT;
ALTER TABLE tokens ADD COLUMN paused_together_by TEXT CHECK ((paused_together_by IS NULL) = (paused_together_at IS NULL));
-- A token that is switched on has the mark no more, whoever switches it on: the Worker from before this migration knows no mark.
CREATE TRIGGER tokens_resumed_together AFTER UPDATE OF active ON tokens WHEN NEW.active = 1 AND NEW.paused_together_at IS NOT NULL BEGIN UPDATE tokens SET paused_together_at = NULL, paused_together_by = NULL WHERE id = NEW.id; END;

-- Since when the operator has paused the organisation: its tokens are refused, whatever its plan. NULL: it is not paused.
-- The Worker from before this migration does not read this column (docs/operating/upgrade.md says when it may be used).
ALTER TABLE organisations ADD COLUMN paused_at TEXT;
-- One change for each secret whose verification may have changed.
CREATE TRIGGER organisations_paused AFTER UPDATE OF paused_at ON organisations WHEN (OLD.paused_at IS NULL) <> (NEW.paused_at IS NULL) BEGIN INSERT INTO changes (token_hash) SELECT lower(hash) FROM tokens WHERE organisation_id = NEW.id UNION ALL SELECT lower(replaced_secrets.hash) FROM tokens JOIN replaced_secrets ON replaced_secrets.token_id = tokens.id WHERE tokens.organisation_id = NEW.id AND replaced_secrets.retired_at IS NULL; END;
