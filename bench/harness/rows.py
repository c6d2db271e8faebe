"""The rows of the goal table. Each makes its variants, runs them in turns, and says what is compared with what."""

from collections.abc import Callable

from harness.bench import Bench
from harness.capacity import capacity
from harness.footprint import cold, memory
from harness.growth import growth_postgres, growth_sqlite
from harness.latency import alone, steady
from harness.overload import overload
from harness.scale import scale
from harness.throughput import generator, mix, sqlite_mix, start, webhooks
from harness.turns import Result

ROWS: dict[str, Callable[[Bench], Result]] = {
    "start": start,
    "mix": mix,
    "sqlite": sqlite_mix,
    "webhooks": webhooks,
    "alone": alone,
    "steady": steady,
    "memory": memory,
    "cold": cold,
    "growth-postgresql": growth_postgres,
    "growth-sqlite": growth_sqlite,
    "overload": overload,
    "scale": scale,
    "capacity": capacity,
    "generator": generator,
}
