"""Rows about how long an answer takes."""

import statistics

from harness import load
from harness.bench import Bench, all_rows, analyze, bare, running
from harness.turns import Comparison, Result, Turn, interleave
from harness.variants import CallService, FastApi, Pgbench, Server

SHARES = ("p50", "p99")


def alone(bench: Bench) -> Result:
    """One client: grouping must not cost it anything."""
    ours = CallService("call-service (alone)", bench.world, bench.cluster)
    rivals = [bare(bench, "alone"), all_rows(bench, "alone")]

    def our_turn() -> dict[str, tuple[float, str]]:
        with running(bench, ours):
            load.own(ours, "starts", 1, bench.warm_up).only(201)
            analyze(ours)
            measured = load.own(ours, "starts", 1, bench.seconds).only(201)
        return named(ours.name, measured)

    def pgbench_turn(variant: Pgbench) -> Turn:
        def turn() -> dict[str, tuple[float, str]]:
            bench.cluster.settle()
            load.pgbench(variant, 1, bench.warm_up, bench.world.folder)
            analyze(variant)
            return named(variant.name, load.pgbench(variant, 1, bench.seconds, bench.world.folder))

        return turn

    def named(name: str, measured: load.Measured) -> dict[str, tuple[float, str]]:
        return {f"{name} {share}": (measured.latency_ms[share], "ms") for share in SHARES}

    turns = [our_turn, *(pgbench_turn(rival) for rival in rivals)]
    goals = [Comparison(f"{ours.name} {share}", f"{rival.name} {share}", wanted, at_most=True)
             for rival in rivals for share, wanted in (("p50", 1.3), ("p99", 1.5))]
    return Result("alone", "POST /calls with 1 client, PostgreSQL", interleave(turns, bench.repeats), goals)


def greatest_rate(bench: Bench, server: Server) -> float:
    with running(bench, server):
        load.own(server, "mix", 128, bench.warm_up).only(200, 201)
        analyze(server)
        return statistics.median(load.own(server, "mix", 128, bench.warm_up).only(200, 201).rate for _ in range(3))


def steady(bench: Bench) -> Result:
    """An open loop over 256 connections, which nobody's slowness slows down."""
    ours = CallService("call-service (steady)", bench.world, bench.cluster)
    fastapi = FastApi("FastAPI (steady)", bench.world, bench.cluster)
    our_half, their_half = (greatest_rate(bench, server) / 2 for server in (ours, fastapi))

    def turn_at(server: Server, what: str, rate: float) -> Turn:
        def turn() -> dict[str, tuple[float, str]]:
            with running(bench, server):
                load.own(server, "mix", 256, bench.warm_up, rate=rate).only(200, 201)
                analyze(server)
                measured = load.own(server, "mix", 256, bench.seconds, rate=rate).only(200, 201)
            return {f"{what}, {share}": (measured.latency_ms[share], "ms") for share in ("p50", "p99", "p99.9")}

        return turn

    at_theirs, theirs = f"call-service, {their_half:,.0f}/s", f"FastAPI, {their_half:,.0f}/s"
    at_ours = f"call-service, {our_half:,.0f}/s"
    turns = [turn_at(ours, at_theirs, their_half), turn_at(fastapi, theirs, their_half), turn_at(ours, at_ours, our_half)]
    goals = [Comparison(f"{at_theirs}, p99", f"{theirs}, p99", 0.1, at_most=True),
             Comparison(f"{at_ours}, p99", f"{theirs}, p99", 1, at_most=True)]
    title = "start/join/end/end at half of FastAPI's and of our own greatest rate, PostgreSQL"
    return Result("steady", title, interleave(turns, bench.repeats), goals)
