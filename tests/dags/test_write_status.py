"""The task that writes the status page's document, on the local AWS and Trino; the page shows it."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from clickstream.status.look import KEY
from clickstream.status.page import status_page
from local.lake.machine import Machine
from local.lake.scratch import ScratchLake
from local.services import ACCESS_KEY, REGION, SECRET_KEY
from tests.dags.conftest import context

NOW = datetime.now(UTC)
REFUSED = {"errorCode": "no_type", "source": "orders_09d3", "rawData": base64.b64encode(b'{"email":"a@b.kr"}').decode()}


@pytest.fixture(autouse=True)
def installation(machine: Machine, lake: ScratchLake, monkeypatch: pytest.MonkeyPatch) -> str:
    """Airflow's connections, the settings of the scratch lake, and its bucket of raw objects."""
    raw = f"{lake.settings.lake_bucket}-raw"
    lake.s3.create_bucket(Bucket=raw)
    aws = {"endpoint_url": machine.places.aws_url, "region_name": REGION}
    connections = {
        "clickstream_aws": {"conn_type": "aws", "login": ACCESS_KEY, "password": SECRET_KEY, "extra": aws},
        "clickstream_trino": {
            "conn_type": "trino", "host": "127.0.0.1", "port": machine.places.ports["trino"], "login": "airflow",
            "extra": {"catalog": "lake", "timezone": "UTC"},
        },
    }  # fmt: skip
    for name, connection in connections.items():
        monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(connection))
    for name in ("staging_bucket", "lake_bucket", "crawler", "database_prefix"):
        monkeypatch.setenv(f"CLICKSTREAM_{name.upper()}", getattr(lake.settings, name))
    monkeypatch.setenv("CLICKSTREAM_RAW_BUCKET", raw)
    return raw


def test_the_page_shows_what_the_task_wrote(lake: ScratchLake, installation: str, task) -> None:
    def write() -> dict[str, Any]:
        operator = task("write_status", "write")
        address = operator.execute(context(operator, "scheduled"))
        assert address == f"s3://{lake.settings.lake_bucket}/{KEY}"
        return json.loads(lake.s3.get_object(Bucket=lake.settings.lake_bucket, Key=KEY)["Body"].read())

    empty = write()
    assert (empty["runs"], empty["loaded"]["events"], empty["alarms"]) == ([], [], [])
    assert "No alarm is open" in status_page(json.dumps(empty), NOW)

    at = NOW - timedelta(hours=1)
    line = json.dumps(
        {
            "messageId": "1", "type": "track", "event": "장바구니 🛒", "projectId": "orders_09d3", "userId": "u",
            "receivedAt": at.isoformat(),
        }
    )  # fmt: skip
    lake.stage(f"{at:%Y%m%dT%H%M%S}000Z-a.ndjson", line.encode() + b"\n")
    lake.load("run-1")
    lake.stage(f"{at:%Y%m%dT%H%M%S}001Z-b.ndjson", b"waiting\n")
    refused = (json.dumps(REFUSED) + "\n") * 3
    lake.s3.put_object(Bucket=installation, Key=f"refused/{NOW:%Y/%m/%d/%H}/a", Body=refused.encode())

    document = write()

    assert document["waiting"]["unloaded_objects"] == 1
    assert document["waiting"]["refused_events"] == 1
    assert document["refused"] == [
        {
            "place": "refused/",
            "reason": "no_type",
            "source": "orders",
            "records": 3,
            "latest_at": None,
            "shape": '{"xxxxx":"x@x.xx"}',
        }
    ]
    # In its hour of the 24, or just after them.
    assert [source["name"] for source in document["loaded"]["sources"]] in (["orders"], [])
    page = status_page(json.dumps(document, ensure_ascii=False), NOW)
    for said in ("run-1", "no_type", "staged, not loaded"):
        assert said in page


def test_a_document_that_nobody_can_read_is_replaced(lake: ScratchLake, task) -> None:
    lake.s3.put_object(Bucket=lake.settings.lake_bucket, Key=KEY, Body=b'{"version": 0')
    operator = task("write_status", "write")

    operator.execute(context(operator, "scheduled"))

    assert "version" in json.loads(lake.s3.get_object(Bucket=lake.settings.lake_bucket, Key=KEY)["Body"].read())
