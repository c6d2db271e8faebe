"""The row about the way to 100 million calls a day: what requests cost here, a model of the installation, whether it says what is
measured here, and what it says of machines that are not here."""

import math
import os
import re
import statistics
import time
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from harness import cpu, load
from harness.bench import Bench, analyze, running
from harness.simulation import Costs, Machine, closed_loop, open_loop
from harness.throughput import EVENTS_A_CALL
from harness.turns import Comparison, Result, interleave
from harness.variants import CallService
from harness.world import API_KEY, until

CALLS_A_DAY = 100_000_000
REQUESTS_A_CALL = 3  # start, join, end
PEAK = 3  # times the average
BUSY = 0.5  # of PostgreSQL's cores at the peak: a failover, or a larger peak, needs the rest
SERVICE_CORES = 4
INSTALLATIONS = (1, 2, 4, 8)
MANY, FEW = 128, 8  # connections of a closed loop


@dataclass
class Point:
    """What a request cost in one run, in seconds of a core, and how many shared a batch."""

    rate: float
    service: float
    postgres: float
    client: float
    batch: float


@dataclass
class Counters:
    service: float
    postgres: float
    commands: float
    batches: float


def metric(server: CallService, name: str) -> float:
    request = urllib.request.Request(f"http://127.0.0.1:{server.port}/metrics", headers={"X-API-Key": API_KEY})
    with urllib.request.urlopen(request, timeout=10) as answer:
        text = answer.read().decode()
    return sum(float(value) for value in re.findall(rf"^{re.escape(name)}(?:\{{[^}}]*\}})? (\S+)$", text, re.MULTILINE))


def counters(bench: Bench, server: CallService) -> Counters:
    assert server.process
    size = 'call_service_database_batch_size_{}{{access="write"}}'
    return Counters(cpu.seconds(server.process.pid), cpu.seconds(bench.cluster.pid), metric(server, size.format("sum")),
                    metric(server, size.format("count")))


def point(bench: Bench, server: CallService, begin: Callable[[], Counters], run: Callable[[], load.Measured]) -> Point:
    before = begin()
    measured, after = run(), counters(bench, server)
    answers = measured.answers
    return Point(rate=measured.rate, service=(after.service - before.service) / answers,
                 postgres=(after.postgres - before.postgres) / answers, client=measured.busy / measured.rate,
                 batch=(after.commands - before.commands) / max(1.0, after.batches - before.batches))


def mix_point(bench: Bench, server: CallService, connections: int) -> Point:
    return point(bench, server, lambda: counters(bench, server),
                 lambda: load.own(server, "mix", connections, bench.seconds).only(200, 201))


def webhooks_point(bench: Bench, server: CallService) -> Point:
    """Calls are made first; what counts begins with the first event."""
    name = "call_service_webhook_events_total"
    events = metric(server, name)

    def begin() -> Counters:
        until(lambda: metric(server, name) > events, "the first event is applied")
        return counters(bench, server)

    with ThreadPoolExecutor() as beside:
        began = beside.submit(begin)
        calls = round(bench.seconds * 20_000 / EVENTS_A_CALL)
        measured = load.own(server, "webhooks", MANY, bench.seconds, calls=calls).only(200)
        return point(bench, server, began.result, lambda: measured)


def flush_seconds(bench: Bench) -> float:
    """What it takes until eight kilobytes of a file that has its size already are on the disk that PostgreSQL uses."""
    file = bench.world.folder / "flush"
    file.write_bytes(bytes(1 << 20))
    took = []
    with open(file, "r+b", buffering=0) as opened:
        for number in range(200):
            opened.seek(number % 128 * 8192)
            began = time.perf_counter()
            opened.write(os.urandom(8192))
            os.fdatasync(opened.fileno())
            took.append(time.perf_counter() - began)
    file.unlink()
    return statistics.median(took)


def split(few: Point, many: Point) -> tuple[float, float]:
    """PostgreSQL's CPU for a command and for a batch, from two sizes of batches."""
    batch = (few.postgres - many.postgres) / (1 / few.batch - 1 / many.batch)
    return many.postgres - batch / many.batch, batch


def capacity(bench: Bench) -> Result:
    ours = CallService("call-service (capacity)", bench.world, bench.cluster)
    cores = os.cpu_count() or 1
    here = Machine(service_cores=cores, postgres_cores=None)

    def turn() -> dict[str, tuple[float, str]]:
        with running(bench, ours):
            load.own(ours, "mix", MANY, bench.warm_up).only(200, 201)
            analyze(ours)
            many, few = mix_point(bench, ours, MANY), mix_point(bench, ours, FEW)
            half = load.own(ours, "mix", 256, bench.seconds, rate=many.rate / 2).only(200, 201)
            webhooks = webhooks_point(bench, ours)
        flush = flush_seconds(bench)
        command, batch = split(few, many)
        mixed = Costs(many.service, command, batch, flush, many.client)
        full, steady = closed_loop(mixed, here, MANY, 3), open_loop(mixed, here, many.rate / 2, 3)
        found = {
            "mix: CPU of the service": (1e6 * many.service, "us/request"),
            "mix: CPU of PostgreSQL": (1e6 * command, "us/request"),
            "mix: and for each batch": (1e6 * batch, "us/batch"),
            "webhooks: CPU of the service": (1e6 * webhooks.service, "us/event"),
            "webhooks: CPU of PostgreSQL": (1e6 * webhooks.postgres, "us/event"),
            "flush of the disk": (1e6 * flush, "us"),
            f"{MANY} connections, measured": (many.rate, "requests/s"),
            f"{MANY} connections, simulated": (full.rate, "requests/s"),
            "half of that, p50 measured": (half.latency_ms["p50"], "ms"),
            "half of that, p50 simulated": (1e3 * steady.percentile(0.5), "ms"),
        }
        return found | forecast(many, webhooks, batch, flush)

    series = interleave([turn], bench.repeats)
    same = f"{MANY} connections, simulated", f"{MANY} connections, measured"
    goals = [Comparison(*same, 0.75), Comparison(*same, 1.25, at_most=True)]
    title = f"What a model says of {CALLS_A_DAY // 1_000_000} million calls a day, {PEAK} times the average at the peak"
    return Result("capacity", title, series, goals)


def forecast(mixed: Point, webhooks: Point, batch: float, flush: float) -> dict[str, tuple[float, str]]:
    """Installations with a PostgreSQL of their own each, of so many cores that commands alone, in the batches that were seen here, keep
    half of them busy at the peak. Batches that are smaller cost more, and find the cores that they need; what is left then is told by
    the greatest rate."""
    writes = REQUESTS_A_CALL + EVENTS_A_CALL
    share = REQUESTS_A_CALL / writes
    service = share * mixed.service + (1 - share) * webhooks.service
    postgres = share * mixed.postgres + (1 - share) * webhooks.postgres
    costs = Costs(service, max(0.0, postgres - batch / mixed.batch), batch, flush)
    peak = CALLS_A_DAY * writes / 86_400 * PEAK
    found = {"writes at the peak": (peak, "writes/s")}
    for count in INSTALLATIONS:
        rate = peak / count
        cores = math.ceil(rate * postgres / BUSY)
        machine = Machine(SERVICE_CORES, cores, lanes=4)  # of two processes
        at_peak, greatest = open_loop(costs, machine, rate, min(3.0, 60_000 / rate)), closed_loop(costs, machine, 1024, 2)
        name = f"{count} installation{'s' if count > 1 else ''}"
        found |= {f"{name}: cores of PostgreSQL, each": (float(cores), "cores"),
                  f"{name}: peak, each": (rate, "writes/s"),
                  f"{name}: greatest rate simulated, each": (greatest.rate, "writes/s"),
                  f"{name}: the service's {SERVICE_CORES} cores busy at the peak": (100 * at_peak.service_busy, "%"),
                  f"{name}: requests a batch at the peak": (at_peak.batch, "requests"),
                  f"{name}: p50 at the peak": (1e3 * at_peak.percentile(0.5), "ms"),
                  f"{name}: p99 at the peak": (1e3 * at_peak.percentile(0.99), "ms")}
    return found
