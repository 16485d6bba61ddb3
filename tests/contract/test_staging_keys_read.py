"""The DAGs' side of the staging key contract: they read in a name what `staging_keys.json` says."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from clickstream.staging.keys import staged_at

CONTRACT = json.loads(Path(__file__).with_name("staging_keys.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CONTRACT["cases"], ids=lambda case: case["why"])
def test_staging_time_is_read_from_the_name(case: dict[str, Any]) -> None:
    agreed = datetime.fromisoformat(case["staged_at"])

    assert staged_at(case["name"]) == agreed
    assert staged_at(CONTRACT["prefix"] + case["name"]) == agreed
    assert staged_at(f"s3://clickstream-staging-000000000000/{CONTRACT['prefix']}{case['name']}") == agreed


@pytest.mark.parametrize("case", CONTRACT["cases"], ids=lambda case: case["why"])
def test_the_source_key_itself_is_no_staged_name(case: dict[str, Any]) -> None:
    assert staged_at(case["source_key"]) is None
