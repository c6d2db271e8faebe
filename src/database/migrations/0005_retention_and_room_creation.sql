-- What retention scans, and rooms that we create ourselves (LIVEKIT_ROOM_CREATION=on_start).
-- compatible from 0003

-- upgrade postgresql

CREATE INDEX calls_by_end ON {calls} (ended_at, call_id) WHERE ended_at IS NOT NULL;
CREATE INDEX outbox_by_call ON {outbox} (call_id);

CREATE TABLE {room_creations} (
  call_id uuid PRIMARY KEY REFERENCES {calls} (call_id) ON DELETE CASCADE,
  creation_id uuid NOT NULL,
  empty_timeout_seconds bigint NOT NULL,
  due_at timestamptz NOT NULL,
  attempts bigint NOT NULL DEFAULT 0,
  lease_owner uuid,
  lease_until timestamptz
);
CREATE INDEX room_creations_due ON {room_creations} (due_at);

-- downgrade postgresql

DROP TABLE {room_creations};
DROP INDEX {outbox_by_call};
DROP INDEX {calls_by_end};

-- upgrade sqlite

CREATE INDEX calls_by_end ON {calls} (ended_at, call_id) WHERE ended_at IS NOT NULL;
CREATE INDEX outbox_by_call ON {outbox} (call_id);

CREATE TABLE {room_creations} (
  call_id text NOT NULL PRIMARY KEY REFERENCES {calls} (call_id) ON DELETE CASCADE,
  creation_id text NOT NULL,
  empty_timeout_seconds integer NOT NULL,
  due_at text NOT NULL,
  attempts integer NOT NULL DEFAULT 0,
  lease_owner text,
  lease_until text
) WITHOUT ROWID;
CREATE INDEX room_creations_due ON {room_creations} (due_at);

-- downgrade sqlite

DROP TABLE {room_creations};
DROP INDEX {outbox_by_call};
DROP INDEX {calls_by_end};
