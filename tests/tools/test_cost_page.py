"""The tables of docs/runbooks/cost.md: what was worked out by hand, and that the page has them."""

import copy
from typing import Any

import pytest

from clickstream.load.cost import read_prices
from tools.cost_page import PAGE, Volume, page, per_million, per_month, volume

TEXTS = read_prices()


def test_the_page_has_the_table_of_its_prices() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(PAGE.read_text(encoding="utf-8"), TEXTS), "run: make docs"


@pytest.fixture
def round_figures() -> dict[str, Any]:
    """Prices and assumptions with which one can reckon in one's head."""
    texts = copy.deepcopy(TEXTS)
    prices = {"kinesis_in_gb": 1, "kinesis_out_gb": 2, "kinesis_kept_gb_month": 73, "firehose_gb": 10,
              "lambda_gb_second": 0.5, "lambda_million_calls": 4, "s3_gb_month": 0.5, "kinesis_stream_hour": 0.1,
              "glue_dpu_hour": 0.6, "s3_thousand_writes": 3, "trino_node_hour": 1,
              "athena_tb": 1}  # fmt: skip
    assert prices.keys() == texts["prices"].keys()
    texts["prices"] = {name: {"price": price} for name, price in prices.items()}
    texts["assumed"] |= {
        "event_bytes": 1025, "kinesis_retention_hours": 34, "transform_milliseconds_a_thousand_events": 20,
        "transform_memory_gb": 0.5, "transform_events_a_call": 1000, "lake_bytes_an_event": 500,
        "crawler_runs_a_month": 30, "crawler_dpus": 2, "crawler_least_minutes": 10, "objects_a_month": 2000,
        "writes_an_object": 4, "object_bytes": 100_000_000, "load_cpu_seconds_a_gb": 360, "load_minutes": 10,
        "busiest_hour_share": 0.1, "cores_busy_share": 0.5, "trino_worker_cores": 8,
    }  # fmt: skip
    return texts


def test_costs_are_those_worked_out_by_hand(round_figures: dict[str, Any]) -> None:
    # 1,025 bytes are 2,048 on the stream and 5,120 in Firehose; 34 hours are 10 beyond a day, of the month's 730.
    assert per_million(round_figures) == pytest.approx(
        {
            "Kinesis, written": 2.048,
            "Kinesis, read once": 4.096,
            "Kinesis, kept beyond a day": 2.048,
            "Firehose": 51.2,
            "Lambda": 20 * 0.5 * 0.5 + 0.004,
            "S3, the lake for a year": 0.5 * 12 * 0.5,
        }
    )
    assert per_month(round_figures) == pytest.approx({"Kinesis, the stream": 73, "Glue crawler": 6, "S3, requests": 24})


def test_a_volume_is_that_worked_out_by_hand(round_figures: dict[str, Any]) -> None:
    # 240 million events of 1,025 bytes; a tenth in one hour, loaded in 600 s on cores that are busy half the time.
    assert volume(240_000_000, round_figures) == Volume(
        events_a_day=240_000_000,
        gb_a_day=pytest.approx(246),
        gb_in_the_busiest_hour=pytest.approx(24.6),
        objects_in_the_busiest_hour=246,
        cores_on_average=pytest.approx(1.025),
        cores_in_the_busiest_hour=pytest.approx(29.52),
        workers=4,
        trino_a_month=5 * 730,
        rest_a_month=pytest.approx(67.396 * 240 * 730 / 24 + 103),
    )


def test_an_hour_has_an_object_for_each_delivery_however_little_is_in_it(round_figures: dict[str, Any]) -> None:
    round_figures["assumed"]["objects_a_month"] = 7_300

    assert volume(24, round_figures).objects_in_the_busiest_hour == 10


def test_every_price_names_its_page() -> None:
    assert [
        name for name, entry in TEXTS["prices"].items() if not entry["source"].startswith("https://aws.amazon.com/")
    ] == []
