-- What is needed to decide alike in every order of arrival: when the newest generation of a call's room was finished, and
-- which generations there were before it.
-- compatible from 0003

-- upgrade postgresql

ALTER TABLE {calls} ADD COLUMN room_finished_at timestamptz;
ALTER TABLE {calls} ADD COLUMN former_rooms json;

-- downgrade postgresql

ALTER TABLE {calls} DROP COLUMN former_rooms;
ALTER TABLE {calls} DROP COLUMN room_finished_at;

-- upgrade sqlite

ALTER TABLE {calls} ADD COLUMN room_finished_at text;
ALTER TABLE {calls} ADD COLUMN former_rooms text;

-- downgrade sqlite

ALTER TABLE {calls} DROP COLUMN former_rooms;
ALTER TABLE {calls} DROP COLUMN room_finished_at;
