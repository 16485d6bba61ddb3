"""Where things are on the pictures of the status page: paths and places of inline SVG."""

from collections.abc import Mapping, Sequence
from typing import Any

BAR_WIDTH, BAR_HEIGHT = 6, 28

LABEL_HEIGHT, LABEL_EVERY = 14, 6
"""Of the hours below the bars, and how many hours are between two of them."""

FLOW_WIDTH, LEFT, RIGHT, THICKNESS = 640, 210, 420, 10
"""Of the picture of flows, and where its bars stand: their names are beside them."""

TALLEST, LINE, TOP = 220, 18, 14
"""Of all bars of a side, of the name beside a bar, and above the first."""

LONGEST_NAME = 26


def chart(hours: Sequence[int], low: Sequence[int], high: Sequence[int], first_hour: int) -> dict[str, Any]:
    """Return the paths of a small picture: a bar for each hour, from `first_hour` (UTC) on, and the band of what is
    usual; the hours as labels, and each with its count as text.
    """
    top = max([*hours, *high, 1])

    def y(count: int) -> float:
        return round(BAR_HEIGHT - count * BAR_HEIGHT / top, 1)

    bars = "".join(
        f"M{number * BAR_WIDTH + 1} {BAR_HEIGHT}V{y(count)}h{BAR_WIDTH - 2}V{BAR_HEIGHT}z"
        for number, count in enumerate(hours)
        if count
    )
    upper = [(x, y(most)) for number, most in enumerate(high) for x in (number, number + 1)]
    lower = [(x, y(least)) for number, least in enumerate(low) for x in (number, number + 1)]
    edge = "L".join(f"{x * BAR_WIDTH} {at}" for x, at in [*upper, *reversed(lower)])
    counts = ", ".join(f"{(first_hour + number) % 24:02}:00 {count}" for number, count in enumerate(hours))
    return {"bars": bars, "band": f"M{edge}z" if edge else "", "counts": counts, **_frame(len(hours), first_hour)}


def _frame(bars: int, first_hour: int) -> dict[str, Any]:
    """Return the size of a picture of hours, and where its labels are: each below the start of its bar."""
    labels = [
        {"x": number * BAR_WIDTH, "anchor": "middle" if number else "start", "text": f"{hour:02}"}
        for number in range(bars)
        if (hour := (first_hour + number) % 24) % LABEL_EVERY == 0
    ]
    return {
        "labels": labels, "label_y": BAR_HEIGHT + LABEL_HEIGHT - 3, "tick_y": BAR_HEIGHT, "width": bars * BAR_WIDTH,
        "height": BAR_HEIGHT + LABEL_HEIGHT,
    }  # fmt: skip


def reconciled(hours: Sequence[Mapping[str, int] | None]) -> dict[str, Any]:
    """Return a picture of a day beside the archive, with its sums and title: a bar for each hour that was compared."""
    heights = {"bars": BAR_HEIGHT // 4, "late": BAR_HEIGHT // 2, "missing": BAR_HEIGHT}
    bars, apart = [], list[str]()
    for number, hour in enumerate(hours):
        if hour is None:
            continue
        is_missing = hour["missing_here"] or hour["missing_there"]
        kind = "missing" if is_missing else "late" if hour["late"] else "bars"
        top = BAR_HEIGHT - heights[kind]
        bars.append(
            {"kind": kind, "path": f"M{number * BAR_WIDTH + 1} {BAR_HEIGHT}V{top}h{BAR_WIDTH - 2}V{BAR_HEIGHT}z"}
        )
        apart += [f"{number:02}:00 {kind}"] if kind != "bars" else []
    there = [hour for hour in hours if hour is not None]
    return {
        **{name: sum(hour[name] for hour in there) for name in ("messages", "missing_here", "missing_there", "late")},
        "bars": bars,
        "title": ", ".join(apart) or (f"{len(there)} hours as in the archive" if there else "not compared"),
        **_frame(len(hours), 0),
    }


def flow_picture(pairs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return bars and ribbons for pairs of `from`, `to` and `sessions`; their heights are by sessions."""
    total = max(1, sum(pair["sessions"] for pair in pairs))
    left, right = (_bars(pairs, side, total) for side in ("from", "to"))
    next_left, next_right = ({name: bar["y"] for name, bar in bars.items()} for bars in (left, right))
    ribbons = []
    for pair in pairs:
        height = pair["sessions"] * TALLEST / total
        start, end = next_left[pair["from"]], next_right[pair["to"]]
        next_left[pair["from"]], next_right[pair["to"]] = start + height, end + height
        ribbons.append({"path": _ribbon(start, end, max(height, 1)), **pair})
    bottom = max([bar["y"] + max(bar["height"], LINE) for bar in (*left.values(), *right.values())], default=0)
    return {
        "left": [*left.values()], "right": [*right.values()], "ribbons": ribbons, "width": FLOW_WIDTH,
        "height": round(bottom + TOP), "left_x": LEFT, "right_x": RIGHT, "thickness": THICKNESS,
    }  # fmt: skip


def _bars(pairs: Sequence[Mapping[str, Any]], side: str, total: int) -> dict[str | None, dict[str, Any]]:
    """Return the bars of a side by their steps, from the top down."""
    sums: dict[str | None, int] = {}
    for pair in pairs:
        sums[pair[side]] = sums.get(pair[side], 0) + pair["sessions"]
    bars: dict[str | None, dict[str, Any]] = {}
    y = float(TOP)
    for step, sessions in sums.items():
        height = max(1.0, sessions * TALLEST / total)
        bars[step] = {"y": round(y, 1), "height": round(height, 1), "name": _shortened(step), "sessions": sessions}
        y += max(height + 4, LINE)
    return bars


def _shortened(step: str | None) -> str:
    name = step or "(none)"
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"


def _ribbon(start: float, end: float, height: float) -> str:
    """Return a path from a bar on the left to one on the right."""
    x1, x2, middle = LEFT + THICKNESS, RIGHT, (LEFT + THICKNESS + RIGHT) // 2
    y1, y2, y3, y4 = (round(y, 1) for y in (start, end, end + height, start + height))
    return f"M{x1} {y1}C{middle} {y1} {middle} {y2} {x2} {y2}V{y3}C{middle} {y3} {middle} {y4} {x1} {y4}z"
