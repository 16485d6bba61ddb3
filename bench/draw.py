"""The pictures of docs/performance.md, from bench/results. Runs in the environment of the comparators."""

import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

ROOT = Path(__file__).resolve().parent.parent
RESULTS, PICTURES = ROOT / "bench" / "results", ROOT / "docs" / "performance"
WIDTH = 8.0
"""Inches; so are heights."""
OURS, OTHER, THIRD = "#0b6e99", "#b8bfc6", "#d9a15c"
Result = dict[str, Any]


def main() -> None:
    """Draw what there are results for; the same results give the same bytes."""
    mpl.rcParams |= {"svg.hashsalt": "clickstream", "svg.fonttype": "none", "font.size": 9.0}
    PICTURES.mkdir(exist_ok=True)
    results = {file.stem: json.loads(file.read_text()) for file in RESULTS.glob("*.json")}
    for name, measure in (("unpack", "CPU seconds"), ("new_data", "seconds")):
        if name in results:
            _keep(name, _bars(results[name], measure))
    if "questions" in results:
        _keep("questions", _questions(results["questions"]))
    if "airflow" in results and "freshness" in results:
        _keep("waterfall", _waterfall(results["freshness"], results["airflow"]))


def _keep(name: str, figure: Figure) -> None:
    figure.savefig(PICTURES / f"{name}.svg", metadata={"Date": None}, bbox_inches="tight")


def _bars(result: Result, measure: str) -> Figure:
    """Return a bar a case, ours in our colour; the line on it goes from the lowest to the highest."""
    rows = result["rows"]
    figure, axes = _empty(0.4 * len(rows))
    values = [row[measure] if isinstance(row[measure], list) else [row[measure]] for row in rows]
    middles = [statistics.median(found) for found in values]
    spread = [[middle - min(found), max(found) - middle] for middle, found in zip(middles, values, strict=True)]
    ours = (rows[0]["case"], *(row["case"] for row in rows if row["case"].endswith("Clickstream")))
    colours = [OURS if row["case"] in ours else OTHER for row in rows]
    axes.barh([row["case"] for row in rows], middles, color=colours, xerr=list(zip(*spread, strict=True)), capsize=3)
    for place, middle in enumerate(middles):
        axes.annotate(f"{middle:.3g}", (0, place), xytext=(4, 0), textcoords="offset points", va="center")
    axes.set_xlabel(f"{measure}, less is better")
    axes.invert_yaxis()
    return figure


def _questions(result: Result) -> Figure:
    """Return each question three times, on a scale of powers of ten."""
    rows = result["rows"]
    figure, axes = _empty(0.5 * len(rows))
    for number, (name, colour) in enumerate(zip(rows[0]["of each"], (OURS, OTHER, THIRD), strict=True)):
        places = [place + 0.26 * (number - 1) for place in range(len(rows))]
        axes.barh(places, [statistics.median(row["of each"][name]) for row in rows], 0.24, color=colour, label=name)
    axes.set_yticks(range(len(rows)), [row["case"] for row in rows])
    axes.set_xscale("log")
    axes.set_xlabel("seconds (powers of ten), less is better")
    axes.invert_yaxis()
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 1.1), ncols=3, frameon=False)
    return figure


def _waterfall(freshness: Result, airflow: Result) -> Figure:
    """Return the seconds from step to step, from the object in the raw bucket and from the start of a load."""
    ends = {row["case"]: statistics.median(row["seconds"]) for row in freshness["rows"]}
    starts = [0.0, *list(ends.values())[:-1]]
    arrival = {case: [start, end] for start, (case, end) in zip(starts, ends.items(), strict=True)}
    load = max((row for row in airflow["rows"] if "tasks" in row), key=lambda row: statistics.median(row["seconds"]))
    tasks = load["tasks"]
    figure = Figure(figsize=(WIDTH, 0.28 * (len(arrival) + len(tasks)) + 1.2))
    upper, lower = figure.subplots(2, height_ratios=[len(arrival), len(tasks)])
    _spans(upper, arrival, "seconds since the object lay in the raw bucket")
    _spans(lower, tasks, "seconds since the first task of load_events began")
    figure.tight_layout()
    return figure


def _spans(axes: Axes, spans: Mapping[str, Sequence[float]], unit: str) -> None:
    ordered = sorted(spans.items(), key=lambda item: item[1][0])
    for place, (name, (start, end)) in enumerate(ordered):
        axes.barh(place, end - start, left=start, color=OURS)
        axes.annotate(
            f"{name}, {end - start:.2g}", (end, place), xytext=(4, 0), textcoords="offset points", va="center"
        )
    _plain(axes)
    axes.set_yticks([])
    axes.set_xlim(0, 1.35 * max(end for _, end in spans.values()))
    axes.set_xlabel(unit)
    axes.invert_yaxis()


def _empty(height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(WIDTH, height + 0.8))
    axes = figure.subplots()
    _plain(axes)
    return figure, axes


def _plain(axes: Axes) -> None:
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(left=False)


if __name__ == "__main__":
    main()
