-- All that `POST /calls` writes, in one statement, on the service's own schema with its indexes, checks and triggers.
\set user random(1, 100000)
WITH ids AS MATERIALIZED (SELECT gen_random_uuid() AS call_id, gen_random_uuid() AS session_id, 'user-' || :user AS user_id),
u AS (INSERT INTO users (user_id, created_at) SELECT user_id, now() FROM ids ON CONFLICT DO NOTHING),
c AS (INSERT INTO calls (call_id, caller_id, status, started_at, token_issued_at)
  SELECT call_id, user_id, 'active', now(), now() FROM ids),
s AS (INSERT INTO sessions (session_id, call_id, user_id, name, status, created_at, token_expires_at)
  SELECT session_id, call_id, user_id, user_id, 'pending', now(), now() + interval '10 min' FROM ids)
INSERT INTO timeline (call_id, seq, at, type, cause, actor, actor_type, session_id)
  SELECT call_id, 1, now(), 'call.started', 'api', 'backend', 'service', NULL::uuid FROM ids
  UNION ALL SELECT call_id, 2, now(), 'session.created', 'api', 'backend', 'service', session_id FROM ids;
