"""What processes have cost so far, in seconds of a core."""

import os
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def fields(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()


def family(pid: int) -> list[int]:
    """A process and its children, such as the one that listens for PostgreSQL and those that serve."""
    found = [pid]
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if int(fields(int(entry.name))[1]) == pid:
                    found.append(int(entry.name))
            except (OSError, IndexError):
                continue  # it has just ended
    return found


def seconds(pid: int) -> float:
    total = 0
    for one in family(pid):
        try:
            user, system, ended_user, ended_system = (int(value) for value in fields(one)[11:15])
        except OSError:
            continue
        # Of children only the listening process knows what those that have ended cost.
        total += user + system + (ended_user + ended_system if one == pid else 0)
    return total / TICKS
