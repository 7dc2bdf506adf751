-- What bounds the work of one member, one organisation and one address in a day, and in ten minutes.

-- How often something was done on the UTC day `day` (days since 1970). One row for each subject and kind: a new day begins it again.
CREATE TABLE daily_counts (
  -- The id of an organisation, the e-mail address of a member, or the network address of a client.
  subject TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('change', 'creation', 'refusal', 'sign-in', 'link')),
  day INTEGER NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (subject, kind)
) STRICT, WITHOUT ROWID;
CREATE INDEX daily_counts_by_day ON daily_counts (day);

-- Who asked for a sign-in link: limits count by it. An OpenID Connect round trip has no row any more (it travels in a sealed
-- cookie); nonce, code_verifier and return_to stay for the Worker before this one, which an operator may roll back to.
ALTER TABLE sign_ins ADD COLUMN client TEXT;
CREATE INDEX sign_ins_by_email ON sign_ins (email, expires_at);
