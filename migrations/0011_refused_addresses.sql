-- From where calls with a token were refused because of its networks: for the token's page, 24 hours, at most 20 addresses a token.

CREATE TABLE refused_addresses (
  token_id TEXT NOT NULL REFERENCES tokens (id) ON DELETE CASCADE,
  -- As a network of one address, such as 203.0.113.7/32.
  address TEXT NOT NULL,
  -- The last of the refused calls (RFC 3339, UTC, milliseconds).
  at TEXT NOT NULL,
  PRIMARY KEY (token_id, address)
) STRICT, WITHOUT ROWID;
CREATE INDEX refused_addresses_by_token ON refused_addresses (token_id, at DESC, address DESC);
CREATE INDEX refused_addresses_by_time ON refused_addresses (at);
