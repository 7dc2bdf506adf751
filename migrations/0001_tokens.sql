-- The truth of the schema. worker/tables.ts is the Drizzle reading of it, and a test compares the two.
-- What must never be broken stands here as constraints and triggers, so that no path around the Worker breaks it.

CREATE TABLE organisations (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  plan TEXT NOT NULL CHECK (plan IN ('trial', 'pay-as-you-go', 'pro', 'enterprise')),
  -- The billing system's own counter, where it sends one: an older event never undoes a newer one.
  version INTEGER,
  created_at TEXT NOT NULL
) STRICT;

CREATE TABLE members (
  email TEXT NOT NULL,
  organisation_id TEXT NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  created_at TEXT NOT NULL,
  PRIMARY KEY (email, organisation_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX members_by_organisation ON members (organisation_id, email);

CREATE TABLE tokens (
  id TEXT PRIMARY KEY,
  organisation_id TEXT NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  -- SHA-256 of the secret, hex: the only form at rest.
  hash TEXT NOT NULL UNIQUE CHECK (length(hash) = 64),
  preview TEXT NOT NULL CHECK (length(preview) = 5),
  name TEXT,
  active INTEGER NOT NULL DEFAULT 1 CHECK (active IN (0, 1)),
  created_by TEXT NOT NULL,
  created_at TEXT NOT NULL,
  last_used_at TEXT,
  UNIQUE (organisation_id, preview)
) STRICT;
CREATE INDEX tokens_by_organisation ON tokens (organisation_id, created_at DESC, id);

CREATE TRIGGER tokens_limit BEFORE INSERT ON tokens WHEN (SELECT count(*) FROM tokens WHERE organisation_id = NEW.organisation_id) >= 10 BEGIN SELECT RAISE (ABORT, 'token-limit-reached'); END;

-- What a token is, and whose, is decided once.
CREATE TRIGGER tokens_identity BEFORE UPDATE OF id, organisation_id, hash, preview, created_by, created_at ON tokens BEGIN SELECT RAISE (ABORT, 'a token keeps its identity'); END;

-- One row for each token whose verification may have changed. Triggers write it, so that it is in the same
-- transaction as the change whoever makes the change: the Worker, a cascade, or an operator at the SQL prompt.
CREATE TABLE changes (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  token_hash TEXT NOT NULL,
  -- Tells a sequence from its own past: a restored database counts the same numbers again with other nonces.
  nonce TEXT NOT NULL DEFAULT (lower(hex(randomblob(8)))),
  at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
) STRICT;
CREATE INDEX changes_by_time ON changes (at);
-- A first row, so that there is always a head to name.
INSERT INTO changes (token_hash) VALUES ('');

CREATE TRIGGER tokens_inserted AFTER INSERT ON tokens BEGIN INSERT INTO changes (token_hash) VALUES (NEW.hash); END;
CREATE TRIGGER tokens_switched AFTER UPDATE OF active ON tokens WHEN OLD.active <> NEW.active BEGIN INSERT INTO changes (token_hash) VALUES (NEW.hash); END;
CREATE TRIGGER tokens_deleted AFTER DELETE ON tokens BEGIN INSERT INTO changes (token_hash) VALUES (OLD.hash); END;
CREATE TRIGGER organisations_plan_changed AFTER UPDATE OF plan ON organisations WHEN OLD.plan <> NEW.plan BEGIN INSERT INTO changes (token_hash) SELECT hash FROM tokens WHERE organisation_id = NEW.id; END;

-- Accepted and refused calls per token and hour; also where lastUsedAt comes from.
CREATE TABLE token_usage (
  token_id TEXT NOT NULL REFERENCES tokens (id) ON DELETE CASCADE,
  -- The hour's beginning, as hours since 1970.
  hour INTEGER NOT NULL,
  accepted INTEGER NOT NULL DEFAULT 0,
  refused INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (token_id, hour)
) STRICT, WITHOUT ROWID;
CREATE INDEX token_usage_by_hour ON token_usage (hour);

-- The audit log. Append-only; organisation_id has no foreign key because the record outlives the organisation.
CREATE TABLE events (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at TEXT NOT NULL,
  organisation_id TEXT,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  token_id TEXT,
  preview TEXT,
  request_id TEXT NOT NULL,
  ip TEXT,
  user_agent TEXT,
  detail TEXT
) STRICT;
CREATE INDEX events_by_organisation ON events (organisation_id, id DESC);
CREATE INDEX events_by_action ON events (organisation_id, action, id DESC);
CREATE INDEX events_by_actor ON events (organisation_id, actor, id DESC);
-- Whether a token was deleted here, or exposed lately, is asked before a refusal is recorded.
CREATE INDEX events_by_token ON events (token_id, action, at);
CREATE TRIGGER events_keep BEFORE UPDATE ON events BEGIN SELECT RAISE (ABORT, 'events are append-only'); END;
CREATE TRIGGER events_stay BEFORE DELETE ON events BEGIN SELECT RAISE (ABORT, 'events are append-only'); END;

CREATE TABLE sessions (
  -- SHA-256 of the cookie, hex.
  hash TEXT PRIMARY KEY CHECK (length(hash) = 64),
  -- What the member's own list of sessions calls it.
  id TEXT NOT NULL UNIQUE,
  email TEXT NOT NULL,
  method TEXT NOT NULL CHECK (method IN ('link', 'oidc')),
  created_at INTEGER NOT NULL,
  seen_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  user_agent TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_email ON sessions (email, created_at DESC);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

-- A sign-in under way: a link that was sent, or an OpenID Connect round trip. One use, ten minutes, one browser.
CREATE TABLE sign_ins (
  -- SHA-256 of the code (link) or of the state (OpenID Connect), hex.
  hash TEXT PRIMARY KEY CHECK (length(hash) = 64),
  -- SHA-256 of the asking browser's cookie, hex.
  browser_hash TEXT NOT NULL,
  email TEXT,
  nonce TEXT,
  code_verifier TEXT,
  return_to TEXT,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sign_ins_by_expiry ON sign_ins (expires_at);

-- The provider's subject behind an address, stored at first use and compared ever after.
CREATE TABLE identities (
  issuer TEXT NOT NULL,
  email TEXT NOT NULL,
  subject TEXT NOT NULL,
  created_at TEXT NOT NULL,
  PRIMARY KEY (issuer, email),
  UNIQUE (issuer, subject)
) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency_keys (
  organisation_id TEXT NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  actor TEXT NOT NULL,
  key TEXT NOT NULL,
  -- SHA-256 of the request's body, hex: the same key with another body is a mistake, not a repeat.
  body_hash TEXT NOT NULL,
  token_id TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (organisation_id, actor, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
