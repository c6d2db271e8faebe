-- Fills our tables with calls as they would be after 90 days, from bench_base, a row a call: its number `n`, `ms` when it
-- started, the number of its `caller`, how many `guests` joined, whether it has `ended`. Both databases run this: they
-- define bench_id(ms, n, kind) and bench_time(ms), and have the guests' numbers in bench_guest. As LiveKit's events
-- would have made it: each guest comes a second after the one before, all go when the call ends.

INSERT INTO users (user_id, created_at)
SELECT 'user-' || n, bench_time(1700000000000) FROM bench_user;

INSERT INTO calls (call_id, caller_id, status, started_at, ended_at, end_reason, participant_count, version, room_sid,
  room_created_at, token_issued_at, entered_at, room_finished_at)
SELECT call_id, 'user-' || caller, CASE WHEN ended = 1 THEN 'ended' ELSE 'active' END, bench_time(ms),
  CASE WHEN ended = 1 THEN bench_time(ms + 600000) END, CASE WHEN ended = 1 THEN 'room_finished' END,
  CASE WHEN ended = 1 THEN 0 ELSE guests + 1 END, 3 + 2 * guests, 'RM_' || n, bench_time(ms + 900),
  bench_time(ms + 1000 * guests), bench_time(ms + 1000), CASE WHEN ended = 1 THEN bench_time(ms + 600000) END
FROM bench_base ORDER BY n;

INSERT INTO call_members (call_id, user_id, status, started_at)
SELECT b.call_id, 'user-' || ((b.caller + g.n) % (SELECT count(*) FROM bench_user)),
  CASE WHEN b.ended = 1 THEN 'ended' ELSE 'active' END, bench_time(b.ms)
FROM bench_base b JOIN bench_guest g ON g.n BETWEEN 1 AND b.guests ORDER BY b.n;

INSERT INTO sessions (session_id, call_id, user_id, name, status, created_at, joined_at, left_at, disconnect_reason,
  end_reason, end_evidence, participant_sid, room_sid, token_expires_at)
SELECT bench_id(b.ms, b.n, 1 + g.n), b.call_id, 'user-' || ((b.caller + g.n) % (SELECT count(*) FROM bench_user)),
  'user-' || ((b.caller + g.n) % (SELECT count(*) FROM bench_user)), CASE WHEN b.ended = 1 THEN 'ended' ELSE 'active' END,
  bench_time(b.ms + 1000 * g.n), bench_time(b.ms + 1000 * g.n + 1000), CASE WHEN b.ended = 1 THEN bench_time(b.ms + 590000) END,
  CASE WHEN b.ended = 1 THEN 'client_initiated' END, CASE WHEN b.ended = 1 THEN 'left' END,
  CASE WHEN b.ended = 1 THEN 'departure' END, 'PA_' || b.n || '_' || g.n, 'RM_' || b.n, bench_time(b.ms + 1000 * g.n + 600000)
FROM bench_base b JOIN bench_guest g ON g.n <= b.guests ORDER BY b.n;

INSERT INTO webhook_events (call_id, event_id, type, room_sid, participant_sid, reason, occurred_at, received_at)
SELECT b.call_id, e.type || b.n || '_' || g.n, e.type, 'RM_' || b.n, CASE WHEN e.of_guest = 1 THEN 'PA_' || b.n || '_' || g.n END,
  CASE WHEN e.type = 'left' THEN 'client_initiated' END, bench_time(b.ms + e.after), bench_time(b.ms + e.after)
FROM bench_base b JOIN bench_guest g ON g.n <= b.guests JOIN bench_event e ON (e.of_guest = 1 OR g.n = 0) AND e.at_end <= b.ended
ORDER BY b.n;

INSERT INTO timeline (call_id, seq, at, occurred_at, type, cause, actor, actor_type, session_id, event_id)
SELECT b.call_id, t.seq + t.guests_before * b.guests + t.each_guest * g.n, bench_time(b.ms + t.after),
  CASE WHEN t.cause = 'webhook' THEN bench_time(b.ms + t.after) END, t.type, t.cause,
  CASE WHEN t.cause = 'api' THEN 'backend' END, CASE WHEN t.cause = 'api' THEN 'service' END,
  CASE WHEN t.each_guest = 1 THEN bench_id(b.ms, b.n, 1 + g.n) END, CASE WHEN t.cause = 'webhook' THEN t.type || b.n || '_' || g.n END
FROM bench_base b JOIN bench_guest g ON g.n <= b.guests JOIN bench_entry t ON (t.each_guest = 1 OR g.n = 0) AND t.at_end <= b.ended
ORDER BY b.n;
