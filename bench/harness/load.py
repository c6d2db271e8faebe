"""Runs a load and answers what came of it; an answer with another status than expected fails the run."""

import contextlib
import json
import os
import re
import resource
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from harness.variants import TOOLS, Pgbench, Server
from harness.world import API_KEY, BENCH, LIVEKIT_KEY, LIVEKIT_SECRET

SECRETS = {"API_KEY": API_KEY, "LIVEKIT_KEY": LIVEKIT_KEY, "LIVEKIT_SECRET": LIVEKIT_SECRET}


@dataclass
class Measured:
    rate: float  # good answers a second
    answers: int
    latency_ms: dict[str, float] = field(default_factory=dict)  # p50, p99, …
    statuses: dict[str, int] = field(default_factory=dict)
    busy: float = 0  # the generator's share of a core

    def only(self, *expected: int) -> "Measured":
        wrong = {status: count for status, count in self.statuses.items() if int(status) not in expected}
        if wrong or self.answers == 0:
            raise RuntimeError(f"unexpected answers: {wrong or 'none at all'}")
        return self


def run(command: list[str], seconds: float, **environment: str) -> str:
    environment = {"PATH": os.environ["PATH"], "BENCH_LOAD": str(BENCH / "load")} | SECRETS | environment
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=seconds + 60, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout


def wrk(server: Server, script: str, connections: int, seconds: float, path: str = "/", **environment: str) -> Measured:
    """A closed loop: each connection sends again when it has its answer."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "10s", "--latency"]
    command += ["-s", str(BENCH / "load" / script), f"http://127.0.0.1:{server.port}{path}"]
    output = run(command, seconds, **environment)
    statuses = dict(re.findall(r"^STATUS (\d+) (\d+)$", output, re.MULTILINE))
    errors = int(re.findall(r"^ERRORS (\d+)$", output, re.MULTILINE)[0])
    if errors:
        raise RuntimeError(f"wrk counts {errors} errors:\n{output}")
    took = float(re.findall(r"^SECONDS ([\d.]+)$", output, re.MULTILINE)[0])
    counted = {status: int(count) for status, count in statuses.items()}
    total = sum(counted.values())
    return Measured(total / took, total, wrk_latencies(output), counted)


def wrk_latencies(output: str) -> dict[str, float]:
    units = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60000.0}
    found = re.findall(r"^ +(50|99)% +([\d.]+)(us|ms|s|m)$", output, re.MULTILINE)
    return {f"p{percent}": float(value) * units[unit] for percent, value, unit in found}


def own_command(server: Server, workload: str, connections: int, **options: object) -> list[str]:
    command = [str(TOOLS / "load"), workload, "--port", str(server.port), "--connections", str(connections)]
    for name, value in options.items():
        command += [f"--{name}", str(value)]
    return command


def own(server: Server, workload: str, connections: int, seconds: float, **options: object) -> Measured:
    """Our own generator (bench/load): a closed loop, or with `rate` an open one. It fails at a wrong answer itself."""
    command = own_command(server, workload, connections, seconds=seconds, **options)
    told = json.loads(run(command, 2 * seconds + 600))  # what it prepares takes its time, too
    if told["unsent"]:
        raise RuntimeError(f"{server.name} is too slow for this rate: {told}")
    total = sum(told["statuses"].values())
    busy = told["cpu_seconds"] / told["seconds"] if told["seconds"] else 0
    return Measured(total / told["seconds"] if total else 0, total, told["latency_ms"], told["statuses"], busy)


@contextlib.contextmanager
def held_connections(server: Server, count: int) -> Iterator[None]:
    """So many connections, each of which has had an answer, stay open."""
    with subprocess.Popen(own_command(server, "hold", count), env=SECRETS, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin and process.stdout
        told = process.stdout.readline()
        if json.loads(told or "{}").get("statuses") != {"200": count}:
            raise RuntimeError(f"{count} connections are not all answered: {told.decode()}")
        yield
        process.stdin.close()


def allow_many_connections() -> None:
    """For this process and all that it starts."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def pgbench(variant: Pgbench, clients: int, seconds: float, folder: Path) -> Measured:
    log = folder / "pgbench_log"
    command = [variant.cluster.tool("pgbench"), "-n", "-M", "prepared", "-c", str(clients), "-j", str(min(2, clients))]
    command += ["-T", str(max(1, round(seconds))), "-f", str(BENCH / "pgbench" / variant.script)]
    command += ["-l", "--log-prefix", str(log), "-h", "127.0.0.1", "-p", str(variant.cluster.port), "-U", "postgres", variant.database]
    output = run(command, seconds)
    took_ms = []
    for file in folder.glob("pgbench_log.*"):
        took_ms += [int(line.split()[2]) / 1000 for line in file.read_text().splitlines()]
        file.unlink()
    rate = float(re.findall(r"^tps = ([\d.]+)", output, re.MULTILINE)[0])
    failed = int(re.findall(r"^number of failed transactions: (\d+)", output, re.MULTILINE)[0])
    if failed:
        raise RuntimeError(f"pgbench: {failed} transactions failed")
    took_ms.sort()
    at = {name: took_ms[int(len(took_ms) * share)] for name, share in (("p50", 0.5), ("p99", 0.99))}
    return Measured(rate, len(took_ms), at)
