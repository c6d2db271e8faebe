-- What a call consists of, for fill.sql.
CREATE TABLE bench_guest (n bigint PRIMARY KEY);
INSERT INTO bench_guest VALUES (0), (1), (2);

CREATE TABLE bench_event (type text, of_guest bigint, at_end bigint, after bigint);
INSERT INTO bench_event VALUES
  ('room_started', 0, 0, 900), ('joined', 1, 0, 1000), ('left', 1, 1, 590000), ('room_finished', 0, 1, 600000);

-- `seq` for a call without guests; each guest adds one entry to every kind that is `each_guest`.
CREATE TABLE bench_entry (type text, cause text, each_guest bigint, at_end bigint, after bigint, seq bigint, guests_before bigint);
INSERT INTO bench_entry VALUES
  ('call.started', 'api', 0, 0, 0, 1, 0), ('session.created', 'api', 1, 0, 0, 2, 0),
  ('room.started', 'webhook', 0, 0, 900, 3, 1), ('session.joined', 'webhook', 1, 0, 1000, 4, 1),
  ('session.left', 'webhook', 1, 1, 590000, 5, 2), ('call.ended', 'webhook', 0, 1, 600000, 6, 3);
CREATE TABLE bench_user (n bigint PRIMARY KEY);
CREATE TABLE bench_base (n bigint PRIMARY KEY, ms bigint, call_id {uuid}, caller bigint, guests bigint, ended bigint);
