"""The trigger forms that Airflow draws. What comes back is checked again: see clickstream.form."""

from airflow.sdk import Param

from clickstream.load_request import SOURCES


def instant(title: str) -> Param:
    """A date and time that may be left empty."""
    return Param(None, type=["null", "string"], format="date-time", title=title, description="With an offset.")


def load_form() -> dict[str, Param]:
    """What a run of load_events can be asked for."""
    return {
        "from": instant("From"),
        "to": instant("To"),
        "source": Param("auto", enum=list(SOURCES), title="Source", description="Where the range is read from."),
        "dry_run": Param(False, type="boolean", title="Dry run", description="Only tell what would happen."),
        "rederive": Param(False, type="boolean", title="Re-derive", description="Also update rows that differ."),
    }
