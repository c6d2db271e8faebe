-- Copies the ended calls of the FastAPI service, with their sessions and users, into the tables of this service: both in one
-- PostgreSQL database, in two schemas. What is active is left out, what is there already stays as it is: run it as often as you like.
--
--   psql "$DATABASE_URL" -v ON_ERROR_STOP=1 -v old=public -v new=call_service -f import-ended-calls.sql

\if :{?old} \else \set old public
\endif
\if :{?new} \else \set new call_service
\endif
\set QUIET on

BEGIN;
SET LOCAL TimeZone = 'UTC'; -- times without a zone are UTC

-- 1. The old tables. Columns are found by their usual names, whatever their types; name others here if yours differ. User ids
--    must be those that your applications send in requests.

CREATE TEMP TABLE old_users ON COMMIT DROP AS
  SELECT coalesce(r->>'user_id', r->>'id') AS user_id, (r->>'created_at')::timestamptz AS created_at
  FROM (SELECT to_jsonb(u) AS r FROM :"old".users u) o;

CREATE TEMP TABLE old_calls ON COMMIT DROP AS
  SELECT coalesce(r->>'call_id', r->>'id') AS id, r->>'caller_id' AS caller_id,
         coalesce(r->>'started_at', r->>'created_at')::timestamptz AS started_at,
         (r->>'ended_at')::timestamptz AS ended_at, r->>'end_reason' AS reason
  FROM (SELECT to_jsonb(c) AS r FROM :"old".calls c) o;

CREATE TEMP TABLE old_sessions ON COMMIT DROP AS
  SELECT coalesce(r->>'session_id', r->>'id') AS id, r->>'call_id' AS call, r->>'user_id' AS user_id,
         coalesce(r->>'created_at', r->>'started_at', r->>'joined_at')::timestamptz AS created_at,
         (r->>'joined_at')::timestamptz AS joined_at,
         coalesce(r->>'left_at', r->>'ended_at')::timestamptz AS left_at,
         coalesce(r->>'end_reason', r->>'disconnect_reason') AS reason
  FROM (SELECT to_jsonb(s) AS r FROM :"old".sessions s) o;

-- 2. What old reasons are called here. A call with any other reason, or none, becomes `ended`; a session without one becomes
--    `call_ended` if it lasted until the call's end, else `left`.

CREATE TEMP TABLE reasons (kind text, old text, new text) ON COMMIT DROP;
INSERT INTO reasons VALUES
  ('call', 'room_finished', 'room_finished'), ('call', 'room_closed', 'room_finished'),
  ('session', 'call_ended', 'call_ended'), ('session', 'room_finished', 'call_ended'), ('session', 'room_deleted', 'call_ended'),
  ('session', 'removed', 'removed'), ('session', 'kicked', 'removed'), ('session', 'replaced', 'replaced'),
  ('session', 'left', 'left'), ('session', 'participant_left', 'left'), ('session', 'disconnected', 'left');

-- 3. What can be copied: ids that the API accepts, times in order. Nothing below needs a change.

CREATE FUNCTION pg_temp.is_uuid(id text) RETURNS boolean LANGUAGE sql IMMUTABLE AS
  $$ SELECT coalesce(id ~* '^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$', false) $$;
CREATE FUNCTION pg_temp.is_user_id(id text) RETURNS boolean LANGUAGE sql IMMUTABLE AS
  $$ SELECT coalesce(length(id) BETWEEN 1 AND 128 AND id !~ '[\u0001-\u001f\u007f-\u009f]' AND id !~ '^\s|\s$'
                     AND id NOT IN ('.', '..'), false) $$;

CREATE TEMP TABLE sound_calls ON COMMIT DROP AS
  SELECT id, id::uuid AS call_id, caller_id, date_trunc('milliseconds', started_at) AS started_at,
         date_trunc('milliseconds', greatest(started_at, ended_at)) AS ended_at, coalesce(r.new, 'ended') AS end_reason
  FROM old_calls c LEFT JOIN reasons r ON r.kind = 'call' AND r.old = lower(c.reason)
  WHERE ended_at IS NOT NULL AND started_at IS NOT NULL AND pg_temp.is_uuid(id) AND pg_temp.is_user_id(caller_id);

CREATE TEMP TABLE new_calls ON COMMIT DROP AS
  SELECT * FROM sound_calls s WHERE NOT EXISTS (SELECT 1 FROM :"new".calls c WHERE c.call_id = s.call_id);

CREATE TEMP TABLE new_sessions ON COMMIT DROP AS
  SELECT s.id::uuid AS session_id, c.call_id, s.user_id, t.left_at,
         CASE WHEN t.joined_at IS NOT NULL THEN least(t.joined_at, t.left_at) END AS joined_at,
         least(coalesce(t.created_at, c.started_at), t.left_at) AS created_at,
         coalesce(r.new, CASE WHEN t.left_at = c.ended_at THEN 'call_ended' ELSE 'left' END) AS end_reason
  FROM new_calls c JOIN old_sessions s ON s.call = c.id LEFT JOIN reasons r ON r.kind = 'session' AND r.old = lower(s.reason),
  LATERAL (SELECT date_trunc('milliseconds', s.created_at) AS created_at, date_trunc('milliseconds', s.joined_at) AS joined_at,
                  least(c.ended_at, greatest(c.started_at, date_trunc('milliseconds', coalesce(s.left_at, c.ended_at)))) AS left_at) t
  WHERE pg_temp.is_uuid(s.id) AND pg_temp.is_user_id(s.user_id);

-- 4. The copy, in the order that foreign keys want.

INSERT INTO :"new".users (user_id, created_at)
  SELECT n.user_id, date_trunc('milliseconds', coalesce(min(u.created_at), min(n.seen_at)))
  FROM (SELECT caller_id AS user_id, started_at AS seen_at FROM new_calls
        UNION ALL SELECT user_id, created_at FROM new_sessions) n
  LEFT JOIN old_users u ON u.user_id = n.user_id GROUP BY n.user_id ORDER BY n.user_id
  ON CONFLICT (user_id) DO NOTHING;

INSERT INTO :"new".calls (call_id, caller_id, status, started_at, ended_at, end_reason)
  SELECT call_id, caller_id, 'ended', started_at, ended_at, end_reason FROM new_calls;

-- `api`: no late webhook changes these ends.
INSERT INTO :"new".sessions (session_id, call_id, user_id, name, status, created_at, joined_at, left_at, end_reason, end_evidence)
  SELECT session_id, call_id, user_id, user_id, 'ended', created_at, joined_at, left_at, end_reason, 'api' FROM new_sessions;

INSERT INTO :"new".timeline (call_id, seq, at, occurred_at, type, cause, session_id, detail)
  SELECT call_id, row_number() OVER (PARTITION BY call_id ORDER BY occurred_at, rank, session_id),
         date_trunc('milliseconds', now()), occurred_at, type, 'import', session_id, detail
  FROM (SELECT call_id, started_at AS occurred_at, 0 AS rank, 'call.started' AS type, NULL::uuid AS session_id, NULL::json AS detail FROM new_calls
        UNION ALL SELECT call_id, created_at, 1, 'session.created', session_id, NULL FROM new_sessions
        UNION ALL SELECT call_id, joined_at, 2, 'session.joined', session_id, NULL FROM new_sessions WHERE joined_at IS NOT NULL
        UNION ALL SELECT call_id, ended_at, 3, 'call.ended', NULL, json_build_object('end_reason', end_reason) FROM new_calls
        UNION ALL SELECT call_id, left_at, 4, 'session.left', session_id, json_build_object('end_reason', end_reason) FROM new_sessions) e;

-- 5. What became of everything.

\pset footer off
SELECT what, number FROM (VALUES
  (1, 'calls copied', (SELECT count(*) FROM new_calls)),
  (2, 'sessions copied', (SELECT count(*) FROM new_sessions)),
  (3, 'calls that were there already', (SELECT count(*) FROM sound_calls) - (SELECT count(*) FROM new_calls)),
  (4, 'calls left out: still active', (SELECT count(*) FROM old_calls WHERE ended_at IS NULL)),
  (5, 'calls left out: an id or time that the API would not accept',
      (SELECT count(*) FROM old_calls WHERE ended_at IS NOT NULL) - (SELECT count(*) FROM sound_calls)),
  (6, 'sessions left out of copied calls: the same',
      (SELECT count(*) FROM old_sessions s JOIN new_calls c ON c.id = s.call) - (SELECT count(*) FROM new_sessions))
) report (line, what, number) ORDER BY line;

COMMIT;
