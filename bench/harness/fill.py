"""Fills the tables of a variant with many calls, by SQL."""

import contextlib
import hashlib
import sqlite3
import time

from harness.variants import Server
from harness.world import BENCH

DAYS = 90
FOLDER = BENCH / "growth"

BENCH_ID = """CREATE FUNCTION bench_id(ms bigint, n bigint, kind bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
SELECT (lpad(to_hex(ms), 12, '0') || '7' || substr(md5(n::text), 1, 3) || '8' || substr(md5(n::text), 4, 5)
  || lpad(to_hex(n), 9, '0') || kind)::uuid $$"""
BENCH_TIME = """CREATE FUNCTION bench_time(ms bigint) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$
SELECT timestamptz 'epoch' + ms * interval '1 millisecond' $$"""

# Every hundredth call of late goes on; every user starts a hundred calls, at random times.
BASE = """INSERT INTO bench_base SELECT n, ms, bench_id(ms, n, 0), (n * 2654435761) % 4294967296 % {users}, n % 3,
  CASE WHEN n > {calls} * 99 / 100 THEN 0 ELSE 1 END
FROM (SELECT n, {begin} + n * {period} / {calls} AS ms FROM ({series}) numbers) timed"""
SQLITE_SERIES = "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {count}) SELECT n FROM s"

# It is faster to make indexes of what is there already. Those of constraints stay.
DROP_INDEXES = """CREATE TABLE bench_index AS SELECT indexname, indexdef FROM pg_indexes
  WHERE schemaname = 'public' AND indexname NOT IN (SELECT conname FROM pg_constraint) AND indexname NOT LIKE 'bench%';
DO $$ DECLARE i record; BEGIN FOR i IN SELECT * FROM bench_index LOOP EXECUTE 'DROP INDEX ' || i.indexname; END LOOP; END $$"""
MAKE_INDEXES = "DO $$ DECLARE i record; BEGIN FOR i IN SELECT * FROM bench_index LOOP EXECUTE i.indexdef; END LOOP; END $$"


def user_count(calls: int) -> int:
    return calls // 100


def statements(text: str) -> list[str]:
    return [part for part in text.split(";\n") if part.strip()]


def base(calls: int, series: str) -> str:
    period = DAYS * 24 * 3600 * 1000
    begin = time.time_ns() // 1_000_000 - period - 3600 * 1000
    return BASE.format(users=user_count(calls), calls=calls, begin=begin, period=period, series=series)


def fill(server: Server, calls: int) -> None:
    prepare, tables = (FOLDER / "prepare.sql").read_text(), (FOLDER / "fill.sql").read_text()
    if server.cluster:
        users = f"INSERT INTO bench_user SELECT n FROM generate_series(0, {user_count(calls) - 1}) n"
        numbers = f"SELECT n FROM generate_series(1::bigint, {calls}) n"
        server.cluster.sql(
            server.database, BENCH_ID, BENCH_TIME, *statements(prepare.format(uuid="uuid")), users, base(calls, numbers),
            "ANALYZE bench_base", "SET session_replication_role = replica", "SET maintenance_work_mem = '512MB'", DROP_INDEXES,
            *statements(tables), MAKE_INDEXES, "VACUUM ANALYZE")
        return
    with contextlib.closing(sqlite3.connect(server.file, isolation_level=None)) as connection:
        connection.create_function("bench_id", 3, sqlite_id, deterministic=True)
        connection.create_function("bench_time", 1, sqlite_time, deterministic=True)
        users = "INSERT INTO bench_user " + SQLITE_SERIES.format(count=user_count(calls)).replace("SELECT n FROM", "SELECT n - 1 FROM")
        connection.execute("PRAGMA cache_size = -1000000")
        for statement in [*statements(prepare.format(uuid="text")), users, base(calls, SQLITE_SERIES.format(count=calls)),
                          *statements(tables), "PRAGMA wal_checkpoint(TRUNCATE)"]:
            connection.execute(statement)  # no ANALYZE: the service does none, and SQLite does none by itself


def sqlite_id(ms: int, n: int, kind: int) -> str:
    hashed = hashlib.md5(str(n).encode()).hexdigest()
    text = f"{ms:012x}7{hashed[:3]}8{hashed[3:8]}{n:09x}{kind}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def sqlite_time(ms: int | None) -> str | None:
    if ms is None:
        return None
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ms // 1000)) + f".{ms % 1000:03}Z"
