-- Comparing with LiveKit: whose turn it is, when everybody was last seen, and what the timers scan that ask LiveKit first.

-- upgrade postgresql

CREATE TABLE {leases} (
  name text PRIMARY KEY,
  owner uuid NOT NULL,
  renewed_at timestamptz NOT NULL,
  until timestamptz NOT NULL
);

ALTER TABLE {calls} ADD COLUMN entered_at timestamptz;
ALTER TABLE {calls} ADD COLUMN seen_at timestamptz;
UPDATE {calls} AS c SET entered_at = (SELECT min(s.joined_at) FROM {sessions} s WHERE s.call_id = c.call_id)
  WHERE c.status = 'active';
CREATE INDEX calls_not_entered ON {calls} (started_at) WHERE status = 'active' AND entered_at IS NULL;
CREATE INDEX sessions_expiring ON {sessions} (token_expires_at) WHERE status = 'pending';

-- downgrade postgresql

DROP INDEX {sessions_expiring};
DROP INDEX {calls_not_entered};
ALTER TABLE {calls} DROP COLUMN seen_at;
ALTER TABLE {calls} DROP COLUMN entered_at;
DROP TABLE {leases};

-- upgrade sqlite

CREATE TABLE {leases} (
  name text NOT NULL PRIMARY KEY,
  owner text NOT NULL,
  renewed_at text NOT NULL,
  until text NOT NULL
) WITHOUT ROWID;

ALTER TABLE {calls} ADD COLUMN entered_at text;
ALTER TABLE {calls} ADD COLUMN seen_at text;
UPDATE {calls} AS c SET entered_at = (SELECT min(s.joined_at) FROM {sessions} s WHERE s.call_id = c.call_id)
  WHERE c.status = 'active';
CREATE INDEX calls_not_entered ON {calls} (started_at) WHERE status = 'active' AND entered_at IS NULL;
CREATE INDEX sessions_expiring ON {sessions} (token_expires_at) WHERE status = 'pending';

-- downgrade sqlite

DROP INDEX {sessions_expiring};
DROP INDEX {calls_not_entered};
ALTER TABLE {calls} DROP COLUMN seen_at;
ALTER TABLE {calls} DROP COLUMN entered_at;
DROP TABLE {leases};
