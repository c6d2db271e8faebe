"""Rows about memory, start-up and size."""

import http.client
import json
import subprocess
import time
from pathlib import Path

from harness import load
from harness.bench import Bench, running
from harness.turns import Comparison, Result, interleave
from harness.variants import SERVICE, CallService, Server
from harness.world import API_KEY

MIB = 1024 * 1024


def resident(server: Server) -> float:
    assert server.process
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def memory(bench: Bench) -> Result:
    ours = CallService("call-service (memory)", bench.world, bench.cluster)

    def turn() -> dict[str, tuple[float, str]]:
        with running(bench, ours):
            time.sleep(1)  # it does nothing in it
            idle = resident(ours)
            with load.held_connections(ours, 10_000):
                held = resident(ours)
        with running(bench, ours):
            load.own(ours, "mix", 128, bench.seconds).only(200, 201)
            before = resident(ours)
            load.own(ours, "mix", 128, bench.seconds).only(200, 201)
            grown = resident(ours) - before
        return {"call-service, idle": (idle, "MiB"), "call-service, 10,000 connections": (held, "MiB"),
                "call-service, after load": (before, "MiB"), "call-service, growth": (grown, "MiB")}

    goals = [Comparison("call-service, idle", None, 30, at_most=True),
             Comparison("call-service, 10,000 connections", None, 64, at_most=True),
             Comparison("call-service, growth", None, 1, at_most=True)]
    title = f"Resident memory; growth from {bench.seconds:g} s to {2 * bench.seconds:g} s of load at 128 connections"
    return Result("memory", title, interleave([turn], bench.repeats), goals)


def started_a_call(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        headers = {"Content-Type": "application/json", "X-API-Key": API_KEY}
        connection.request("POST", "/calls", json.dumps({"caller_id": "user-1"}), headers)
        return connection.getresponse().status == 201
    except OSError:
        return False
    finally:
        connection.close()


def cold(bench: Bench) -> Result:
    ours = [CallService("call-service, PostgreSQL", bench.world, bench.cluster),
            CallService("call-service, SQLite", bench.world, None)]

    def time_to_answer(server: Server) -> float:
        bench.cluster.settle()
        began = time.perf_counter()
        server.process = bench.world.start(server.command(), server.log, env=server.environment())
        while not started_a_call(server.port):
            if server.process.poll() is not None:
                raise RuntimeError(f"it did not start:\n{server.log.read_text(errors='replace')}")
            time.sleep(0.0005)
        took = time.perf_counter() - began
        server.stop()
        return took * 1000

    def turn() -> dict[str, tuple[float, str]]:
        return {server.name: (time_to_answer(server), "ms") for server in ours} | {"binary": (stripped_size(bench), "MiB")}

    goals = [Comparison(server.name, None, 100, at_most=True) for server in ours]
    goals.append(Comparison("binary", None, 10, at_most=True))
    return Result("cold", "From exec to the first 201, and the stripped binary", interleave([turn], bench.repeats), goals)


def stripped_size(bench: Bench) -> float:
    stripped = bench.world.folder / "stripped"
    subprocess.run(["strip", "-o", stripped, SERVICE], check=True)
    return stripped.stat().st_size / MIB
