"""python -m harness.flames [PATH…]: what ./dev profile runs. Where the service and PostgreSQL spend their time under load."""

import argparse
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from harness import cpu, load
from harness.bench import Bench, analyze, running
from harness.throughput import EVENTS_A_CALL
from harness.variants import CallService, Server
from harness.world import ROOT, Cluster, World

PICTURES = ROOT / "docs/images"
SAMPLES_A_SECOND = 499  # no divisor of what timers do
STACK_BYTES = 32_768  # how much of a stack is kept, to find the callers in it

Stack = tuple[str, ...]


def starts(server: Server, seconds: float) -> None:
    load.wrk(server, "start.lua", 128, seconds).only(201)


def webhooks(server: Server, seconds: float) -> None:
    load.own(server, "webhooks", 128, seconds, calls=round(seconds * 20_000 / EVENTS_A_CALL)).only(200)


PATHS: dict[str, tuple[str, Callable[[Server, float], None]]] = {
    "start": ("POST /calls", starts),
    "webhooks": ("LiveKit's events", webhooks),
}


def record(bench: Bench, server: Server, loading: Callable[[Server, float], None]) -> str:
    """What perf saw of the service and of PostgreSQL, as text."""
    file = bench.world.folder / "perf.data"
    with running(bench, server):
        loading(server, bench.warm_up)
        analyze(server)
        assert server.process
        watched = [server.process.pid, *cpu.family(bench.cluster.pid)]
        command = ["perf", "record", "-q", "-e", "cpu-clock", "-F", str(SAMPLES_A_SECOND), "-o", str(file),
                   "--call-graph", f"dwarf,{STACK_BYTES}", "-p", ",".join(map(str, watched))]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as perf:
            time.sleep(1)  # it attaches to every thread
            loading(server, bench.seconds)
            perf.send_signal(signal.SIGINT)
            _, errors = perf.communicate()
        if not file.exists():
            raise RuntimeError(f"perf: {errors}")
    script = ["perf", "script", "-i", str(file), "--no-inline", "-F", "comm,ip,sym,dso"]
    done = subprocess.run(script, capture_output=True, text=True, check=True)
    return done.stdout


def without_brackets(name: str) -> str:
    """`a<b>::c(d)` as `a::c`: what is in brackets makes names too long to be read."""
    name = name.replace("(anonymous namespace)::", "").replace("operator()", "operator").replace("operator<", "operator")
    name = name.replace("->", "")
    kept, depth = [], 0
    for letter in name:
        if letter in "<(":
            depth += 1
        elif letter in ">)":
            depth = max(0, depth - 1)
        elif depth == 0:
            kept.append(letter)
    return "".join(kept).removesuffix(" const").replace("[clone .resume]", "").split(" ")[-1] or name


# They are between any two functions that mean something.
PLUMBING = re.compile(r"^(std::|boost::asio::detail::|boost::asio::(any_io_executor|execution|async_result|async_initiate)|__gnu|_start|__libc_start|"
                      r"clone3?$|start_thread|__clone|\[unknown\]|void std|decltype)")
KERNEL = re.compile(r"\[(kernel|guest)|\[k\]|kallsyms")


def frame(line: str) -> str | None:
    """The name of one line of a stack."""
    found = re.match(r"\s*[0-9a-f]+ (.*) \((.*)\)$", line)
    if not found:
        return None
    symbol, home = found.groups()
    if KERNEL.search(home):
        return "kernel"
    name = without_brackets(symbol.split("+0x")[0])
    if symbol.startswith("[unknown]"):
        return Path(home).name.split(".so")[0]
    return None if PLUMBING.match(name) else name


def stacks(script: str) -> Iterator[Stack]:
    """Of each sample the process and its functions, the outermost first."""
    for sample in script.split("\n\n"):
        lines = sample.strip("\n").split("\n")
        if len(lines) < 2:
            continue
        process = "PostgreSQL" if lines[0].strip().startswith("postgres") else "call-service"
        names: list[str] = [process]
        for line in reversed(lines[1:]):
            name = frame(line)
            if name and name != names[-1]:
                names.append(name)
        yield tuple(names)


@dataclass
class Node:
    name: str
    count: int = 0
    children: dict[str, "Node"] = field(default_factory=dict)

    def add(self, stack: Stack, count: int) -> None:
        self.count += count
        if stack:
            self.children.setdefault(stack[0], Node(stack[0])).add(stack[1:], count)


WIDTH, HEIGHT, TOP, LETTER, LEAST = 1600, 17, 44, 6.6, 0.0015  # LEAST: the share of the whole that is still drawn
COLORS = {"kernel": "#cbd5e0", "PostgreSQL": "#90cdf4", "call-service": "#fbd38d"}


def depth(node: Node, least: float) -> int:
    return 1 + max((depth(child, least) for child in node.children.values() if child.count >= least), default=0)


def draw(title: str, root: Node) -> str:
    """A flame graph: a box for each function, as wide as its share of the time, on that of its caller."""
    least = root.count * LEAST
    height = TOP + depth(root, least) * HEIGHT + 10
    boxes: list[str] = []

    def box(node: Node, x: float, level: int, color: str) -> None:
        width = WIDTH * node.count / root.count
        y = height - 10 - (level + 1) * HEIGHT
        color = COLORS.get(node.name, color)
        share = f"{escape(node.name)}: {100 * node.count / root.count:.1f} %"
        boxes.append(f'<g><title>{share}</title><rect x="{x:.1f}" y="{y}" width="{max(width - 0.5, 0.3):.1f}" height="{HEIGHT - 1}" fill="{color}"/>')
        room = int((width - 4) / LETTER)
        if room >= 4:
            text = node.name if len(node.name) <= room else node.name[-room + 1:].rjust(room, "…")
            boxes.append(f'<text x="{x + 2:.1f}" y="{y + 12}">{escape(text)}</text>')
        boxes.append("</g>")
        for child in sorted(node.children.values(), key=lambda one: one.name):
            if child.count >= least:
                box(child, x, level + 1, color)
                x += WIDTH * child.count / root.count

    box(root, 0, 0, "#e2e8f0")
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="monospace" font-size="11">'
            f'<rect width="{WIDTH}" height="{height}" fill="white"/><text x="4" y="18" font-size="15">{escape(title)}</text>'
            f'<text x="4" y="35">{root.count} samples of {SAMPLES_A_SECOND} a second; below 0.15 % nothing is drawn</text>{"".join(boxes)}</svg>\n')


def listing(root: Node) -> str:
    """Who spent most by themselves, for those who read and do not look."""
    own: Counter[tuple[str, str]] = Counter()

    def visit(process: str, node: Node) -> None:
        own[process, node.name] += node.count - sum(child.count for child in node.children.values())
        for child in node.children.values():
            visit(process, child)

    for process in root.children.values():
        visit(process.name, process)
    return "\n".join(f"  {100 * count / root.count:5.1f} %  {process}: {name}" for (process, name), count in own.most_common(25))


def main() -> None:
    parser = argparse.ArgumentParser(prog="./dev profile", description="Draws flame graphs of the service and PostgreSQL under load.")
    parser.add_argument("paths", nargs="*", metavar="PATH", help=f"which paths, default all: {', '.join(PATHS)}")
    parser.add_argument("--seconds", type=float, default=8, help="of load (8)")
    chosen = parser.parse_args()
    unknown = [path for path in chosen.paths if path not in PATHS]
    if unknown:
        parser.error(f"there is no path {', '.join(unknown)}; paths: {', '.join(PATHS)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    load.allow_many_connections()
    PICTURES.mkdir(exist_ok=True)
    with World() as world:
        bench = Bench(world, Cluster(world), 1, chosen.seconds, 0)
        for path in chosen.paths or PATHS:
            title, loading = PATHS[path]
            server = CallService(f"call-service (profile {path})", world, bench.cluster)
            root = Node("all")
            for stack in stacks(record(bench, server, loading)):
                root.add(stack, 1)
            picture = PICTURES / f"flames-{path}.svg"
            picture.write_text(draw(f"{title} under load: the service and PostgreSQL", root))
            print(f"{title}:\n{listing(root)}\nWritten: {picture.relative_to(ROOT)}")


main()
