-- REPLACE deletes the row in its way without a trigger (SQLite, "recursive_triggers"). So nothing may be in its way: else a
-- token would get another hash and no isolate would hear of the old one's end, and an event would get another text.
CREATE TRIGGER tokens_unique BEFORE INSERT ON tokens WHEN EXISTS (SELECT 1 FROM tokens WHERE id = NEW.id OR hash = NEW.hash OR (organisation_id = NEW.organisation_id AND preview = NEW.preview)) BEGIN SELECT RAISE (ABORT, 'a token keeps its identity'); END;
CREATE TRIGGER events_unique BEFORE INSERT ON events WHEN EXISTS (SELECT 1 FROM events WHERE id = NEW.id) BEGIN SELECT RAISE (ABORT, 'events are append-only'); END;
-- Nor may one be slipped in before those that stand there. SQLite calls an event without an id -1 until it is written: one of
-- that id, in an empty table, would be in the way of every later event, and so of every change.
CREATE TRIGGER events_in_order AFTER INSERT ON events WHEN NEW.id < 1 OR NEW.id < (SELECT max(id) FROM events) BEGIN SELECT RAISE (ABORT, 'events are append-only'); END;
