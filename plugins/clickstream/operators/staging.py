"""The operator that deletes staged objects which have been loaded."""

from datetime import timedelta
from typing import Any

from airflow.sdk import Context

from clickstream.aws.s3 import delete_staged, list_staged, write_text
from clickstream.load.take import kept_paths
from clickstream.operators.base import EngineOperator
from clickstream.staging.keys import overdue, select_expired


class S3ExpireStagingOperator(EngineOperator):
    """Delete the staged objects past their retention that were loaded, or set aside with a copy; warn of all others.

    Only an explicit list, of this folder, at most `expiry_max_objects` at once, is deleted. The list is kept
    under manifests/expire_staging/ in the lake bucket.
    """

    template_fields = ("dry_run",)

    def __init__(self, *, dry_run: bool | str = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dry_run = dry_run

    def execute(self, context: Context) -> dict[str, int]:
        """Return counts: expired (deleted, or in a dry run would be), overdue, kept."""
        settings, run, values = self.prepare(context)
        s3, now = self.client("s3"), values["now"]
        staged, _ = list_staged(s3, settings)
        kept = kept_paths(run, staged)
        retention = timedelta(hours=settings.staging_retention_hours + settings.expiry_grace_hours)
        expired = select_expired(staged, kept, now, retention, settings.expiry_max_objects)
        late = overdue(staged, kept, now, retention)
        if late:
            self.log.error(
                "%d objects are past their time and neither loaded nor copied, oldest %s: is load_events running?",
                len(late),
                late[0].path,
            )
        for item in expired:
            self.log.info("%s %s", "would delete" if self._is_dry_run else "deletes", item.path)
        if expired and not self._is_dry_run:
            listing = "\n".join(item.path for item in expired)
            write_text(s3, settings.lake_bucket, f"manifests/expire_staging/{now:%Y%m%dT%H%M%S%f}.txt", listing)
            delete_staged(s3, settings, expired)
        return {"expired": len(expired), "overdue": len(late), "kept": len(staged) - len(expired)}

    @property
    def _is_dry_run(self) -> bool:
        return str(self.dry_run).lower() != "false"
