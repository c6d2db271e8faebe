"""Who is compared: each variant can be started, loaded and counted in the same way."""

import contextlib
import os
import re
import sqlite3
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from harness.world import API_KEY, BENCH, LIVEKIT_KEY, LIVEKIT_SECRET, ROOT, Cluster, World, answers, free_port, until

SERVICE = ROOT / "build/release/call-service"
TOOLS = ROOT / "build/bench"


def database_name(name: str) -> str:
    """As a DATABASE_URL can have it."""
    return re.sub(r"[^a-z]+", "_", name.lower()).strip("_")


@dataclass
class Server:
    """A program that serves our API, on PostgreSQL or SQLite."""

    name: str
    world: World
    cluster: Cluster | None  # None: SQLite
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    sink_port: int = field(default_factory=free_port)  # where its LiveKit would be

    def __post_init__(self) -> None:
        self.database = database_name(self.name)
        self.file = self.world.folder / f"{self.database}.db"
        self.log = self.world.folder / f"{self.database}.log"
        if self.cluster:
            self.cluster.sql("postgres", f"CREATE DATABASE {self.database}")
        migrate = subprocess.run([SERVICE, "migrate", "upgrade"], env=self.environment(), capture_output=True, text=True)
        if migrate.returncode != 0:
            raise RuntimeError(migrate.stderr)

    @property
    def url(self) -> str:
        return self.cluster.url(self.database) if self.cluster else f"sqlite:///{self.file}"

    def environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "DATABASE_URL": self.url,
            "PORT": str(self.port),
            "LIVEKIT_API_KEY": LIVEKIT_KEY,
            "LIVEKIT_API_SECRET": LIVEKIT_SECRET,
            "LIVEKIT_URL": f"ws://127.0.0.1:{self.sink_port}",
            "AUTH_API_KEYS": f"backend:{API_KEY}",
            "API_KEY": API_KEY,
        }

    def command(self) -> list[str]:
        raise NotImplementedError

    def start(self) -> None:
        self.process = self.world.start(self.command(), self.log, env=self.environment())
        process = self.process
        until(lambda: answers(self.port, process, self.log), f"{self.name} answers")

    def stop(self) -> None:
        if self.process:
            self.world.stop(self.process)
        self.process = None
        self.log.unlink(missing_ok=True)

    def stored_bytes(self) -> int:
        if self.cluster:
            return int(self.cluster.sql(self.database, "SELECT pg_database_size(current_database())"))
        return self.file.stat().st_size

    def drop(self) -> None:
        if self.cluster:
            self.cluster.sql("postgres", f"DROP DATABASE {self.database}")
        self.file.unlink(missing_ok=True)

    def count(self, table: str, where: str = "true") -> int:
        return int(self.sql(f"SELECT count(*) FROM {table} WHERE {where}")[0])

    def sql(self, query: str) -> list[str]:
        """The first column of the result."""
        if self.cluster:
            return self.cluster.sql(self.database, query).splitlines()
        with contextlib.closing(sqlite3.connect(self.file)) as connection:
            return [str(row[0]) for row in connection.execute(query)]


class CallService(Server):
    def command(self) -> list[str]:
        return [str(SERVICE), "serve"]

    def environment(self) -> dict[str, str]:
        # The sink is in no call: the comparison with LiveKit would end them.
        return super().environment() | {"RECONCILE_INTERVAL_SECONDS": "0", "CALL_NEVER_JOINED_TIMEOUT_SECONDS": "0"}


class Go(Server):
    def command(self) -> list[str]:
        return [str(TOOLS / "go-rival")]


class FastApi(Server):
    def command(self) -> list[str]:
        uvicorn = Path(os.environ["BENCH_PYTHON"]).parent / "uvicorn"
        folder = BENCH / "rivals/fastapi"
        return [str(uvicorn), "main:app", "--app-dir", str(folder), "--port", str(self.port), "--workers", "2"]


@dataclass
class Pgbench:
    """No server: one statement over and over."""

    name: str
    cluster: Cluster
    script: str
    schema: str | None = None  # a file; None: ours

    def __post_init__(self) -> None:
        self.database = database_name(self.name)
        self.cluster.sql("postgres", f"CREATE DATABASE {self.database}")
        if self.schema:
            self.cluster.sql(self.database, (BENCH / "pgbench" / self.schema).read_text())
        else:
            migrate = {"DATABASE_URL": self.cluster.url(self.database), "LIVEKIT_API_KEY": LIVEKIT_KEY}
            migrate |= {"LIVEKIT_API_SECRET": LIVEKIT_SECRET, "AUTH_API_KEYS": f"backend:{API_KEY}"}
            subprocess.run([SERVICE, "migrate", "upgrade"], env=migrate, check=True, capture_output=True)
