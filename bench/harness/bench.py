"""What every row uses: the run's settings, one server at a time, and turns that load it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from harness import load
from harness.turns import Turn
from harness.variants import Pgbench, Server
from harness.world import Cluster, World


@dataclass
class Bench:
    world: World
    cluster: Cluster
    repeats: int
    seconds: float
    calls: int  # in the greater database of the row `growth`

    @property
    def warm_up(self) -> float:
        return max(1.0, self.seconds / 4)


@contextmanager
def running(bench: Bench, server: Server) -> Iterator[Server]:
    """One server runs at a time."""
    bench.cluster.settle()
    server.start()
    try:
        yield server
    except Exception as error:
        error.add_note("The last it said:\n" + server.log.read_text(errors="replace")[-2000:])
        raise
    finally:
        server.stop()


def analyze(variant: Server | Pgbench) -> None:
    """PostgreSQL plans for empty tables until autovacuum comes, after a minute: then it has come."""
    if variant.cluster:
        variant.cluster.sql(variant.database, "ANALYZE")


def server_turn(bench: Bench, server: Server, script: str, *statuses: int) -> Turn:
    """Good answers a second at 128 connections. That many calls must be in the database, too."""

    def turn() -> dict[str, tuple[float, str]]:
        with running(bench, server):
            load.wrk(server, script, 128, bench.warm_up).only(*statuses)
            analyze(server)
            before = server.count("calls")
            measured = load.wrk(server, script, 128, bench.seconds).only(*statuses)
            stored = server.count("calls") - before
        started = measured.statuses["201"]
        if not started <= stored <= started + 2 * 128:  # wrk leaves what is in flight when the time is over, twice
            raise RuntimeError(f"{server.name} answered {started} starts and stored {stored}")
        return {server.name: (measured.rate, "requests/s")}

    return turn


def pgbench_turn(bench: Bench, variant: Pgbench) -> Turn:
    def turn() -> dict[str, tuple[float, str]]:
        bench.cluster.settle()
        load.pgbench(variant, 32, bench.warm_up, bench.world.folder)
        analyze(variant)
        return {variant.name: (load.pgbench(variant, 32, bench.seconds, bench.world.folder).rate, "requests/s")}

    return turn


def bare(bench: Bench, row: str) -> Pgbench:
    return Pgbench(f"pgbench bare ({row})", bench.cluster, "bare.sql", "bare-schema.sql")


def all_rows(bench: Bench, row: str) -> Pgbench:
    return Pgbench(f"pgbench all rows ({row})", bench.cluster, "all-rows.sql")
