-- Calls, the sessions of the people in them, LiveKit's events and what LiveKit has yet to do.

-- upgrade postgresql

CREATE TABLE {users} (
  user_id text PRIMARY KEY,
  created_at timestamptz NOT NULL
);

CREATE TABLE {calls} (
  call_id uuid PRIMARY KEY,
  caller_id text NOT NULL REFERENCES {users} (user_id) ON UPDATE CASCADE,
  room_name text NOT NULL GENERATED ALWAYS AS ('call_' || call_id::text) STORED,
  status text NOT NULL CHECK (status IN ('active', 'ended')),
  started_at timestamptz NOT NULL,
  ended_at timestamptz,
  end_reason text,
  ended_by text,
  ended_by_type text CHECK (ended_by_type IN ('user', 'service')),
  user_ids json,
  max_participants bigint CHECK (max_participants BETWEEN 1 AND 10000),
  metadata json,
  participant_count bigint NOT NULL DEFAULT 0 CHECK (participant_count >= 0),
  room_deletion text CHECK (room_deletion IN ('pending', 'done')),
  version bigint NOT NULL DEFAULT 0,
  room_sid text,
  room_created_at timestamptz,
  token_issued_at timestamptz,
  closes_at timestamptz,
  CONSTRAINT calls_times CHECK (started_at <= ended_at),
  CONSTRAINT calls_end CHECK ((status = 'ended') = (ended_at IS NOT NULL) AND (status = 'ended') = (end_reason IS NOT NULL)),
  CONSTRAINT calls_ended_empty CHECK (status = 'active' OR participant_count = 0),
  CONSTRAINT calls_ended_by CHECK ((ended_by IS NULL) = (ended_by_type IS NULL))
);
CREATE INDEX calls_by_caller ON {calls} (caller_id);
CREATE INDEX calls_closing ON {calls} (closes_at) WHERE closes_at IS NOT NULL;

CREATE FUNCTION {keep_ended_calls}() RETURNS trigger LANGUAGE plpgsql AS {body}
BEGIN
  RAISE EXCEPTION 'call % ended at %: it stays so', OLD.call_id, OLD.ended_at USING ERRCODE = 'check_violation';
END {body};
CREATE TRIGGER calls_ended_once BEFORE UPDATE ON {calls} FOR EACH ROW
  WHEN (OLD.ended_at IS NOT NULL AND (NEW.ended_at IS DISTINCT FROM OLD.ended_at OR NEW.status <> OLD.status))
  EXECUTE FUNCTION {keep_ended_calls}();

CREATE TABLE {call_users} (
  call_id uuid NOT NULL REFERENCES {calls} (call_id) ON DELETE CASCADE,
  user_id text NOT NULL REFERENCES {users} (user_id) ON UPDATE CASCADE,
  position bigint NOT NULL,
  PRIMARY KEY (call_id, user_id)
);
CREATE INDEX call_users_by_user ON {call_users} (user_id, call_id);

CREATE FUNCTION {copy_user_ids}() RETURNS trigger LANGUAGE plpgsql AS {body}
BEGIN
  UPDATE {calls} SET user_ids = (
    SELECT json_agg(u.user_id ORDER BY u.position) FROM {call_users} u WHERE u.call_id = NEW.call_id
  ) WHERE call_id = NEW.call_id;
  RETURN NULL;
END {body};
CREATE TRIGGER call_users_renamed AFTER UPDATE OF user_id ON {call_users} FOR EACH ROW
  EXECUTE FUNCTION {copy_user_ids}();

CREATE TABLE {sessions} (
  session_id uuid PRIMARY KEY,
  call_id uuid NOT NULL REFERENCES {calls} (call_id) ON DELETE CASCADE,
  user_id text NOT NULL REFERENCES {users} (user_id) ON UPDATE CASCADE,
  name text NOT NULL,
  status text NOT NULL CHECK (status IN ('pending', 'active', 'ended')),
  created_at timestamptz NOT NULL,
  joined_at timestamptz,
  left_at timestamptz,
  disconnect_reason text,
  end_reason text,
  end_evidence text,
  participant_sid text,
  room_sid text,
  token_expires_at timestamptz,
  CONSTRAINT sessions_times CHECK (created_at <= left_at AND joined_at <= left_at),
  CONSTRAINT sessions_active CHECK (status <> 'active' OR (joined_at IS NOT NULL AND participant_sid IS NOT NULL)),
  CONSTRAINT sessions_pending CHECK (status <> 'pending' OR (joined_at IS NULL AND participant_sid IS NULL)),
  CONSTRAINT sessions_end CHECK ((status = 'ended') = (left_at IS NOT NULL) AND (status = 'ended') = (end_reason IS NOT NULL)
    AND (status = 'ended') = (end_evidence IS NOT NULL))
);
CREATE INDEX sessions_by_call ON {sessions} (call_id, created_at, session_id);
CREATE INDEX sessions_by_user ON {sessions} (user_id, call_id);
CREATE UNIQUE INDEX sessions_one_pending ON {sessions} (call_id, user_id) WHERE status = 'pending';
CREATE UNIQUE INDEX sessions_one_active ON {sessions} (call_id, user_id) WHERE status = 'active';
CREATE UNIQUE INDEX sessions_one_connection ON {sessions} (call_id, participant_sid) WHERE participant_sid IS NOT NULL;
CREATE INDEX sessions_open ON {sessions} (call_id) WHERE status <> 'ended';

CREATE TABLE {webhook_events} (
  call_id uuid NOT NULL REFERENCES {calls} (call_id) ON DELETE CASCADE,
  event_id text NOT NULL,
  type text NOT NULL,
  room_sid text,
  participant_sid text,
  reason text,
  occurred_at timestamptz NOT NULL,
  received_at timestamptz NOT NULL,
  PRIMARY KEY (call_id, event_id)
);

CREATE TABLE {outbox} (
  intent_id uuid PRIMARY KEY,
  call_id uuid NOT NULL REFERENCES {calls} (call_id) ON DELETE CASCADE,
  kind text NOT NULL CHECK (kind IN ('delete_room', 'remove_participant')),
  identity text,
  participant_sid text,
  created_at timestamptz NOT NULL,
  due_at timestamptz NOT NULL,
  attempts bigint NOT NULL DEFAULT 0,
  lease_owner uuid,
  lease_until timestamptz,
  CONSTRAINT outbox_participant CHECK (kind = 'delete_room' OR (identity IS NOT NULL AND participant_sid IS NOT NULL))
);
CREATE INDEX outbox_due ON {outbox} (due_at);
CREATE UNIQUE INDEX outbox_one_deletion ON {outbox} (call_id) WHERE kind = 'delete_room';

-- downgrade postgresql

DROP TABLE {outbox};
DROP TABLE {webhook_events};
DROP TABLE {sessions};
DROP TABLE {call_users};
DROP FUNCTION {copy_user_ids}();
DROP TABLE {calls};
DROP FUNCTION {keep_ended_calls}();
DROP TABLE {users};

-- upgrade sqlite

CREATE TABLE {users} (
  user_id text NOT NULL PRIMARY KEY,
  created_at text NOT NULL
) WITHOUT ROWID;

CREATE TABLE {calls} (
  call_id text NOT NULL PRIMARY KEY,
  caller_id text NOT NULL REFERENCES {users} (user_id) ON UPDATE CASCADE,
  room_name text NOT NULL GENERATED ALWAYS AS ('call_' || call_id) STORED,
  status text NOT NULL CHECK (status IN ('active', 'ended')),
  started_at text NOT NULL,
  ended_at text,
  end_reason text,
  ended_by text,
  ended_by_type text CHECK (ended_by_type IN ('user', 'service')),
  user_ids text,
  max_participants integer CHECK (max_participants BETWEEN 1 AND 10000),
  metadata text,
  participant_count integer NOT NULL DEFAULT 0 CHECK (participant_count >= 0),
  room_deletion text CHECK (room_deletion IN ('pending', 'done')),
  version integer NOT NULL DEFAULT 0,
  room_sid text,
  room_created_at text,
  token_issued_at text,
  closes_at text,
  CONSTRAINT calls_times CHECK (started_at <= ended_at),
  CONSTRAINT calls_end CHECK ((status = 'ended') = (ended_at IS NOT NULL) AND (status = 'ended') = (end_reason IS NOT NULL)),
  CONSTRAINT calls_ended_empty CHECK (status = 'active' OR participant_count = 0),
  CONSTRAINT calls_ended_by CHECK ((ended_by IS NULL) = (ended_by_type IS NULL))
) WITHOUT ROWID;
CREATE INDEX calls_by_caller ON {calls} (caller_id);
CREATE INDEX calls_closing ON {calls} (closes_at) WHERE closes_at IS NOT NULL;

CREATE TRIGGER calls_ended_once BEFORE UPDATE OF status, ended_at ON {calls}
  WHEN OLD.ended_at IS NOT NULL AND (NEW.ended_at IS NOT OLD.ended_at OR NEW.status <> OLD.status)
BEGIN
  SELECT RAISE(ABORT, 'an ended call stays so');
END;

CREATE TABLE {call_users} (
  call_id text NOT NULL REFERENCES {calls} (call_id) ON DELETE CASCADE,
  user_id text NOT NULL REFERENCES {users} (user_id) ON UPDATE CASCADE,
  position integer NOT NULL,
  PRIMARY KEY (call_id, user_id)
) WITHOUT ROWID;
CREATE INDEX call_users_by_user ON {call_users} (user_id, call_id);

CREATE TRIGGER call_users_renamed AFTER UPDATE OF user_id ON {call_users}
BEGIN
  UPDATE {calls} SET user_ids = (
    SELECT json_group_array(u.user_id) FROM (
      SELECT user_id FROM {call_users} WHERE call_id = NEW.call_id ORDER BY position
    ) u
  ) WHERE call_id = NEW.call_id;
END;

CREATE TABLE {sessions} (
  session_id text NOT NULL PRIMARY KEY,
  call_id text NOT NULL REFERENCES {calls} (call_id) ON DELETE CASCADE,
  user_id text NOT NULL REFERENCES {users} (user_id) ON UPDATE CASCADE,
  name text NOT NULL,
  status text NOT NULL CHECK (status IN ('pending', 'active', 'ended')),
  created_at text NOT NULL,
  joined_at text,
  left_at text,
  disconnect_reason text,
  end_reason text,
  end_evidence text,
  participant_sid text,
  room_sid text,
  token_expires_at text,
  CONSTRAINT sessions_times CHECK (created_at <= left_at AND joined_at <= left_at),
  CONSTRAINT sessions_active CHECK (status <> 'active' OR (joined_at IS NOT NULL AND participant_sid IS NOT NULL)),
  CONSTRAINT sessions_pending CHECK (status <> 'pending' OR (joined_at IS NULL AND participant_sid IS NULL)),
  CONSTRAINT sessions_end CHECK ((status = 'ended') = (left_at IS NOT NULL) AND (status = 'ended') = (end_reason IS NOT NULL)
    AND (status = 'ended') = (end_evidence IS NOT NULL))
) WITHOUT ROWID;
CREATE INDEX sessions_by_call ON {sessions} (call_id, created_at, session_id);
CREATE INDEX sessions_by_user ON {sessions} (user_id, call_id);
CREATE UNIQUE INDEX sessions_one_pending ON {sessions} (call_id, user_id) WHERE status = 'pending';
CREATE UNIQUE INDEX sessions_one_active ON {sessions} (call_id, user_id) WHERE status = 'active';
CREATE UNIQUE INDEX sessions_one_connection ON {sessions} (call_id, participant_sid) WHERE participant_sid IS NOT NULL;
CREATE INDEX sessions_open ON {sessions} (call_id) WHERE status <> 'ended';

CREATE TABLE {webhook_events} (
  call_id text NOT NULL REFERENCES {calls} (call_id) ON DELETE CASCADE,
  event_id text NOT NULL,
  type text NOT NULL,
  room_sid text,
  participant_sid text,
  reason text,
  occurred_at text NOT NULL,
  received_at text NOT NULL,
  PRIMARY KEY (call_id, event_id)
) WITHOUT ROWID;

CREATE TABLE {outbox} (
  intent_id text NOT NULL PRIMARY KEY,
  call_id text NOT NULL REFERENCES {calls} (call_id) ON DELETE CASCADE,
  kind text NOT NULL CHECK (kind IN ('delete_room', 'remove_participant')),
  identity text,
  participant_sid text,
  created_at text NOT NULL,
  due_at text NOT NULL,
  attempts integer NOT NULL DEFAULT 0,
  lease_owner text,
  lease_until text,
  CONSTRAINT outbox_participant CHECK (kind = 'delete_room' OR (identity IS NOT NULL AND participant_sid IS NOT NULL))
) WITHOUT ROWID;
CREATE INDEX outbox_due ON {outbox} (due_at);
CREATE UNIQUE INDEX outbox_one_deletion ON {outbox} (call_id) WHERE kind = 'delete_room';

-- downgrade sqlite

DROP TABLE {outbox};
DROP TABLE {webhook_events};
DROP TABLE {sessions};
DROP TABLE {call_users};
DROP TABLE {calls};
DROP TABLE {users};
