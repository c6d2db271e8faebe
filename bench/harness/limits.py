"""Gives processes a share of a core, by a control group of the kernel: a container's limit, without the container."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
PERIOD_US = 10_000  # short, so that who has used its share does not stand still for long


def children_of(pid: int) -> list[int]:
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    return [child for child, parent in parents.items() if parent == pid]


def move(pid: int, group: Path) -> None:
    with contextlib.suppress(ProcessLookupError):  # it has ended meanwhile
        (group / "cgroup.procs").write_text(str(pid))


@contextlib.contextmanager
def limited(pid: int, cores: float) -> Iterator[None]:
    """Children that are born meanwhile are limited, too."""
    quota = round(cores * PERIOD_US)
    if (ROOT / "cgroup.controllers").exists():
        parent, settings = ROOT, {"cpu.max": f"{quota} {PERIOD_US}"}
    else:
        parent, settings = ROOT / "cpu", {"cpu.cfs_period_us": str(PERIOD_US), "cpu.cfs_quota_us": str(quota)}
    group = parent / f"call-service-bench-{os.getpid()}"
    try:
        group.mkdir()
        for name, value in settings.items():
            (group / name).write_text(value)
    except OSError as error:
        raise RuntimeError(f"this row needs to limit PostgreSQL's CPU by control groups, as root: {error}") from error
    try:
        move(pid, group)
        for child in children_of(pid):
            move(child, group)
        yield
    finally:
        move(pid, parent)  # first: what it begets from now on is born outside
        for member in (group / "cgroup.procs").read_text().split():
            move(int(member), parent)
        group.rmdir()
