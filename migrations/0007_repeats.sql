-- When a token's verification changed last: a repeat that finds it longer ago than any lease has nothing to publish.
CREATE INDEX changes_by_token ON changes (token_hash, at);
