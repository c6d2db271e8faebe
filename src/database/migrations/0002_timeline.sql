-- Every change of a call and of the sessions in it, in the order applied. Changes made before this migration, or by a
-- release that does not know it, have no entry.

-- upgrade postgresql

CREATE TABLE {timeline} (
  call_id uuid NOT NULL REFERENCES {calls} (call_id) ON DELETE CASCADE,
  seq bigint NOT NULL,
  at timestamptz NOT NULL,
  occurred_at timestamptz,
  type text NOT NULL,
  cause text NOT NULL,
  actor text,
  actor_type text CHECK (actor_type IN ('user', 'service')),
  session_id uuid,
  event_id text,
  detail json,
  PRIMARY KEY (call_id, seq),
  CONSTRAINT timeline_actor CHECK ((actor IS NULL) = (actor_type IS NULL))
);

CREATE FUNCTION {rename_actor}() RETURNS trigger LANGUAGE plpgsql AS {body}
BEGIN
  UPDATE {timeline} SET actor = NEW.user_id
  WHERE actor_type = 'user' AND actor = OLD.user_id AND call_id IN (
    SELECT call_id FROM {calls} WHERE caller_id IN (OLD.user_id, NEW.user_id)
    UNION SELECT call_id FROM {sessions} WHERE user_id IN (OLD.user_id, NEW.user_id)
    UNION SELECT call_id FROM {calls} WHERE ended_by_type = 'user' AND ended_by = OLD.user_id);
  UPDATE {calls} SET ended_by = NEW.user_id WHERE ended_by_type = 'user' AND ended_by = OLD.user_id;
  RETURN NULL;
END {body};
CREATE TRIGGER users_renamed AFTER UPDATE OF user_id ON {users} FOR EACH ROW
  WHEN (OLD.user_id <> NEW.user_id) EXECUTE FUNCTION {rename_actor}();

-- downgrade postgresql

DROP TRIGGER users_renamed ON {users};
DROP FUNCTION {rename_actor}();
DROP TABLE {timeline};

-- upgrade sqlite

CREATE TABLE {timeline} (
  call_id text NOT NULL REFERENCES {calls} (call_id) ON DELETE CASCADE,
  seq integer NOT NULL,
  at text NOT NULL,
  occurred_at text,
  type text NOT NULL,
  cause text NOT NULL,
  actor text,
  actor_type text CHECK (actor_type IN ('user', 'service')),
  session_id text,
  event_id text,
  detail text,
  PRIMARY KEY (call_id, seq),
  CONSTRAINT timeline_actor CHECK ((actor IS NULL) = (actor_type IS NULL))
) WITHOUT ROWID;

CREATE TRIGGER users_renamed AFTER UPDATE OF user_id ON {users} WHEN OLD.user_id <> NEW.user_id
BEGIN
  UPDATE {timeline} SET actor = NEW.user_id
  WHERE actor_type = 'user' AND actor = OLD.user_id AND call_id IN (
    SELECT call_id FROM {calls} WHERE caller_id IN (OLD.user_id, NEW.user_id)
    UNION SELECT call_id FROM {sessions} WHERE user_id IN (OLD.user_id, NEW.user_id)
    UNION SELECT call_id FROM {calls} WHERE ended_by_type = 'user' AND ended_by = OLD.user_id);
  UPDATE {calls} SET ended_by = NEW.user_id WHERE ended_by_type = 'user' AND ended_by = OLD.user_id;
END;

-- downgrade sqlite

DROP TRIGGER users_renamed;
DROP TABLE {timeline};
