"""What is left of the service when three times as much is asked of it as it can do."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from harness import load
from harness.bench import Bench, analyze, running
from harness.limits import limited
from harness.turns import Comparison, Result, interleave
from harness.variants import CallService, Server


def cpu_seconds(server: Server) -> float:
    assert server.process
    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def overload(bench: Bench) -> Result:
    """PostgreSQL, with half a core, is the bottleneck."""
    ours = CallService("call-service (overload)", bench.world, bench.cluster)

    def turn() -> dict[str, tuple[float, str]]:
        with limited(bench.cluster.pid, 0.5), running(bench, ours):
            load.own(ours, "starts", 128, bench.warm_up).only(201)
            analyze(ours)
            used = cpu_seconds(ours)
            capacity = load.own(ours, "starts", 128, bench.seconds).only(201)
            a_served = (cpu_seconds(ours) - used) / capacity.answers
            with ThreadPoolExecutor() as beside:
                health = beside.submit(load.own, ours, "get", 1, bench.seconds, rate=20)
                used, before = cpu_seconds(ours), ours.count("calls")
                flood = load.own(ours, "starts-or-shed", 6000, bench.seconds, rate=3 * capacity.rate).only(201, 503)
                used, stored = cpu_seconds(ours) - used, ours.count("calls") - before
        served, shed = flood.statuses.get("201", 0), flood.statuses.get("503", 0)
        if not served <= stored:
            raise RuntimeError(f"{served} starts are answered and {stored} stored")
        found = {"call-service, capacity": (capacity.rate, "requests/s"),
                 "call-service, goodput at 3x": (flood.rate * served / flood.answers, "requests/s"),
                 "GET /health at 3x, p99": (health.result().latency_ms["p99"], "ms"),
                 "CPU of a request served": (1e6 * a_served, "us")}
        if shed:
            found["CPU of a request shed"] = (max(0.0, 1e6 * (used - served * a_served) / shed), "us")
        return found

    series = interleave([turn], bench.repeats)
    goals = [Comparison("call-service, goodput at 3x", "call-service, capacity", 0.9)]
    if any(one.name == "CPU of a request shed" for one in series):
        goals.append(Comparison("CPU of a request shed", "CPU of a request served", 0.25, at_most=True))
    title = "POST /calls with PostgreSQL on half a core: 3 times what it can do"
    return Result("overload", title, series, goals)
