"""Runs variants in turns and compares them."""

import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Series:
    """What one variant measured, a value a turn."""

    name: str
    unit: str
    values: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.values)


@dataclass
class Comparison:
    """`wanted`: ours / rival must be at least (or, if `at_most`, at most) this."""

    ours: str
    rival: str | None  # None: the goal is a number of its own, in the series' unit
    wanted: float
    at_most: bool = False

    def reached(self, series: dict[str, Series]) -> float:
        value = series[self.ours].median
        return value / series[self.rival].median if self.rival else value

    def is_met(self, series: dict[str, Series]) -> bool:
        return self.reached(series) <= self.wanted if self.at_most else self.reached(series) >= self.wanted


@dataclass
class Result:
    row: str
    title: str
    series: list[Series]
    goals: list[Comparison]
    apart: bool = False  # each comparison is of something else: a picture draws it on a scale of its own

    def by_name(self) -> dict[str, Series]:
        return {series.name: series for series in self.series}


Turn = Callable[[], dict[str, tuple[float, str]]]  # series name -> value and unit


def interleave(turns: list[Turn], repeats: int) -> list[Series]:
    """Every variant once, then all again: what disturbs the machine for a while disturbs each alike."""
    series: dict[str, Series] = {}
    for repeat in range(repeats):
        for turn in turns:
            for name, (value, unit) in turn().items():
                series.setdefault(name, Series(name, unit)).values.append(value)
                print(f"  {repeat + 1}/{repeats}  {name}: {value:,.2f} {unit}", file=sys.stderr)
    return list(series.values())
