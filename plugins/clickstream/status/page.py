"""The status page as HTML: of a document, of none, of one that cannot be read."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.exceptions import UndefinedError

from clickstream.engine.spent import format_dollars
from clickstream.status.docs import to_html
from clickstream.status.look import FEWEST_SESSIONS, VERSION, Document
from clickstream.status.pictures import chart, flow_picture, reconciled
from clickstream.status.verdict import (
    BEHIND_AFTER,
    STALE_AFTER,
    age,
    by_name,
    clock,
    evidence,
    has_begun,
    instant,
    verdict,
)
from clickstream.watch.alarms import MOST_REFUSED_EVENTS
from clickstream.watch.volume import FILLING, Verdict, judge, silent_hours

PARTS = {
    "staging_stands_still": "waiting",
    "dead_letters": "waiting",
    "nothing_arrives": "fresh",
    "events_not_fresh": "runs",
    "unloaded_near_expiry": "runs",
    "event_tables_failed": "runs",
    "cost_doubled": "runs",
    "processing_failed": "refused",
    "refused_events": "refused",
    "reject_rate": "rejected",
    "run_reject_rate": "rejected",
    "volume_silent": "events",
    "volume_jumped": "events",
    "archive_differs": "archive",
}
"""The part of the page that has the figures of an alarm, by its name."""

EVENTS_SHOWN = 50
"""Events of a page before all are asked for."""

# What a template, or these functions, raise at a value of another form than is written.
_MALFORMED = (UndefinedError, LookupError, TypeError, ValueError, AttributeError, ArithmeticError)

_RANK = {Verdict.SILENT: 0, Verdict.LOW: 1, Verdict.HIGH: 2, Verdict.UNKNOWN: 3, Verdict.FEW: 3, Verdict.USUAL: 3}


class DocumentError(ValueError):
    """A document cannot be shown; the message says why, and what to do."""


@dataclass(frozen=True)
class TroubledRun:
    """A run of load_events that failed, or has run for long, as Airflow's database has it."""

    run_id: str
    state: str
    started_at: str
    ended_at: str | None


@dataclass(frozen=True)
class Choice:
    """What of the events a person asked for: those whose name contains `text`, and all or the first EVENTS_SHOWN."""

    text: str = ""
    all: bool = False


def status_page(
    text: str | None, now: datetime, choice: Choice = Choice(), troubled: Iterable[TroubledRun] = ()
) -> str:
    """Return the page of the document in `text`; without one, or of a broken one, the page says what to do.

    `troubled`: runs of load_events that did not end well, or not yet.
    """
    try:
        return _render("status.html", document=_parsed(text), now=now, choice=choice, troubled=list(troubled))
    except DocumentError as error:
        return message_page("Clickstream", str(error))
    except _MALFORMED as error:
        return message_page("Clickstream", f"The document of this page cannot be read ({_reason(error)}). {_WRITE_IT}")


def report_page(run_id: str, report: Mapping[str, Any] | None, preview: Mapping[str, Any] | None) -> str:
    """Return the page of one run of load_events: its report, else what its dry run would do, else why there is none.

    Raises DocumentError when the report cannot be shown.
    """
    try:
        return _render("run.html", run_id=run_id, report=report or preview, is_preview=not report and bool(preview))
    except _MALFORMED as error:
        reason = f"The report of the run {run_id} cannot be shown ({_reason(error)})."
        raise DocumentError(f"{reason} Its row of the table load_runs has the same figures.") from error


def docs_page(name: str, markdown: str) -> str:
    """Return a page of docs/."""
    return _render("docs.html", name=name, root="../" * (name.count("/") + 1), body=to_html(markdown))


def message_page(title: str, message: str, link: str = "", link_text: str = "") -> str:
    """Return a page that says one thing, with a link to go on by."""
    return _render("message.html", title=title, message=message, link=link, link_text=link_text)


_WRITE_IT = "Trigger the DAG write_status, or look at the log of its last run: docs/status-page.md."


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error)[:200]}"


def _parsed(text: str | None) -> Document:
    if text is None:
        raise DocumentError(f"There is no document yet. {_WRITE_IT} It is unpaused, and runs every 15 minutes?")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise DocumentError(f"The document of this page is no JSON. {_WRITE_IT}") from None
    if not isinstance(document, dict) or document.get("version") != VERSION:
        raise DocumentError(f"The document of this page is of another version than {VERSION}. {_WRITE_IT}")
    return document


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "age": _age,
        "clock": lambda text, written_at: clock(text, instant(written_at)),
        "dollars": _dollars,
        "judged": judged,
        "instant": instant,
        "minute": _minute,
        "number": _number,
        "percent": _percent,
    }
    made.globals |= {
        "by_name": by_name,
        "chart": chart,
        "chosen": chosen,
        "evidence": evidence,
        "has_begun": has_begun,
        "parts": PARTS,
        "verdict_of": verdict,
        "fewest_sessions": FEWEST_SESSIONS,
        "flow_picture": flow_picture,
        "most_refused_events": MOST_REFUSED_EVENTS,
        "reconciled": reconciled,
        "stale_after": STALE_AFTER,
        "behind_after": BEHIND_AFTER,
    }
    return made


def _render(template: str, **values: Any) -> str:
    return _environment().get_template(template).render(values)


def judged(series: Mapping[str, Any]) -> dict[str, Any]:
    """Return a source or event with its verdict, the hour that it is about, and what was usual in it."""
    verdict = judge(series["hours"], series["low"], series["high"])
    last = -1 - FILLING
    usual = f"{series['low'][last]:,} to {series['high'][last]:,}" if series["low"] else ""
    text = f"silent for {silent_hours(series['hours'])} h" if verdict is Verdict.SILENT else verdict.value
    return {
        **series,
        "verdict": text,
        "rank": _RANK[verdict],
        "is_odd": _RANK[verdict] < _RANK[Verdict.USUAL],
        "last": series["hours"][last],
        "usual": usual,
        "total": sum(series["hours"]),
    }


def chosen(events: Iterable[Mapping[str, Any]], choice: Choice) -> dict[str, Any]:
    """Return the events to show, those first whose latest hour is unusual, and how many there are in all."""
    wanted = [event for event in events if choice.text.casefold() in f"{event['name'] or event['type']}".casefold()]
    found = sorted(map(judged, wanted), key=lambda event: (event["rank"], -event["total"]))
    shown = found if choice.all else found[:EVENTS_SHOWN]
    return {"shown": shown, "found": len(found), "odd": sum(event["is_odd"] for event in found)}


def _minute(text: str | None) -> str:
    return f"{instant(text):%Y-%m-%d %H:%M} UTC" if text else "never"


def _age(text: str, now: datetime | str) -> str:
    return age(instant(text), instant(now) if isinstance(now, str) else now)


def _number(value: float | None) -> str:
    return "not known" if value is None else f"{value:,.0f}"


def _dollars(amount: float | None) -> str:
    return "not known" if amount is None else format_dollars(amount)


def _percent(part: float, whole: float) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "0 %"
