"""The results as a table, as JSON and as a picture."""

import json
from html import escape
from pathlib import Path

from harness.turns import Result, Series


def table(results: list[Result]) -> str:
    lines = []
    for result in results:
        width = max(len(series.name) for series in result.series)
        lines += ["", f"{result.row}: {result.title}", f"  {'':{width}} {'median':>12} {'min':>12} {'max':>12}"]
        for series in result.series:
            low, high = min(series.values), max(series.values)
            lines.append(f"  {series.name:{width}} {series.median:12,.2f} {low:12,.2f} {high:12,.2f}  {series.unit}")
        by_name = result.by_name()
        for goal in result.goals:
            sign = "<=" if goal.at_most else ">="
            what = f"{goal.ours} / {goal.rival}" if goal.rival else goal.ours
            verdict = "met" if goal.is_met(by_name) else "MISSED"
            lines.append(f"  goal: {what} {sign} {goal.wanted:g}: {goal.reached(by_name):.2f}  {verdict}")
    return "\n".join(lines)


def as_json(results: list[Result], about: dict[str, object]) -> str:
    rows = []
    for result in results:
        by_name = result.by_name()
        goals = [vars(goal) | {"reached": goal.reached(by_name), "met": goal.is_met(by_name)} for goal in result.goals]
        series = [vars(series) | {"median": series.median} for series in result.series]
        rows.append({"row": result.row, "title": result.title, "series": series, "goals": goals})
    return json.dumps({"about": about, "rows": rows}, indent=2) + "\n"


OURS, RIVALS, MET, MISSED = "#2b6cb0", "#a0aec0", "#276749", "#c53030"
NAME_X, BAR_X, BAR_WIDTH, VALUE_X, GOAL_X, WIDTH = 10, 300, 300, 610, 770, 1420


def scales(result: Result) -> dict[str, float]:
    """Of each series, the value that is drawn as a whole bar: what is compared has the same one."""
    by_name = result.by_name()
    if result.apart:
        groups = [[goal.ours, *([goal.rival] if goal.rival else [])] for goal in result.goals]
    else:
        groups = [[name for name, series in by_name.items() if series.unit == unit]
                  for unit in {series.unit for series in result.series}]
    return {name: max(max(by_name[one].values) for one in group) or 1 for group in groups for name in group}


def goal_texts(result: Result, name: str) -> list[str]:
    by_name = result.by_name()
    texts = []
    for goal in result.goals:
        if goal.ours == name:
            color = MET if goal.is_met(by_name) else MISSED
            what = f"{goal.reached(by_name):,.2f} × {goal.rival}" if goal.rival else f"{goal.reached(by_name):,.2f}"
            texts.append(f'<tspan fill="{color}">{escape(what)} ({"≤" if goal.at_most else "≥"} {goal.wanted:,g})</tspan>')
    return texts


def bar(result: Result, series: Series, y: float) -> list[str]:
    top = scales(result).get(series.name) or max(series.values) or 1
    low, high, middle = (max(0.0, value) / top * BAR_WIDTH for value in (min(series.values), max(series.values), series.median))
    ours = series.name.startswith("call-service") or any(goal.ours == series.name for goal in result.goals)
    parts = [f'<text x="{NAME_X}" y="{y}">{escape(series.name)}</text>',
             f'<rect x="{BAR_X}" y="{y - 12}" width="{middle:.1f}" height="15" fill="{OURS if ours else RIVALS}"/>',
             f'<path d="M{BAR_X + low:.1f} {y - 4.5}H{BAR_X + high:.1f}" stroke="black"/>',
             f'<text x="{VALUE_X}" y="{y}">{series.median:,.2f} {escape(series.unit)}</text>']
    goals = goal_texts(result, series.name)
    return [*parts, f'<text x="{GOAL_X}" y="{y}">{"; ".join(goals)}</text>'] if goals else parts


def picture(results: list[Result]) -> str:
    """Bars of the medians with the spread as a line, and beside ours what the goal asks for."""
    parts: list[str] = []
    y = 10
    for result in results:
        y += 24
        parts.append(f'<text x="{NAME_X}" y="{y}" font-weight="bold">{escape(result.title)}</text>')
        for series in result.series:
            y += 22
            parts += bar(result, series, y)
        y += 10
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y + 20}" font-family="sans-serif" font-size="13">'
    return "\n".join([head, '<rect width="100%" height="100%" fill="white"/>', *parts, "</svg>\n"])


def write(results: list[Result], about: dict[str, object], folder: Path, name: str) -> list[Path]:
    folder.mkdir(exist_ok=True)
    data, image = folder / f"{name}.json", folder / f"{name}.svg"
    data.write_text(as_json(results, about))
    image.write_text(picture(results))
    return [data, image]
