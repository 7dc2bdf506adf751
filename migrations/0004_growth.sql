-- Bounds on growth, and what the operator's questions need. Each trigger stands on one line: remote D1 refuses others.

-- How long an event is kept. The hourly pruning copies the operator's setting EVENTS_RETENTION_DAYS into this one row; NULL
-- keeps every event. 30 days are the least, so that a wrong setting does not empty the log.
CREATE TABLE event_retention (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  days INTEGER CHECK (days BETWEEN 30 AND 36500)
) STRICT;
INSERT INTO event_retention (id, days) VALUES (1, NULL);
CREATE TRIGGER event_retention_once BEFORE INSERT ON event_retention WHEN EXISTS (SELECT 1 FROM event_retention) BEGIN SELECT RAISE (ABORT, 'the retention is one row'); END;
CREATE TRIGGER event_retention_stays BEFORE DELETE ON event_retention BEGIN SELECT RAISE (ABORT, 'the retention is one row'); END;

-- An event may be deleted when it is older than the retention, and never otherwise. A time that SQLite cannot read keeps its event.
DROP TRIGGER events_stay;
CREATE TRIGGER events_stay BEFORE DELETE ON events WHEN (julianday(OLD.at) < julianday('now') - (SELECT days FROM event_retention)) IS NOT TRUE BEGIN SELECT RAISE (ABORT, 'events are append-only'); END;
-- The pruning and the operator's export (`since`) look for events by their time.
CREATE INDEX events_by_time ON events (at);

-- Space that is given up when the database is full, so that a token can still be switched off (worker/reserve.ts). The
-- hourly pruning fills it.
CREATE TABLE reserve (
  id INTEGER PRIMARY KEY,
  filling BLOB NOT NULL
) STRICT;

-- Since when the plan stands. A repeated change that finds the same plan, standing for longer than any lease, has nothing to publish.
ALTER TABLE organisations ADD COLUMN plan_changed_at TEXT;
CREATE TRIGGER organisations_plan_dated AFTER UPDATE OF plan ON organisations WHEN OLD.plan <> NEW.plan BEGIN UPDATE organisations SET plan_changed_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now') WHERE id = NEW.id; END;
-- The operator lists organisations by plan, and by the time since which they are here.
CREATE INDEX organisations_by_creation ON organisations (created_at, id);
CREATE INDEX organisations_by_plan ON organisations (plan, created_at, id);
