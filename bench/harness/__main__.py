"""python -m harness [ROW…] [--repeats N] [--seconds S]: what ./dev bench runs."""

import argparse
import datetime
import os
import platform
import signal
import sys

from harness import load, report
from harness.bench import Bench
from harness.rows import ROWS
from harness.world import BENCH, Cluster, World


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev bench", description="Measures the service beside its rivals.")
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"which rows, default all: {', '.join(ROWS)}")
    parser.add_argument("--repeats", type=int, default=5, help="turns of each variant (5)")
    parser.add_argument("--seconds", type=float, default=10, help="of load in a turn (10)")
    parser.add_argument("--calls", type=int, default=10_000_000, help="in the greater database of the row growth (10,000,000)")
    chosen = parser.parse_args()
    unknown = [row for row in chosen.rows if row not in ROWS]
    if unknown:
        parser.error(f"there is no row {', '.join(unknown)}; rows: {', '.join(ROWS)}")
    if chosen.repeats < 1 or chosen.seconds < 1:
        parser.error("--repeats and --seconds must be at least 1")
    return chosen


def main() -> None:
    chosen = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the world is cleared away
    load.allow_many_connections()
    began = datetime.datetime.now(datetime.UTC)
    about = {"began": began.isoformat(timespec="seconds"), "repeats": chosen.repeats, "seconds": chosen.seconds,
             "cores": os.cpu_count(), "load_at_begin": os.getloadavg()[0], "system": platform.platform()}
    results = []
    with World() as world:
        bench = Bench(world, Cluster(world), chosen.repeats, chosen.seconds, chosen.calls)
        for name in chosen.rows or ROWS:
            print(f"{name}:", file=sys.stderr)
            results.append(ROWS[name](bench))
    about["load_at_end"] = os.getloadavg()[0]
    print(report.table(results))
    files = report.write(results, about, BENCH / "results", began.strftime("%Y-%m-%dT%H-%M-%S"))
    print("\nWritten:", *(str(file.relative_to(BENCH.parent)) for file in files))


main()
