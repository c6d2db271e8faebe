"""What is left of the service when three times as much is asked of it as it can do."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from harness import cpu, load
from harness.bench import Bench, analyze, running
from harness.limits import limited
from harness.turns import Comparison, Result, Turn, interleave
from harness.variants import CallService

TIMES = 3


@dataclass
class Spent:
    """What a run of load got, and the seconds of a core that it took."""

    measured: load.Measured
    service: float
    others: float  # PostgreSQL and the load generator

    @property
    def seconds(self) -> float:
        return self.measured.answers / self.measured.rate

    @property
    def served(self) -> int:
        return self.measured.statuses.get("201", 0)

    @property
    def shed(self) -> int:
        return self.measured.statuses.get("503", 0)

    @property
    def goodput(self) -> float:
        return self.served / self.seconds


def spend(bench: Bench, ours: CallService, workload: str, connections: int, **options: object) -> Spent:
    assert ours.process
    before, stored = (cpu.seconds(ours.process.pid), cpu.seconds(bench.cluster.pid)), ours.count("calls")
    measured = load.own(ours, workload, connections, bench.seconds, **options).only(201, 503)
    service, postgres = cpu.seconds(ours.process.pid) - before[0], cpu.seconds(bench.cluster.pid) - before[1]
    found = Spent(measured, service, postgres + measured.busy * measured.answers / measured.rate)
    stored = ours.count("calls") - stored
    if not found.served <= stored:
        raise RuntimeError(f"{found.served} starts are answered and {stored} stored")
    return found


def allowed(capacity: Spent, flood: Spent) -> float:
    """What the CPU allows to be served beside the refusals: a request served costs what it costs at the greatest rate, all the
    rest that the service and the generator have spent went into refusing."""
    a_served = (capacity.service + capacity.measured.busy * capacity.seconds) / capacity.served
    refusing = max(0.0, flood.service + flood.measured.busy * flood.seconds - flood.served * a_served)
    return capacity.goodput * (1 - refusing / flood.seconds / ((capacity.service + capacity.others) / capacity.seconds))


def turn_of(bench: Bench, ours: CallService, where: str, limit: AbstractContextManager[None]) -> dict[str, tuple[float, str]]:
    with limit, running(bench, ours):
        load.own(ours, "starts", 128, bench.warm_up).only(201)
        analyze(ours)
        capacity = spend(bench, ours, "starts", 128)
        with ThreadPoolExecutor() as beside:
            health = beside.submit(load.own, ours, "get", 1, bench.seconds, rate=20)
            flood = spend(bench, ours, "starts-or-shed", 6000, rate=TIMES * capacity.goodput)
    a_served = capacity.service / capacity.served
    found = {f"{where}: greatest rate": (capacity.goodput, "requests/s"),
             f"{where}: goodput at {TIMES}x": (flood.goodput, "requests/s"),
             f"{where}: the CPU allows": (allowed(capacity, flood), "requests/s"),
             f"{where}: GET /health at {TIMES}x, p99": (health.result().latency_ms["p99"], "ms"),
             f"{where}: CPU of a request served": (1e6 * a_served, "us")}
    if flood.shed:
        found[f"{where}: CPU of a request shed"] = (max(0.0, 1e6 * (flood.service - flood.served * a_served) / flood.shed), "us")
    return found


def overload(bench: Bench) -> Result:
    ours = CallService("call-service (overload)", bench.world, bench.cluster)
    half, shared = "PostgreSQL on half a core", "all on all cores"
    turns: list[Turn] = [lambda: turn_of(bench, ours, half, limited(bench.cluster.pid, 0.5)),
                         lambda: turn_of(bench, ours, shared, nullcontext())]
    series = interleave(turns, bench.repeats)
    goals = [Comparison(f"{half}: goodput at {TIMES}x", f"{half}: greatest rate", 0.9),
             Comparison(f"{shared}: goodput at {TIMES}x", f"{shared}: the CPU allows", 0.9)]
    named = {one.name for one in series}
    goals += [Comparison(f"{where}: CPU of a request shed", f"{where}: CPU of a request served", 0.25, at_most=True)
              for where in (half, shared) if f"{where}: CPU of a request shed" in named]
    title = f"POST /calls at {TIMES} times what can be done"
    return Result("overload", title, series, goals)
