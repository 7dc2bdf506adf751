-- Which deployment this database belongs to: the id of its hubs' namespace. The first hub that reads the database writes it. A
-- second Worker on the same database would change it without telling the hubs of the first, so its hubs refuse to answer.
CREATE TABLE deployment (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  hubs TEXT NOT NULL
) STRICT;
