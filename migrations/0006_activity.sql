-- Each page of the activity is read along an index: D1 has one thread for all organisations, so no filter may read many events.

CREATE INDEX events_by_actor_and_action ON events (organisation_id, actor, action, id DESC);
-- Whether a token was deleted here, or exposed lately, is asked before a refusal is recorded. Other events have no entry here.
DROP INDEX events_by_token;
CREATE INDEX events_by_token ON events (organisation_id, token_id, id DESC);
CREATE INDEX events_by_ending ON events (token_id, action, at) WHERE action = 'token.deleted' OR action = 'token.exposed';
