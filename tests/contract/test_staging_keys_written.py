"""The function's side of the staging key contract: what it writes is what `staging_keys.json` says."""

import json
from pathlib import Path
from typing import Any

import pytest

from clickstream_stream.keys import staging_key

CONTRACT = json.loads(Path(__file__).with_name("staging_keys.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CONTRACT["cases"], ids=lambda case: case["why"])
def test_written_key_is_the_agreed_one(case: dict[str, Any]) -> None:
    written = staging_key(CONTRACT["prefix"], case["event_time"], case["source_key"])

    assert written == CONTRACT["prefix"] + case["name"]
