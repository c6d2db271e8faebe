"""Whether an answer takes longer when there are many calls."""

import http.client
import json
import random
import sys
import time
from collections.abc import Callable

from harness import load
from harness.bench import Bench, running
from harness.fill import fill, sqlite_time, user_count
from harness.turns import Comparison, Result, Turn, interleave
from harness.variants import CallService, Server
from harness.world import API_KEY

FEW = 10_000
PAGE = 20
SAMPLES = 100  # requests of a kind, sent over and over

# Of a call with one guest. {span} is a time that has many more calls before it than a page holds.
READS = {
    "get": "/calls/{call}",
    "sessions": "/calls/{call}/sessions",
    "timeline": "/calls/{call}/timeline",
    "user": "/users/user-{caller}",
    "list": "/calls?limit={page}",
    "list, status=active": "/calls?limit={page}&status=active",
    "list, status=ended": "/calls?limit={page}&status=ended",
    "list, caller_id": "/calls?limit={page}&caller_id=user-{caller}",
    "list, caller_id, status": "/calls?limit={page}&caller_id=user-{caller}&status=ended",
    "list, user_id": "/calls?limit={page}&user_id=user-{caller}",
    "list, user_id, status": "/calls?limit={page}&user_id=user-{caller}&status=ended",
    "list, caller_id, user_id": "/calls?limit={page}&caller_id=user-{caller}&user_id=user-{guest}",
    "list, started_before": "/calls?limit={page}&started_before={at}",
    "list, started_after": "/calls?limit={page}&started_after={early}",
    "list, a time, user_id": "/calls?limit={page}&started_before={late}&started_after={early}&user_id=user-{caller}",
}
WRITES = {"start": "starts", "join": "joins", "end": "ends", "webhook": "webhooks"}


def sample(server: Server, calls: int) -> list[dict[str, str]]:
    """Calls with one guest, from everywhere but the very beginning."""
    chosen = random.Random(1).sample(range(calls // 3 + 1, calls * 98 // 100), 10 * SAMPLES)
    numbers = ", ".join(str(n) for n in chosen if n % 3 == 1)
    rows = server.sql(f"SELECT call_id || ' ' || caller || ' ' || ms FROM bench_base WHERE n IN ({numbers}) LIMIT {SAMPLES}")
    begin, end = (int(server.sql(f"SELECT ms FROM bench_base WHERE n = {n}")[0]) for n in (1, calls))
    found = []
    for call, caller, ms in (row.split() for row in rows):
        found.append({"call": call, "caller": caller, "guest": str((int(caller) + 1) % user_count(calls)), "page": str(PAGE),
                      "at": str(sqlite_time(int(ms))), "early": str(sqlite_time(begin + 3600_000)), "late": str(sqlite_time(end - 3600_000))})
    return found


def check_pages(server: Server, kind: str, paths: list[str]) -> None:
    """Pages of equal size, or the times say nothing."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    for path in paths:
        connection.request("GET", path, headers={"X-API-Key": API_KEY})
        answer = connection.getresponse()
        body = json.loads(answer.read())
        if answer.status != 200 or kind.startswith("list") and len(body["data"]) != PAGE:
            raise RuntimeError(f"{server.name}: {path}: {answer.status} {len(body.get('data', []))} rows")
    connection.close()


def growth(bench: Bench, on_postgres: bool) -> Result:
    where = "PostgreSQL" if on_postgres else "SQLite"
    sizes = (FEW, bench.calls)
    servers = {size: CallService(f"call-service ({where}, {word})", bench.world, bench.cluster if on_postgres else None)
               for size, word in zip(sizes, ("few calls", "many calls"), strict=True)}
    for size, server in servers.items():
        began = time.monotonic()
        fill(server, size)
        gigabytes, took = server.stored_bytes() / 1e9, time.monotonic() - began
        print(f"  filled with {size:,} calls: {gigabytes:.2f} GB, {took:.0f} s", file=sys.stderr)
    samples = {size: sample(server, size) for size, server in servers.items()}
    seconds = max(1.0, bench.seconds / 5)

    def turn_of(kind: str, run: Callable[[int, float], load.Measured]) -> Turn:
        def turn() -> dict[str, tuple[float, str]]:
            measured = {}
            for size in sizes:
                run(size, seconds / 2)
                measured[f"{kind}, {size:,} calls"] = (run(size, seconds).latency_ms["p50"], "ms")
            return measured

        return turn

    def write(workload: str) -> Callable[[int, float], load.Measured]:
        return lambda size, length: load.own(servers[size], workload, 1, length, calls=round(500 * length))

    def read(kind: str) -> Callable[[int, float], load.Measured]:
        files = {}
        for size, server in servers.items():
            paths = [READS[kind].format(**call) for call in samples[size]]
            check_pages(server, kind, paths)
            files[size] = bench.world.folder / f"{server.database}-{kind}.txt"
            files[size].write_text("".join(f"GET {path}\n" for path in paths))
        return lambda size, length: load.own(servers[size], "lines", 1, length, file=files[size])

    with running(bench, servers[FEW]), running(bench, servers[bench.calls]):  # who is not asked does nothing
        kinds = {kind: write(workload) for kind, workload in WRITES.items()} | {kind: read(kind) for kind in READS}
        series = interleave([turn_of(kind, run) for kind, run in kinds.items()], bench.repeats)
    for server in servers.values():
        server.drop()  # the next row needs the room
    goals = [Comparison(f"{kind}, {bench.calls:,} calls", f"{kind}, {FEW:,} calls", 1.2, at_most=True) for kind in kinds]
    return Result(f"growth-{where.lower()}", f"p50 of 1 client with few and with many calls, {where}", series, goals, apart=True)


def growth_postgres(bench: Bench) -> Result:
    return growth(bench, on_postgres=True)


def growth_sqlite(bench: Bench) -> Result:
    return growth(bench, on_postgres=False)
