"""python -m harness.flames [BINARY NAME]: draws where the service spends its time, as ./dev profile does; or where that build of it
does, into pictures that have the name behind theirs."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from harness import load, variants
from harness.bench import Bench, analyze, running
from harness.variants import CallService, Server
from harness.world import ROOT, Cluster, World

PICTURES = ROOT / "docs/pictures"
SECONDS = 15
WIDTH, LINE, LEAST = 1200, 17, 2.0  # pixels; narrower frames are left out
COLORS = [  # by a frame's library or name: the first that fits
    (r"kernel", "#c8c8c8"),
    (r"libpq", "#8ab6e0"),
    (r"libcrypto|libssl", "#9fd09f"),
    (r"mimalloc|operator (new|delete)", "#e39a9a"),
    (r"call_service::", "#f2b45c"),
    (r"", "#f0dd9a"),
]


@dataclass
class Frame:
    name: str
    color: str
    samples: int = 0
    inner: dict[str, "Frame"] = field(default_factory=dict)

    def depth(self) -> int:
        return 1 + max((frame.depth() for frame in self.inner.values()), default=0)


def color_of(text: str) -> str:
    return next(color for pattern, color in COLORS if re.search(pattern, text))


def without_nested(text: str, opening: str, closing: str) -> str:
    kept, depth = "", 0
    for character in text:
        depth += character == opening
        if depth == 0:
            kept += character
        depth -= character == closing and depth > 0
    return kept


def short(symbol: str) -> str:
    """A function's name as a person would say it."""
    name = symbol.replace("(anonymous namespace)::", "").replace("operator()", "lambda").replace("->", "")
    name = without_nested(without_nested(name, "(", ")"), "<", ">").removesuffix(" const").split(" [clone")[0]
    name = name.split(" ")[-1] if "operator " not in name else name[name.index("operator ") :]
    return name.replace("boost::asio::detail::", "asio::").replace("boost::", "").replace("call_service::", "") or symbol


def demangled(text: str) -> str:
    """perf knows no names of concepts, which clang writes into those of functions."""
    names = sorted(set(re.findall(r"\b_Z\w+", text)))
    known = subprocess.run(["llvm-cxxfilt-19", *names], capture_output=True, text=True, check=True).stdout.splitlines() if names else []
    table = dict(zip(names, known, strict=True))
    return re.sub(r"\b_Z\w+", lambda found: table[found[0]] if not table[found[0]].startswith("_Z") else plain(found[0]), text)


def plain(mangled: str) -> str:
    """The words of a name that nothing takes apart, without its arguments."""
    words, rest = [], mangled[2:].lstrip("N")
    while (found := re.match(r"(\d+)", rest)) and int(found[1]) <= len(rest):
        start, length = found.end(), int(found[1])
        words.append(rest[start : start + length])
        rest = rest[start + length :]
    return "::".join(words).replace("_GLOBAL__N_1", "(anonymous namespace)") or mangled


# What every stack begins with, and what only hands on.
PASSED_OVER = re.compile(r"^(\[unknown\]|start_thread|clone3?|std::.*|.*_State_impl.*|.*scheduler::.*|.*io_context::run|.*awaitable_thread.*|.*do_complete|.*basic_executor_type.*)$")


def stacks(recorded: str) -> Iterator[list[tuple[str, str]]]:
    """Of each sample the functions, outermost first, each with its color."""
    for sample in recorded.split("\n\n"):
        frames = re.findall(r"^\s+[0-9a-f]+ (.*) \((\S*)\)$", sample, re.MULTILINE)
        if frames:
            yield [("kernel" if "kernel" in library else short(symbol), color_of(f"{library} {symbol}"))
                   for symbol, library in reversed(frames)
                   if not PASSED_OVER.match(symbol.split("(")[0] if symbol[0] != "(" else symbol)]


def tree(recorded: str) -> Frame:
    root = Frame("all", "#eeeeee")
    for stack in stacks(recorded):
        root.samples += 1
        at, names = root, ""
        for name, color in stack:
            if name == names:  # a function's overloads, or the kernel's inside
                continue
            names = name
            at = at.inner.setdefault(name, Frame(name, color))
            at.samples += 1
    return root


def boxes(frame: Frame, x: float, level: int, scale: float, height: int) -> Iterator[str]:
    width = frame.samples * scale
    if width < LEAST:
        return
    y = height - (level + 1) * LINE
    share = f"{frame.name}: {100 * width / WIDTH:.1f} %"
    yield f'<g><title>{escape(share)}</title><rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{LINE - 1}" fill="{frame.color}"/>'
    fitting = int((width - 4) / 6.2)
    if fitting >= 3:
        yield f'<text x="{x + 2:.1f}" y="{y + 12}">{escape(frame.name if len(frame.name) <= fitting else frame.name[: fitting - 1] + "…")}</text>'
    yield "</g>"
    for inner in sorted(frame.inner.values(), key=lambda each: -each.samples):
        yield from boxes(inner, x, level + 1, scale, height)
        x += inner.samples * scale


def picture(root: Frame, title: str) -> str:
    height = (root.depth() + 1) * LINE + 24
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" font-family="sans-serif" font-size="11">'
    frames = "\n".join(boxes(root, 0, 0, WIDTH / root.samples, height))
    return f'{head}\n<rect width="100%" height="100%" fill="white"/>\n<text x="4" y="16" font-size="14">{escape(title)}</text>\n{frames}\n</svg>\n'


def profile(bench: Bench, server: Server, name: str, title: str, work: Callable[[], object]) -> Path:
    data = bench.world.folder / f"{name}.perf"
    with running(bench, server):
        load.own(server, "starts", 128, bench.warm_up).only(201)
        analyze(server)
        assert server.process
        command = ["perf", "record", "--quiet", "--freq", "499", "--call-graph", "dwarf,16384", "--output", str(data), "--pid", str(server.process.pid)]
        recorder = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        work()
        recorder.terminate()
        recorder.wait()
    fields = ["perf", "script", "--input", str(data), "--no-inline", "--fields", "comm,tid,ip,sym,dso"]
    recorded = subprocess.run(fields, capture_output=True, text=True, check=True).stdout
    data.unlink()
    PICTURES.mkdir(exist_ok=True)
    file = PICTURES / f"{name}.svg"
    file.write_text(picture(tree(demangled(recorded)), title))
    return file


def main() -> None:
    if shutil.which("perf") is None:
        raise SystemExit("there is no perf here: install the package linux-perf")
    suffix = told = ""
    if sys.argv[1:]:
        binary, name = sys.argv[1:]
        variants.SERVICE, suffix, told = Path(binary), f"-{name}", f", {name}"
    with World() as world:
        bench = Bench(world, Cluster(world), 1, SECONDS, 0)
        server = CallService("call-service (profile)", world, bench.cluster)
        made = [
            profile(bench, server, f"starts{suffix}", f"POST /calls, PostgreSQL, 128 connections: CPU time of the service{told}",
                    lambda: load.own(server, "starts", 128, SECONDS)),
            profile(bench, server, f"webhooks{suffix}", f"LiveKit's events, PostgreSQL, 128 connections: CPU time of the service{told}",
                    lambda: load.own(server, "webhooks", 128, SECONDS, calls=20_000)),
        ]
    print("Drawn:", *(file.relative_to(ROOT) for file in made))


main()
