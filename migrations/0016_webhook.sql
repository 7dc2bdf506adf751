-- How far the events were pushed to WEBHOOK_URL, and how the pushes went. One row, from the first push on.

CREATE TABLE webhook (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  -- SHA-256 of WEBHOOK_URL, in hex, because a URL may hold a secret. Another URL begins without the failures of the one before it.
  url_hash TEXT NOT NULL CHECK (length(url_hash) = 64),
  -- The number of the last event that the receiver has acknowledged.
  cursor INTEGER NOT NULL CHECK (cursor >= 0),
  -- The run that pushes now, and until when no other one does.
  holder TEXT,
  held_until TEXT,
  -- Failed tries since the last acknowledged event, the first of them, and when the next one is due.
  failures INTEGER NOT NULL DEFAULT 0,
  failing_since TEXT,
  next_try_at TEXT,
  -- When the receiver answered 410 (Gone). NULL: it did not.
  stopped_at TEXT,
  last_success_at TEXT,
  last_error TEXT,
  last_error_at TEXT
) STRICT;
