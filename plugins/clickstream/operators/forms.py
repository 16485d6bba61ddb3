"""The trigger forms that Airflow draws. What comes back is checked again: see clickstream.form."""

from airflow.sdk import Param

from clickstream.load.request import SOURCES
from clickstream.plan.diff import LONGEST_DAYS, USUAL_DAYS
from clickstream.reconcile.request import LARGE_PERCENT, MOST_HOURS
from clickstream.reconcile.request import LONGEST_DAYS as RECONCILED_DAYS


def instant(title: str, description: str) -> Param:
    """Return a date and time that may be left empty."""
    return Param(None, type=["null", "string"], format="date-time", title=title, description=description)


def rebuild_form() -> dict[str, Param]:
    """Return the params of a run of model_sessions."""
    return {
        "from": instant("From", "Start of the time to model again. Empty: what was loaded and not modelled."),
        "to": instant("To", "End of it, itself not included."),
    }


def compare_form() -> dict[str, Param]:
    """Return the params of a run of compare_plan."""
    looks = "How far back it looks."
    return {"days": Param(USUAL_DAYS, type="integer", minimum=1, maximum=LONGEST_DAYS, title="Days", description=looks)}


def rebuild_typed_form() -> dict[str, Param]:
    """Return the params of a run of rebuild_typed_events."""
    return {
        "from": instant("From", "Start of the time, by received_at, whose rows are rebuilt. Required."),
        "to": instant("To", "End of it, itself not included. Needed."),
        "event": Param(
            None,
            type=["null", "string"],
            title="Event",
            description="Name of one event of the tracking plan, or of its table. Empty: every live one.",
        ),
    }


def load_form() -> dict[str, Param]:
    """Return the params of a run of load_events."""
    return {
        "from": instant("From", "Start of the range to load. Empty: all that is staged and not loaded."),
        "to": instant("To", "End of the range, itself not included."),
        "source": Param(
            "auto",
            enum=list(SOURCES),
            title="Source",
            description="auto: staging where it is still there, else the archive.",
        ),
        "dry_run": Param(
            False,
            type="boolean",
            title="Dry run",
            description="Write nothing: the log of preview says what would happen.",
        ),
        "rebuild": Param(
            False,
            type="boolean",
            title="Rebuild",
            description="Also update rows that are there and would be different now.",
        ),
    }


def reconcile_form() -> dict[str, Param]:
    """Return the params of a run of reconcile_archive."""
    return {
        "from": instant("From", "Start of the hours to compare. Empty: yesterday, and hours that differed before."),
        "to": instant("To", "End of them, itself not included."),
        "dry_run": Param(
            True,
            type="boolean",
            title="Dry run",
            description="Compare, and only preview what healing would load.",
        ),
        "most_hours": Param(
            MOST_HOURS,
            type="integer",
            minimum=1,
            maximum=RECONCILED_DAYS * 24,
            title="Hours",
            description="How many hours are healed, at most.",
        ),
        "large": Param(
            False,
            type="boolean",
            title="Large gaps",
            description=f"Also heal hours that miss more than {LARGE_PERCENT} % of their messages.",
        ),
    }


def erase_form() -> dict[str, Param]:
    """Return the params of a run of erase_person."""
    ids = {"type": ["null", "array"], "items": {"type": "string"}}
    return {
        "user_id": Param(None, type=["null", "string"], title="User id", description="Of the person, as it is sent."),
        "anonymous_id": Param(
            None,
            type=["null", "string"],
            title="Anonymous id",
            description="Of a device of the person. One of the two.",
        ),
        "include": Param(
            None, **ids, title="Include", description="Further ids of the person: those that a dry run left undecided."
        ),
        "exclude": Param(None, **ids, title="Exclude", description="Ids that others use too: they are left alone."),
        "request": Param(
            None,
            type=["null", "string"],
            title="Request",
            description="Name of an object that has the ids, in place of the four above: they are then not in Airflow.",
        ),
        "dry_run": Param(
            True, type="boolean", title="Dry run", description="Only find the ids, and count what there is."
        ),
    }
