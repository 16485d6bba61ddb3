"""The table of docs/runbooks/cost.md, worked out from the prices and assumptions beside it. `make docs` writes it."""

import math
from pathlib import Path
from typing import Any

import yaml

from local.places import ROOT

PAGE = ROOT / "docs" / "runbooks" / "cost.md"
PRICES = ROOT / "docs" / "runbooks" / "prices.yaml"
BEGIN, END = "<!-- begin: made by local/cost_page.py -->\n", "<!-- end -->\n"
MILLION, GB, HOURS_A_MONTH = 1_000_000, 1_000_000_000, 730


def read(path: Path = PRICES) -> dict[str, Any]:
    """Prices by name, in dollars, and the assumptions."""
    texts: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return texts


def per_million(texts: dict[str, Any]) -> dict[str, float]:
    """Dollars for a million events, by what is paid for."""
    price = {name: entry["price"] for name, entry in texts["prices"].items()}
    one = texts["assumed"]
    on_stream = MILLION * _rounded(one["event_bytes"], one["kinesis_rounds_to_bytes"]) / GB
    delivered = MILLION * _rounded(one["event_bytes"], one["firehose_rounds_to_bytes"]) / GB
    kept_months = (one["kinesis_retention_hours"] - 24) / HOURS_A_MONTH
    seconds = MILLION / 1000 * one["transform_milliseconds_a_thousand_events"] / 1000
    calls = MILLION / one["transform_events_a_call"]
    return {
        "Kinesis, written": on_stream * price["kinesis_in_gb"],
        "Kinesis, read once": on_stream * price["kinesis_out_gb"],
        "Kinesis, kept beyond a day": on_stream * kept_months * price["kinesis_kept_gb_month"],
        "Firehose": delivered * price["firehose_gb"],
        "Lambda": seconds * one["transform_memory_gb"] * price["lambda_gb_second"]
        + calls / MILLION * price["lambda_million_calls"],
        "S3, the lake for a year": MILLION * one["lake_bytes_an_event"] / GB * 12 * price["s3_gb_month"],
    }


def per_month(texts: dict[str, Any]) -> dict[str, float]:
    """Dollars a month, however many events there are, by what is paid for."""
    price = {name: entry["price"] for name, entry in texts["prices"].items()}
    one = texts["assumed"]
    crawls = one["crawler_runs_a_month"] * one["crawler_dpus"] * one["crawler_least_minutes"] / 60
    return {
        "Kinesis, the stream": HOURS_A_MONTH * price["kinesis_stream_hour"],
        "Glue crawler": crawls * price["glue_dpu_hour"],
        "S3, requests": one["objects_a_month"] * one["writes_an_object"] / 1000 * price["s3_thousand_writes"],
    }


def table(texts: dict[str, Any]) -> str:
    """The part of the page that is made."""
    events, months = per_million(texts), per_month(texts)
    rows = [f"| {name} | {cost:.4f} | |" for name, cost in events.items()]
    rows += [f"| {name} | | {cost:.2f} |" for name, cost in months.items()]
    total = f"| **together** | **{sum(events.values()):.2f}** | **{sum(months.values()):.2f}** |"
    head = f"| {texts['region']}, prices of {texts['as_of']} | $ a million events | $ a month |\n| --- | --- | --- |"
    return "\n".join([head, *rows, total]) + "\n"


def page(text: str, texts: dict[str, Any]) -> str:
    """The page with its table as it must be."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{table(texts)}{END}{after}"


def _rounded(size: float, step: int) -> int:
    return math.ceil(size / step) * step


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), read()), encoding="utf-8")
