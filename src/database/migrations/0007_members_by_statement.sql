-- A call's members follow its end by one trigger for a whole statement, and calls leave room on their pages for what
-- changes in them: most of that is in no index, and then no index has to be written.
-- compatible from 0003

-- upgrade postgresql

ALTER TABLE {calls} SET (fillfactor = 70);

CREATE OR REPLACE FUNCTION {add_call_members}() RETURNS trigger LANGUAGE plpgsql AS {body}
BEGIN
  INSERT INTO {call_members} (call_id, user_id, status, started_at)
    SELECT DISTINCT a.call_id, a.user_id, c.status, c.started_at
    FROM added a JOIN LATERAL (SELECT c.* FROM {calls} c WHERE c.call_id = a.call_id OFFSET 0) c ON true
    WHERE a.user_id <> c.caller_id
    ON CONFLICT (call_id, user_id) DO NOTHING;
  RETURN NULL;
END {body};

DROP TRIGGER calls_end_for_members ON {calls};
CREATE OR REPLACE FUNCTION {end_call_members}() RETURNS trigger LANGUAGE plpgsql AS {body}
BEGIN
  UPDATE {call_members} t SET status = 'ended'
    FROM changed c JOIN LATERAL (SELECT m.* FROM {call_members} m WHERE m.call_id = c.call_id OFFSET 0) m ON true
    WHERE c.status = 'ended' AND m.status <> 'ended' AND t.call_id = m.call_id AND t.user_id = m.user_id;
  RETURN NULL;
END {body};
CREATE TRIGGER calls_end_for_members AFTER UPDATE ON {calls} REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION {end_call_members}();

-- downgrade postgresql

DROP TRIGGER calls_end_for_members ON {calls};
CREATE OR REPLACE FUNCTION {end_call_members}() RETURNS trigger LANGUAGE plpgsql AS {body}
BEGIN
  UPDATE {call_members} SET status = NEW.status WHERE call_id = NEW.call_id;
  RETURN NULL;
END {body};
CREATE TRIGGER calls_end_for_members AFTER UPDATE OF status ON {calls} FOR EACH ROW
  WHEN (OLD.status <> NEW.status) EXECUTE FUNCTION {end_call_members}();

CREATE OR REPLACE FUNCTION {add_call_members}() RETURNS trigger LANGUAGE plpgsql AS {body}
BEGIN
  INSERT INTO {call_members} (call_id, user_id, status, started_at)
    SELECT DISTINCT a.call_id, a.user_id, c.status, c.started_at
    FROM added a JOIN {calls} c ON c.call_id = a.call_id WHERE a.user_id <> c.caller_id
    ON CONFLICT (call_id, user_id) DO NOTHING;
  RETURN NULL;
END {body};

ALTER TABLE {calls} RESET (fillfactor);

-- upgrade sqlite

-- downgrade sqlite

