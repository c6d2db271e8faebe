"""The row about several processes over one PostgreSQL, and what a request costs each side."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from harness import cpu, load
from harness.bench import Bench
from harness.turns import Result, Turn, interleave
from harness.variants import CallService
from harness.world import free_port

CONNECTIONS = 128


class Replica(CallService):
    """Another process on the first one's database."""

    def __init__(self, first: CallService, number: int) -> None:
        vars(self).update(vars(first), port=free_port(), process=None, log=first.world.folder / f"{first.database}-{number}.log")


def replicas_turn(bench: Bench, count: int) -> Turn:
    name = f"{count} process{'es' if count > 1 else ''}"
    first = CallService(f"call-service scale {'abcd'[count - 1]}", bench.world, bench.cluster)
    servers = [first, *(Replica(first, number) for number in range(1, count))]

    def load_all(seconds: float) -> list[load.Measured]:
        with ThreadPoolExecutor(count) as threads:
            wrk = [threads.submit(load.wrk, server, "mix.lua", CONNECTIONS // count, seconds) for server in servers]
            return [each.result().only(200, 201) for each in wrk]

    def spent() -> tuple[float, float]:
        ours = sum(cpu.seconds(server.process.pid) for server in servers if server.process)
        return ours, cpu.seconds(bench.cluster.pid)

    def turn() -> dict[str, tuple[float, str]]:
        bench.cluster.settle()
        with ExitStack() as stack:
            for server in servers:
                stack.callback(server.stop)
                server.start()
            load_all(bench.warm_up)
            before = spent()
            measured = load_all(bench.seconds)
            ours, postgres = (after - earlier for after, earlier in zip(spent(), before, strict=True))
        answers = sum(each.answers for each in measured)
        return {
            name: (sum(each.rate for each in measured), "requests/s"),
            f"{name}: CPU of the service": (1e6 * ours / answers, "µs/request"),
            f"{name}: CPU of PostgreSQL": (1e6 * postgres / answers, "µs/request"),
        }

    return turn


def scale(bench: Bench) -> Result:
    turns = [replicas_turn(bench, count) for count in (1, 2, 4)]
    title = f"start/join/end/end per second by several processes over one PostgreSQL, {CONNECTIONS} connections in all"
    return Result("scale", title, interleave(turns, bench.repeats), [])
