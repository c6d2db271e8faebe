"""One installation as queues: requests wait for a core of the service, in a lane for its next batch, for a core of PostgreSQL, and for
the disk. Times are seconds. What the model leaves out: the network, checkpoints, autovacuum, and locks of rows."""

import heapq
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass

Then = Callable[[], None]


@dataclass(frozen=True)
class Costs:
    """Of CPU, for one request of the mix that is simulated."""

    service: float
    command: float  # PostgreSQL's for a request in a batch …
    batch: float  # … and what each batch costs beside that
    flush: float  # until the disk has a commit
    client: float = 0  # the load generator's, where it shares the cores


@dataclass(frozen=True)
class Machine:
    service_cores: int
    postgres_cores: int | None  # None: PostgreSQL is on the service's cores
    lanes: int = 2  # connections that write, of all processes
    largest_batch: int = 256


@dataclass
class Outcome:
    rate: float
    latencies: list[float]  # sorted
    batch: float  # mean size
    service_busy: float  # share of its cores
    postgres_busy: float

    def percentile(self, share: float) -> float:
        return self.latencies[min(int(len(self.latencies) * share), len(self.latencies) - 1)]


class Clock:
    def __init__(self) -> None:
        self.now = 0.0
        self.events: list[tuple[float, int, Then]] = []
        self.number = itertools.count()

    def at(self, time: float, then: Then) -> None:
        heapq.heappush(self.events, (time, next(self.number), then))

    def run(self, until: float) -> None:
        while self.events and self.events[0][0] <= until:
            self.now, _, then = heapq.heappop(self.events)
            then()
        self.now = until


class Cores:
    """Who comes first is served first, each by one core."""

    def __init__(self, clock: Clock, count: int) -> None:
        self.clock, self.count = clock, count
        self.free_at = [0.0] * count
        self.used = 0.0

    def work(self, seconds: float, then: Then) -> None:
        end = max(self.clock.now, self.free_at[0]) + seconds
        heapq.heapreplace(self.free_at, end)
        self.used += seconds
        self.clock.at(end, then)


class Disk:
    """One flush at a time; it is for all that wait when it begins."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self.clock, self.seconds = clock, seconds
        self.waiting: list[Then] = []
        self.is_busy = False

    def flush(self, then: Then) -> None:
        self.waiting.append(then)
        if not self.is_busy:
            self.begin()

    def begin(self) -> None:
        self.is_busy = True
        served, self.waiting = self.waiting, []
        self.clock.at(self.clock.now + self.seconds, lambda: self.done(served))

    def done(self, served: list[Then]) -> None:
        self.is_busy = False
        if self.waiting:
            self.begin()
        for then in served:
            then()


class Lane:
    """A connection with one batch under way; what comes meanwhile is the next."""

    def __init__(self, costs: Costs, largest: int, cores: Cores, disk: Disk) -> None:
        self.costs, self.largest, self.cores, self.disk = costs, largest, cores, disk
        self.waiting: list[Then] = []
        self.is_busy = False
        self.batches = self.commands = 0

    def push(self, then: Then) -> None:
        self.waiting.append(then)
        if not self.is_busy:
            self.begin()

    def begin(self) -> None:
        self.is_busy = True
        batch, self.waiting = self.waiting[: self.largest], self.waiting[self.largest :]
        self.batches += 1
        self.commands += len(batch)
        seconds = self.costs.batch + len(batch) * self.costs.command
        self.cores.work(seconds, lambda: self.disk.flush(lambda: self.done(batch)))

    def done(self, batch: list[Then]) -> None:
        self.is_busy = False
        if self.waiting:
            self.begin()
        for then in batch:
            then()


class Installation:
    def __init__(self, costs: Costs, machine: Machine, seed: int = 1) -> None:
        self.clock, self.random, self.costs = Clock(), random.Random(seed), costs
        self.service = Cores(self.clock, machine.service_cores)
        self.postgres = Cores(self.clock, machine.postgres_cores) if machine.postgres_cores is not None else self.service
        disk = Disk(self.clock, costs.flush)
        self.lanes = [Lane(costs, machine.largest_batch, self.postgres, disk) for _ in range(machine.lanes)]
        self.latencies: list[float] = []
        self.counts_from = 0.0

    def request(self, then: Then = lambda: None) -> None:
        """Half of the service's work comes before the database's, half after."""
        came, half = self.clock.now, self.costs.service / 2

        def answered() -> None:
            if came >= self.counts_from:
                self.latencies.append(self.clock.now - came)
            then()

        lane = self.random.choice(self.lanes)
        self.service.work(half, lambda: lane.push(lambda: self.service.work(half, answered)))

    def outcome(self, seconds: float) -> Outcome:
        """After `seconds`, of which the first fifth is not counted."""
        self.counts_from = seconds / 5
        self.clock.run(seconds)
        commands, batches = sum(lane.commands for lane in self.lanes), sum(lane.batches for lane in self.lanes)
        return Outcome(rate=len(self.latencies) / (seconds - self.counts_from), latencies=sorted(self.latencies) or [0.0],
                       batch=commands / max(1, batches), service_busy=self.service.used / seconds / self.service.count,
                       postgres_busy=self.postgres.used / seconds / self.postgres.count)


def closed_loop(costs: Costs, machine: Machine, clients: int, seconds: float) -> Outcome:
    """Each client sends again when it has its answer."""
    installation = Installation(costs, machine)

    def send() -> None:
        installation.service.work(costs.client, lambda: installation.request(send))

    for _ in range(clients):
        send()
    return installation.outcome(seconds)


def open_loop(costs: Costs, machine: Machine, rate: float, seconds: float) -> Outcome:
    """Requests come at random times, `rate` a second, whatever becomes of the others."""
    installation = Installation(costs, machine)
    clock = installation.clock

    def send() -> None:
        if costs.client:
            installation.service.work(costs.client, installation.request)
        else:
            installation.request()
        clock.at(clock.now + installation.random.expovariate(rate), send)

    clock.at(0, send)
    return installation.outcome(seconds)
