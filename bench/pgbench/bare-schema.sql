-- The least that keeps calls and sessions: keys and the foreign keys between them.
CREATE TABLE users (user_id text PRIMARY KEY, created_at timestamptz NOT NULL);
CREATE TABLE calls (
  call_id uuid PRIMARY KEY,
  caller_id text NOT NULL REFERENCES users,
  status text NOT NULL,
  started_at timestamptz NOT NULL,
  ended_at timestamptz
);
CREATE TABLE sessions (
  session_id uuid PRIMARY KEY,
  call_id uuid NOT NULL REFERENCES calls,
  user_id text NOT NULL REFERENCES users,
  name text NOT NULL,
  status text NOT NULL,
  created_at timestamptz NOT NULL,
  left_at timestamptz,
  token_expires_at timestamptz
);
CREATE INDEX ON sessions (call_id);
