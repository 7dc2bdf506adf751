-- The organisations of local mode. Run once per state folder by scripts/dev.ts.
INSERT INTO organisations (id, name, plan, created_at) VALUES
  ('acme', 'Acme Events', 'enterprise', strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
  ('globex', 'Globex Runs', 'pro', strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
  ('initech', 'Initech Weddings', 'trial', strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
  ('umbrella', 'Umbrella Races', 'pay-as-you-go', strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
  ('hooli', 'Hooli Summits', 'enterprise', strftime('%Y-%m-%dT%H:%M:%fZ', 'now'));
INSERT INTO members (email, organisation_id, created_at) VALUES
  ('owner@example.com', 'acme', strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
  ('member@example.com', 'acme', strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
  ('owner@example.com', 'globex', strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
  ('owner@example.com', 'initech', strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
  ('owner@example.com', 'umbrella', strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
  ('stranger@example.com', 'hooli', strftime('%Y-%m-%dT%H:%M:%fZ', 'now'));
