"""`make demo`: a day of events from the sender to the typed table, and what one sees then."""

import time
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table

from local import pipeline, stack
from local.places import LocalError, Places
from local.segment.events import generate_day

USERS = 120
EXAMPLE = 'make sql Q="select type, count(*) from events group by 1"'

DOES_NOT_ADD_UP = "DOES NOT ADD UP"
LOADED_SINCE = """
select coalesce(sum(rows_loaded), 0), coalesce(sum(rows_duplicate), 0), coalesce(sum(rows_rejected), 0)
from load_ledger
where staged_at >= timestamp '{since} UTC'
"""

FIRST_ROWS = """
select
    received_at, type, coalesce(event, name) as event, coalesce(user_id, anonymous_id) as who,
    context_library_name as library, substr(properties, 1, 40) as properties
from events
order by received_at desc
limit 5
"""

ONE_USERS_WAY = """
with people as (
    select anonymous_id, max(user_id) as user_id
    from events
    where anonymous_id is not null
    group by anonymous_id
    having count(*) filter (where user_id is null) > 1 and count(*) filter (where event = 'order_completed') > 0
    order by max(received_at) desc
    limit 1
)

select
    "timestamp", type, coalesce(event, name) as step, if(events.user_id is null, 'anonymous', events.user_id) as who,
    context_page_path as page
from events
where anonymous_id in (select anonymous_id from people) or user_id in (select user_id from people)
order by "timestamp", message_id
limit 15
"""

FRESHNESS = """
select
    max(received_at) as newest_received_at,
    date_diff('second', max(received_at), current_timestamp) as seconds_ago,
    count(*) filter (where received_at > current_timestamp - interval '1' hour) as events_in_the_last_hour,
    count(*) as events_in_all
from events
"""


def run(console: Console, seed: int, users: int) -> None:
    """The whole demonstration. Raises LocalError."""
    began = time.monotonic()
    output = Console(highlight=False)
    places = stack.up(lambda message: console.print(f"  {message}"))
    before = datetime.now(UTC)
    day = generate_day(seed or time.time_ns() % 2**31, datetime.now(UTC), users)
    failed_before = pipeline.failed_at_transform(places)
    with console.status("sending") as progress:
        sent = pipeline.send(day, places, progress.update)
        pipeline.write_archive(day, places)
        console.print(f"  {sent.sent} events of a day sent to Kinesis, none with a newline, and to the archive")
        pipeline.wait_until_staged(places, progress.update)
        console.print("  all of them staged")
        pipeline.run_pipeline(places, progress.update)
        console.print("  crawled, patched, loaded")
    refused = pipeline.failed_at_transform(places) - failed_before
    accounts = _accounts(places, before, sent.sent, refused)
    output.print(f"\n[bold]Where each event went[/bold]\n{accounts}", soft_wrap=True)
    for title, statement in (
        ("The newest rows of lake.clickstream.events", FIRST_ROWS),
        ("One user's way through the product, before and after the login", ONE_USERS_WAY),
        ("Freshness", FRESHNESS),
    ):
        output.print()
        output.print(_table(title, *pipeline.query(places, statement)))
    output.print(_addresses(places))
    output.print(f"done in {time.monotonic() - began:.0f} s; all of it goes on running until `make down`")
    if DOES_NOT_ADD_UP in accounts:
        raise LocalError("what was loaded does not add up to what was sent: see above")


def report_text(report: dict[str, Any] | None) -> str:
    """A run report as a person reads it."""
    if report is None:
        return "nothing new is staged: nothing was loaded"
    reasons = ", ".join(f"{reason} {count}" for reason, count in sorted(report["rejected_by_reason"].items()))
    rejected = f"{report['rows_rejected']} rejected" + (f" ({reasons})" if reasons else "")
    return (
        f"{report['rows_read']} rows read from {report['objects']} objects = {report['rows_loaded']} loaded"
        f" + {report['rows_duplicate']} duplicate + {rejected}"
    )


def _accounts(places: Places, since: datetime, sent: int, refused: int) -> str:
    """From the ledger, over what was staged since the sending began, whichever run loaded it."""
    [[loaded, duplicate, rejected]] = pipeline.query(
        places, LOADED_SINCE.format(since=f"{since:%Y-%m-%d %H:%M:%S.%f}")
    )[1]
    verdict = "adds up" if sent == loaded + duplicate + rejected + refused else DOES_NOT_ADD_UP
    return (
        f"  sent {sent} = loaded {loaded} + duplicate {duplicate} + rejected {rejected + refused}: {verdict}\n"
        f"  of the rejected, {refused} were refused before they could spoil a file (s3 processing-failed/) and "
        f"{rejected} are in lake.clickstream.rejects"
    )


def _table(title: str, names: list[str], rows: list[list[Any]]) -> Table:
    table = Table(*names, title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    return table


def _cell(value: Any) -> str:
    if isinstance(value, datetime):
        return value.strftime("%m-%d %H:%M:%S")
    return "" if value is None else str(value)


def _addresses(places: Places) -> str:
    return f"\nAirflow  {places.airflow_url}\nTrino    {places.trino_url}/ui/ (any user name)\nQuery    {EXAMPLE}\n"
