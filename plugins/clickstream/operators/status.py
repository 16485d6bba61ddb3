"""The operator that writes what the status page shows."""

import itertools
import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import yaml
from airflow.sdk import Context

from clickstream.aws.s3 import chunks_of, read_text, write_text
from clickstream.engine.sql import SQL_DIR
from clickstream.operators.alarms import FiguresOperator, RefusedObject
from clickstream.plan.file import TrackingPlan, TrackingPlanError, read_plan
from clickstream.settings import Settings
from clickstream.staging.redrive import FAILED_PREFIX, REFUSED_PREFIX
from clickstream.status.look import KEY, Document, look, read_before
from clickstream.status.refused import LATEST_OBJECTS, reasons

SOURCES_FILE = SQL_DIR.parent / "sources.yaml"


class TrinoWriteStatusOperator(FiguresOperator):
    """Gather the document of the status page and write it to the lake bucket, in place of the last one."""

    def execute(self, context: Context) -> str:
        """Return the s3:// address of the document."""
        settings, run, values = self.prepare(context)
        s3 = self.client("s3")
        before = read_before(read_text(s3, settings.lake_bucket, KEY))
        figures = self.figures(run, settings, values)
        refused = self._reasons(settings, values["now"])
        document = look(run, figures, values["rules"], refused, source_names(), before, _plan())
        return write_text(s3, settings.lake_bucket, KEY, json.dumps(document, ensure_ascii=False))

    def _reasons(self, settings: Settings, now: datetime) -> list[Document]:
        failed, refused = self.refused(settings, now)
        return [
            *reasons(FAILED_PREFIX, self._starts(settings, failed)),
            *reasons(REFUSED_PREFIX, self._starts(settings, refused)),
        ]

    def _starts(self, settings: Settings, objects: Iterable[RefusedObject]) -> Iterable[bytes]:
        newest = sorted(objects, key=lambda item: item[1])[-LATEST_OBJECTS:]
        for key, _ in reversed(newest):
            yield b"".join(itertools.islice(chunks_of(self.client("s3"), f"s3://{settings.raw_bucket}/{key}"), 1))


def _plan() -> TrackingPlan | None:
    """Return the tracking plan; None when there is a mistake in it, which the loads report."""
    try:
        return read_plan()
    except TrackingPlanError:
        return None


def source_names() -> dict[str, str]:
    """Return the names of the collector's sources by their ids; none when there is no include/sources.yaml."""
    if not SOURCES_FILE.is_file():
        return {}
    given: dict[str, Any] = yaml.safe_load(SOURCES_FILE.read_text(encoding="utf-8"))
    return {source["id"]: name for name, source in given["sources"].items()}
