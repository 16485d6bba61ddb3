"""The archive's keys are what archive_keys.json says, to the function that writes them and the DAGs that read them."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from clickstream.load.archive import arrival_hour, hour_folder
from clickstream.settings import Settings
from clickstream_stream.keys import archive_key

CONTRACT = json.loads(Path(__file__).with_name("archive_keys.json").read_text(encoding="utf-8"))
cases = pytest.mark.parametrize("case", CONTRACT["cases"], ids=lambda case: case["why"])


@cases
def test_written_key_is_the_agreed_one(case: dict[str, Any]) -> None:
    assert archive_key(case["event_time"], case["source_key"]) == CONTRACT["prefix"] + case["name"]


@cases
def test_the_hour_is_read_from_the_folder(case: dict[str, Any]) -> None:
    folder, _, _ = case["name"].rpartition("/")

    assert arrival_hour(folder) == datetime.fromisoformat(case["hour"])
    assert hour_folder(datetime.fromisoformat(case["hour"])) == folder
    assert Settings.archive_hours_prefix == CONTRACT["prefix"]
