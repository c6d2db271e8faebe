-- Whose calls are whose, and in which order: every list of the API reads one index from one end.

-- upgrade postgresql

CREATE INDEX calls_by_status ON {calls} (status, started_at, call_id);
CREATE INDEX calls_by_caller_and_status ON {calls} (caller_id, status, started_at, call_id);
DROP INDEX {calls_by_caller};
CREATE INDEX sessions_active_by_user ON {sessions} (user_id, created_at, session_id) WHERE status = 'active';

-- Who is listed in a call or has a session in it, but for its caller. Written by triggers, so by older releases too.
CREATE TABLE {call_members} (
  call_id uuid NOT NULL REFERENCES {calls} (call_id) ON DELETE CASCADE,
  user_id text NOT NULL REFERENCES {users} (user_id) ON UPDATE CASCADE,
  status text NOT NULL CHECK (status IN ('active', 'ended')),
  started_at timestamptz NOT NULL,
  PRIMARY KEY (call_id, user_id)
);
CREATE INDEX call_members_by_user ON {call_members} (user_id, status, started_at, call_id);

CREATE FUNCTION {add_call_members}() RETURNS trigger LANGUAGE plpgsql AS {body}
BEGIN
  INSERT INTO {call_members} (call_id, user_id, status, started_at)
    SELECT DISTINCT a.call_id, a.user_id, c.status, c.started_at
    FROM added a JOIN {calls} c ON c.call_id = a.call_id WHERE a.user_id <> c.caller_id
    ON CONFLICT (call_id, user_id) DO NOTHING;
  RETURN NULL;
END {body};
CREATE TRIGGER call_users_are_members AFTER INSERT ON {call_users} REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION {add_call_members}();
CREATE TRIGGER sessions_make_members AFTER INSERT ON {sessions} REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION {add_call_members}();

CREATE FUNCTION {end_call_members}() RETURNS trigger LANGUAGE plpgsql AS {body}
BEGIN
  UPDATE {call_members} SET status = NEW.status WHERE call_id = NEW.call_id;
  RETURN NULL;
END {body};
CREATE TRIGGER calls_end_for_members AFTER UPDATE OF status ON {calls} FOR EACH ROW
  WHEN (OLD.status <> NEW.status) EXECUTE FUNCTION {end_call_members}();

INSERT INTO {call_members} (call_id, user_id, status, started_at)
  SELECT m.call_id, m.user_id, c.status, c.started_at
  FROM (SELECT call_id, user_id FROM {call_users} UNION SELECT call_id, user_id FROM {sessions}) m
  JOIN {calls} c ON c.call_id = m.call_id WHERE m.user_id <> c.caller_id;

-- downgrade postgresql

DROP TRIGGER calls_end_for_members ON {calls};
DROP FUNCTION {end_call_members}();
DROP TRIGGER sessions_make_members ON {sessions};
DROP TRIGGER call_users_are_members ON {call_users};
DROP FUNCTION {add_call_members}();
DROP TABLE {call_members};
DROP INDEX {sessions_active_by_user};
CREATE INDEX calls_by_caller ON {calls} (caller_id);
DROP INDEX {calls_by_caller_and_status};
DROP INDEX {calls_by_status};

-- upgrade sqlite

CREATE INDEX calls_by_status ON {calls} (status, started_at, call_id);
CREATE INDEX calls_by_caller_and_status ON {calls} (caller_id, status, started_at, call_id);
DROP INDEX {calls_by_caller};
CREATE INDEX sessions_active_by_user ON {sessions} (user_id, created_at, session_id) WHERE status = 'active';

CREATE TABLE {call_members} (
  call_id text NOT NULL REFERENCES {calls} (call_id) ON DELETE CASCADE,
  user_id text NOT NULL REFERENCES {users} (user_id) ON UPDATE CASCADE,
  status text NOT NULL CHECK (status IN ('active', 'ended')),
  started_at text NOT NULL,
  PRIMARY KEY (call_id, user_id)
) WITHOUT ROWID;
CREATE INDEX call_members_by_user ON {call_members} (user_id, status, started_at, call_id);

CREATE TRIGGER call_users_are_members AFTER INSERT ON {call_users}
BEGIN
  INSERT INTO {call_members} (call_id, user_id, status, started_at)
    SELECT c.call_id, NEW.user_id, c.status, c.started_at FROM {calls} c
    WHERE c.call_id = NEW.call_id AND c.caller_id <> NEW.user_id AND NOT EXISTS (
      SELECT 1 FROM {call_members} m WHERE m.call_id = NEW.call_id AND m.user_id = NEW.user_id);
END;
CREATE TRIGGER sessions_make_members AFTER INSERT ON {sessions}
BEGIN
  INSERT INTO {call_members} (call_id, user_id, status, started_at)
    SELECT c.call_id, NEW.user_id, c.status, c.started_at FROM {calls} c
    WHERE c.call_id = NEW.call_id AND c.caller_id <> NEW.user_id AND NOT EXISTS (
      SELECT 1 FROM {call_members} m WHERE m.call_id = NEW.call_id AND m.user_id = NEW.user_id);
END;
CREATE TRIGGER calls_end_for_members AFTER UPDATE OF status ON {calls} WHEN OLD.status <> NEW.status
BEGIN
  UPDATE {call_members} SET status = NEW.status WHERE call_id = NEW.call_id;
END;

INSERT INTO {call_members} (call_id, user_id, status, started_at)
  SELECT m.call_id, m.user_id, c.status, c.started_at
  FROM (SELECT call_id, user_id FROM {call_users} UNION SELECT call_id, user_id FROM {sessions}) m
  JOIN {calls} c ON c.call_id = m.call_id WHERE m.user_id <> c.caller_id;

-- downgrade sqlite

DROP TRIGGER calls_end_for_members;
DROP TRIGGER sessions_make_members;
DROP TRIGGER call_users_are_members;
DROP TABLE {call_members};
DROP INDEX {sessions_active_by_user};
CREATE INDEX calls_by_caller ON {calls} (caller_id);
DROP INDEX {calls_by_caller_and_status};
DROP INDEX {calls_by_status};
