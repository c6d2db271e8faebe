"""Rows that count requests a second."""

from harness import load
from harness.bench import Bench, all_rows, analyze, bare, pgbench_turn, running, server_turn
from harness.turns import Comparison, Result, Turn, interleave
from harness.variants import CallService, FastApi, Go, Server


def start(bench: Bench) -> Result:
    ours = CallService("call-service (start)", bench.world, bench.cluster)
    everything = all_rows(bench, "start")
    least = bare(bench, "start")
    go = Go("Go + pgx (start)", bench.world, bench.cluster)
    fastapi = FastApi("FastAPI (start)", bench.world, bench.cluster)
    turns = [server_turn(bench, server, "start.lua", 201) for server in (ours, go, fastapi)]
    turns[1:1] = [pgbench_turn(bench, least), pgbench_turn(bench, everything)]
    goals = [Comparison(ours.name, least.name, 1.3), Comparison(ours.name, everything.name, 2)]
    return Result("start", "POST /calls per second, PostgreSQL", interleave(turns, bench.repeats), goals)


def mix(bench: Bench) -> Result:
    ours = CallService("call-service (mix)", bench.world, bench.cluster)
    go = Go("Go + pgx (mix)", bench.world, bench.cluster)
    fastapi = FastApi("FastAPI (mix)", bench.world, bench.cluster)
    turns = [server_turn(bench, server, "mix.lua", 200, 201) for server in (ours, go, fastapi)]
    goals = [Comparison(ours.name, fastapi.name, 30), Comparison(ours.name, go.name, 3)]
    return Result("mix", "start/join/end/end per second, PostgreSQL", interleave(turns, bench.repeats), goals)


def sqlite_mix(bench: Bench) -> Result:
    ours = CallService("call-service (SQLite)", bench.world, None)
    go = Go("Go + SQLite", bench.world, None)
    turns = [server_turn(bench, server, "mix.lua", 200, 201) for server in (ours, go)]
    goals = [Comparison(ours.name, go.name, 10)]
    return Result("sqlite", "start/join/end/end per second, SQLite", interleave(turns, bench.repeats), goals)


EVENTS_A_CALL = 6  # room_started, two of participant_joined, two of participant_left, room_finished
CALLS_AT_ONCE = 200  # of which the generator sends events in turns


def webhook_turn(bench: Bench, server: Server, at_most: int) -> Turn:
    """Events a second at 128 connections, `at_most` so many of them. What was answered must be in the database."""

    def turn() -> dict[str, tuple[float, str]]:
        with running(bench, server):
            load.own(server, "webhooks", 128, bench.warm_up, calls=round(bench.warm_up * at_most / EVENTS_A_CALL)).only(200)
            analyze(server)
            events, ended = server.count("webhook_events"), server.count("calls", "status = 'ended'")
            calls = round(bench.seconds * at_most / EVENTS_A_CALL)
            measured = load.own(server, "webhooks", 128, bench.seconds, calls=calls).only(200)
            stored, ended = server.count("webhook_events") - events, server.count("calls", "status = 'ended'") - ended
        if stored != measured.answers or ended == 0 and stored > 2 * EVENTS_A_CALL * CALLS_AT_ONCE:
            raise RuntimeError(f"{server.name} answered {measured.answers} events, stored {stored} and ended {ended} calls")
        return {server.name: (measured.rate, "events/s")}

    return turn


def webhooks(bench: Bench) -> Result:
    postgres = CallService("call-service (webhooks, PostgreSQL)", bench.world, bench.cluster)
    sqlite = CallService("call-service (webhooks, SQLite)", bench.world, None)
    rivals = [Go("Go + pgx (webhooks)", bench.world, bench.cluster), Go("Go + SQLite (webhooks)", bench.world, None)]
    turns = [webhook_turn(bench, server, at_most=20_000) for server in (postgres, sqlite)]
    turns += [webhook_turn(bench, server, at_most=10_000) for server in rivals]
    goals = [Comparison(server.name, None, 10_000) for server in (postgres, sqlite)]
    title = "LiveKit's events per second: verified, deduplicated, applied, committed"
    return Result("webhooks", title, interleave(turns, bench.repeats), goals)


def generator(bench: Bench) -> Result:
    """Ours beside wrk on the same server, and whether it could do more than it is asked for."""
    server = CallService("call-service (generator)", bench.world, bench.cluster)

    def turn() -> dict[str, tuple[float, str]]:
        with running(bench, server):
            load.own(server, "starts", 128, bench.warm_up).only(201)
            analyze(server)
            starts_by_wrk = load.wrk(server, "start.lua", 128, bench.seconds).only(201)
            starts = load.own(server, "starts", 128, bench.seconds).only(201)
            health = load.own(server, "get", 128, bench.warm_up).only(200)
            calls = round(bench.warm_up * 20_000 / EVENTS_A_CALL)
            events = load.own(server, "webhooks", 128, bench.warm_up, calls=calls).only(200)
        return {
            "wrk, POST /calls": (starts_by_wrk.rate, "requests/s"),
            "bench/load, POST /calls": (starts.rate, "requests/s"),
            "bench/load, GET /health": (health.rate, "requests/s"),
            "bench/load, CPU while starting": (100 * starts.busy, "% of a core"),
            "bench/load, CPU while signing": (100 * events.busy, "% of a core"),
        }

    goals = [Comparison("bench/load, POST /calls", "wrk, POST /calls", 0.9),
             Comparison("bench/load, POST /calls", "wrk, POST /calls", 1.1, at_most=True),
             Comparison("bench/load, GET /health", "bench/load, POST /calls", 2),
             Comparison("bench/load, CPU while starting", None, 50, at_most=True),
             Comparison("bench/load, CPU while signing", None, 50, at_most=True)]
    return Result("generator", "The load generator beside wrk", interleave([turn], bench.repeats), goals)
