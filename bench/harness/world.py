"""What a run stands on: folders, free ports, processes that do not outlive it, one PostgreSQL cluster."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

BENCH = Path(__file__).resolve().parent.parent
ROOT = BENCH.parent
API_KEY = "bench-key-0123456789-0123456789-0123456789"
LIVEKIT_KEY = "devkey"
LIVEKIT_SECRET = "0123456789abcdef0123456789abcdef"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"not within {seconds} s: {what}")
        time.sleep(0.002)


class World:
    """A temporary folder and everything that runs in it; gone at the end, however that comes."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="call-service-bench-"))
        self.folder.chmod(0o755)
        self.processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> "World":
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self.processes):
            self.stop(process)
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, command: list[str], log: Path, **options: object) -> subprocess.Popen[bytes]:
        """Standard output and error go to the file `log`. A process group of its own, so that workers end with it."""
        with open(log, "ab") as file:
            process = subprocess.Popen(command, stdout=file, stderr=file, start_new_session=True, **options)  # type: ignore[call-overload]
        self.processes.append(process)
        return process

    def stop(self, process: subprocess.Popen[bytes], how: signal.Signals = signal.SIGTERM) -> None:
        if process in self.processes:
            self.processes.remove(process)
        if process.poll() is None:
            process.send_signal(how)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def answers(port: int, process: subprocess.Popen[bytes], log: Path) -> bool:
    if process.poll() is not None:
        raise RuntimeError(f"it did not start:\n{log.read_text(errors='replace')[-3000:]}")
    with contextlib.suppress(OSError):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    return False


class Cluster:
    """PostgreSQL with full durability, its data in the world's folder. Each variant has a database of its own."""

    def __init__(self, world: World) -> None:
        self.binaries = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
        self.port = free_port()
        self.data = world.folder / "postgres"
        self.as_user: dict[str, object] = {"cwd": "/"}
        if os.getuid() == 0:  # PostgreSQL refuses to run as root
            self.data.mkdir()
            shutil.chown(self.data, "postgres", "postgres")
            self.as_user |= {"user": "postgres", "group": "postgres", "extra_groups": []}
        self.check([self.tool("initdb"), "-D", str(self.data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale"])
        settings = {"port": self.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "max_connections": 200,
                    "fsync": "on", "synchronous_commit": "on", "shared_buffers": "256MB", "max_wal_size": "4GB"}
        command = [self.tool("postgres"), "-D", str(self.data)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        self.log = world.folder / "postgres.log"
        process = world.start(command, self.log, **self.as_user)
        self.pid = process.pid
        until(lambda: self.is_ready(process), "PostgreSQL accepts connections")

    def is_ready(self, process: subprocess.Popen[bytes]) -> bool:
        if process.poll() is not None:
            raise RuntimeError(self.log.read_text())
        ready = [self.tool("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(ready, check=False).returncode == 0

    def tool(self, name: str) -> str:
        return str(self.binaries / name)

    def check(self, command: list[str]) -> None:
        done = subprocess.run(command, capture_output=True, text=True, check=False, **self.as_user)  # type: ignore[call-overload]
        if done.returncode != 0:
            raise RuntimeError(f"{command[0]}: {done.stderr}")

    def url(self, database: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def sql(self, database: str, *statements: str) -> str:
        command = [self.tool("psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", self.url(database)]
        for statement in statements:
            command += ["-c", statement]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        return done.stdout.strip()

    def settle(self) -> None:
        """What the last turn left to be written is written now, not in the next turn's time."""
        self.sql("postgres", "CHECKPOINT")
