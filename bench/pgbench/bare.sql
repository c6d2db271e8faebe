-- What a start cannot do without: user, call, session; one statement, on bare tables (bare-schema.sql).
\set user random(1, 100000)
WITH u AS (INSERT INTO users (user_id, created_at) VALUES ('user-' || :user, now()) ON CONFLICT DO NOTHING),
c AS (INSERT INTO calls (call_id, caller_id, status, started_at)
  VALUES (gen_random_uuid(), 'user-' || :user, 'active', now()) RETURNING call_id)
INSERT INTO sessions (session_id, call_id, user_id, name, status, created_at, token_expires_at)
  SELECT gen_random_uuid(), c.call_id, 'user-' || :user, 'user-' || :user, 'pending', now(), now() + interval '10 min' FROM c;
