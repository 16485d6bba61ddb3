"""The tables of docs/runbooks/cost.md, worked out from include/prices.yaml. `make docs` writes it."""

import math
import sys
from dataclasses import dataclass
from typing import Any

from local.places import ROOT

sys.path.insert(0, str(ROOT / "plugins"))

from clickstream.load.cost import read_prices

PAGE = ROOT / "docs" / "runbooks" / "cost.md"
END = "<!-- end -->\n"
MILLION, GB, HOURS_A_MONTH = 1_000_000, 1_000_000_000, 730
DAYS_A_MONTH = HOURS_A_MONTH / 24


def per_million(texts: dict[str, Any]) -> dict[str, float]:
    """Return dollars for a million events, by what is paid for."""
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
    """Return dollars a month, however many events there are, by what is paid for."""
    price = {name: entry["price"] for name, entry in texts["prices"].items()}
    one = texts["assumed"]
    crawls = one["crawler_runs_a_month"] * one["crawler_dpus"] * one["crawler_least_minutes"] / 60
    return {
        "Kinesis, the stream": HOURS_A_MONTH * price["kinesis_stream_hour"],
        "Glue crawler": crawls * price["glue_dpu_hour"],
        "S3, requests": one["objects_a_month"] * one["writes_an_object"] / 1000 * price["s3_thousand_writes"],
    }


@dataclass(frozen=True)
class Volume:
    """What so many events a day need. Gigabytes of JSON, workers of Trino, dollars a month."""

    events_a_day: int
    gb_a_day: float
    gb_in_the_busiest_hour: float
    objects_in_the_busiest_hour: int
    cores_on_average: float
    cores_in_the_busiest_hour: float
    workers: int
    trino_a_month: float
    rest_a_month: float


def volume(events_a_day: int, texts: dict[str, Any]) -> Volume:
    """Return a Trino that runs all month, large enough to load the busiest hour in the minutes that are assumed."""
    one, price = texts["assumed"], {name: entry["price"] for name, entry in texts["prices"].items()}
    gb_a_day = events_a_day * one["event_bytes"] / GB
    busiest = gb_a_day * one["busiest_hour_share"]
    cores = busiest * one["load_cpu_seconds_a_gb"] / (one["load_minutes"] * 60) / one["cores_busy_share"]
    workers = math.ceil(cores / one["trino_worker_cores"])
    by_size = math.ceil(busiest * GB / one["object_bytes"])
    months = per_month(texts)
    return Volume(
        events_a_day=events_a_day,
        gb_a_day=gb_a_day,
        gb_in_the_busiest_hour=busiest,
        objects_in_the_busiest_hour=max(one["objects_a_month"] // HOURS_A_MONTH, by_size),
        cores_on_average=gb_a_day * one["load_cpu_seconds_a_gb"] / 86_400,
        cores_in_the_busiest_hour=cores,
        workers=workers,
        trino_a_month=(workers + 1) * HOURS_A_MONTH * price["trino_node_hour"],
        rest_a_month=sum(per_million(texts).values()) * events_a_day / MILLION * DAYS_A_MONTH + sum(months.values()),
    )


def volumes_table(texts: dict[str, Any]) -> str:
    """Return one row for each number of events a day."""
    head = (
        "| events a day | GB of JSON a day | in the busiest hour: GB | objects | cores to load it | cores on average "
        "| Trino's workers | $ a month, Trino | $ a month, the rest |"
    )
    line = "| --- " * head.count(" | ") + "| --- |"
    rows = [
        f"| {one.events_a_day:,} | {one.gb_a_day:,.0f} | {one.gb_in_the_busiest_hour:,.1f} "
        f"| {one.objects_in_the_busiest_hour:,} | {one.cores_in_the_busiest_hour:,.1f} | {one.cores_on_average:,.1f} "
        f"| {one.workers} | {one.trino_a_month:,.0f} | {one.rest_a_month:,.0f} |"
        for one in (volume(events, texts) for events in texts["events_a_day"])
    ]
    return "\n".join([head, line, *rows]) + "\n"


def table(texts: dict[str, Any]) -> str:
    """Return what a million events cost, and a month."""
    events, months = per_million(texts), per_month(texts)
    rows = [f"| {name} | {cost:.4f} | |" for name, cost in events.items()]
    rows += [f"| {name} | | {cost:.2f} |" for name, cost in months.items()]
    total = f"| **together** | **{sum(events.values()):.2f}** | **{sum(months.values()):.2f}** |"
    head = f"| {texts['region']}, prices of {texts['as_of']} | $ a million events | $ a month |\n| --- | --- | --- |"
    return "\n".join([head, *rows, total]) + "\n"


def page(text: str, texts: dict[str, Any]) -> str:
    """Return the page with its tables as they must be."""
    for name, made in (("cost", table(texts)), ("volumes", volumes_table(texts))):
        begin = f"<!-- begin {name}: made by tools/cost_page.py -->\n"
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(END)
        text = f"{before}{begin}{made}{END}{after}"
    return text


def _rounded(size: float, step: int) -> int:
    return math.ceil(size / step) * step


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), read_prices()), encoding="utf-8")
