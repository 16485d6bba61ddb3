"""`make demo`: a day of events from the sender to the typed table, and what one sees then."""

import contextlib
import json
import time
from datetime import UTC, datetime
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from local import pipeline, services, stack
from local.airflow_api import Airflow
from local.places import LocalError, Places
from local.progress import progress
from local.segment import sdk
from local.segment.events import Day, generate_day
from local.waiting import Report

USERS = 120
EXAMPLE = '"select type, count(*) from events group by 1"'
# How one goes on: a query, the end, where Airflow's user is.
WITH_MAKE = (f"make sql Q={EXAMPLE}", "make down", "")
WITH_DOCKER = (
    f"docker compose run --rm local sql --query {EXAMPLE}",
    "docker compose down",
    " (user and password: docker compose exec airflow-apiserver cat account/passwords.json)",
)

DOES_NOT_ADD_UP = "DOES NOT ADD UP"
LOADED_SINCE = """
select coalesce(sum(rows_loaded), 0), coalesce(sum(rows_duplicate), 0), coalesce(sum(rows_rejected), 0)
from load_ledger
where staged_at >= timestamp '{since} UTC'
"""

TYPED_EVENT = """
select
    received_at, coalesce(user_id, anonymous_id) as who, order_id, revenue, currency, cardinality(products) as products
from clickstream_events.order_completed
order by received_at desc
limit 4
"""

SESSIONS = """
select
    started_at, cast(duration_seconds as bigint) as seconds, event_count as events, entry_step, exit_step,
    conversion_count as orders, coalesce(last_user_id, 'anonymous') as who
from sessions
where started_at > current_timestamp - interval '2' day
order by conversion_count desc, event_count desc
limit 4
"""

FLOWS = """
select from_step, to_step, sum(sessions) as sessions, sum(visitors) as visitors
from flows
where day >= current_date - interval '1' day and from_step is not null and to_step is not null and from_step <> to_step
group by from_step, to_step
order by sessions desc, from_step
limit 5
"""

FUNNEL = """
with tries as (
    select *
    from (
        select visitor_id, event_at, message_id, step
        from session_events
        where session_started_at > current_timestamp - interval '2' day
    )
    match_recognize (
        partition by visitor_id
        order by event_at, message_id
        measures 1 + count(added.step) + count(ordered.step) as reached
        one row per match
        after match skip to next row
        pattern (viewed (x*? added (x*? ordered)?)?)
        define
            viewed as viewed.step = 'product_viewed',
            added as added.step = 'product_added' and added.event_at <= viewed.event_at + interval '1' hour,
            ordered as ordered.step = 'order_completed' and ordered.event_at <= viewed.event_at + interval '1' hour
    )
),

visitors as (
    select visitor_id, max(reached) as reached
    from tries
    group by visitor_id
)

select count(*) as viewed_a_product, count_if(reached >= 2) as put_it_in_the_cart, count_if(reached >= 3) as ordered
from visitors
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
    count_if(loaded_at is null) as staged_and_not_loaded,
    count_if(received_at > current_timestamp - interval '1' hour) as events_in_the_last_hour
from events_live
where received_at > current_timestamp - interval '1' day
"""

SHOWN = (
    ("Typed: the newest rows of lake.clickstream_events.order_completed", TYPED_EVENT),
    ("Sessions with most orders", SESSIONS),
    ("One user's way through the product, before and after the login", ONE_USERS_WAY),
    ("What follows what: lake.clickstream.flows", FLOWS),
    ("A funnel: within an hour of the view", FUNNEL),
    ("Freshness: lake.clickstream.events_live, one event sent a moment ago", FRESHNESS),
)


def run(console: Console, seed: int, users: int) -> None:
    """Run the whole demonstration. Raises LocalError.

    What DAGs do by their schedules begins after it, so that a first start has the machine to itself.
    """
    began = time.monotonic()
    output = Console(highlight=False)

    def done(message: str) -> None:
        console.print(f"  {message}")

    with progress(console) as now:
        places = stack.up(done, hold_schedules=True, now=now)
        try:
            before = datetime.now(UTC)
            failed_before = pipeline.failed_at_transform(places)
            sent = _send_and_load(places, generate_day(seed or time.time_ns() % 2**31, before, users), done, now)
        except BaseException:
            with contextlib.suppress(LocalError, httpx.HTTPError):  # the first error is reported, not this one
                stack.release_schedules(places)
            raise
        stack.release_schedules(places)
    refused = pipeline.failed_at_transform(places) - failed_before
    accounts = _accounts(places, before, sent, refused)
    output.print(f"\n[bold]Where each event went[/bold]\n{accounts}", soft_wrap=True)
    for title, statement in SHOWN:
        output.print()
        output.print(_table(title, *pipeline.query(places, statement)))
    output.print(_addresses(places), soft_wrap=True)
    output.print(f"done in {time.monotonic() - began:.0f} s; all of it goes on running until `{_ways_on(places)[1]}`")
    if DOES_NOT_ADD_UP in accounts:
        raise LocalError("what was loaded does not add up to what was sent: see above")


def _send_and_load(places: Places, day: Day, done: Report, now: Report) -> int:
    """Send a day and load it, then send one event more, not loaded; return how many records the day has."""
    since = datetime.now(UTC)
    by_segment, by_sdk = sdk.split(day) if _has_collector(places) else (list(day), [])
    sent = pipeline.send(by_segment, places, now).sent
    pipeline.write_archive(by_segment, places)
    done(f"{sent} events of a day sent to Kinesis, none with a newline, and to the archive")
    if by_sdk:
        _send_with_sdk(by_sdk, places)
        done(f"{len(by_sdk)} more of it sent by Segment's Python SDK to the collector")
    pipeline.wait_until_staged(places, now)
    done("all of them staged")
    if places.held_file.exists():
        Airflow(places).unpause("model_sessions")
    pipeline.run_pipeline(places, now)
    done("crawled, patched, loaded")
    pipeline.wait_until_modelled(places, since, now)
    done("sessions modelled")
    pipeline.send([_one_event(datetime.now(UTC))], places, now)
    pipeline.wait_until_staged(places, now)
    return sent + len(by_sdk)


def _has_collector(places: Places) -> bool:
    return services.COLLECTOR in services.of(places)


def _send_with_sdk(messages: list[dict[str, Any]], places: Places) -> None:
    try:
        sdk.send(messages, places.collector_url)
    except sdk.SdkError as error:
        raise LocalError(str(error)) from error


def _one_event(now: datetime) -> bytes:
    """Return a page view of this moment."""
    message = {
        "messageId": f"demo-{now:%Y%m%dT%H%M%S%f}", "type": "page", "name": "Demo", "anonymousId": "demo",
        "properties": {"path": "/demo"}, "timestamp": now.isoformat(), "receivedAt": now.isoformat(),
    }  # fmt: skip
    return json.dumps(message).encode()


def report_text(report: dict[str, Any] | None) -> str:
    """Return a run report as a person reads it."""
    if report is None:
        return "nothing new is staged: nothing was loaded"
    reasons = ", ".join(f"{reason} {count}" for reason, count in sorted(report["rejected_by_reason"].items()))
    rejected = f"{report['rows_rejected']} rejected" + (f" ({reasons})" if reasons else "")
    return (
        f"{report['rows_read']} rows read from {report['objects']} objects = {report['rows_loaded']} loaded"
        f" + {report['rows_duplicate']} duplicate + {rejected}"
        + _broken_rules(report["violations_by_event"])
        + f"\n{report['spent']['queries']} queries, {report['spent']['cpu_seconds']:.1f} s of Trino's CPU"
    )


def _broken_rules(violations_by_event: dict[str, dict[str, int]]) -> str:
    """Return a line for each event of which messages break a rule of the tracking plan."""
    return "".join(
        f"\n{event}: {counts['violating']} of {counts['messages']} messages break a rule of the tracking plan"
        for event, counts in sorted(violations_by_event.items())
    )


def _accounts(places: Places, since: datetime, sent: int, refused: int) -> str:
    """Return the ledger's totals over what was staged since the sending began, whichever run loaded it."""
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
    query, _, user = _ways_on(places)
    airflow, trino = places.page("airflow"), places.page("trino")
    lines = [
        f"Airflow  {airflow}{user}",
        f"Status   {airflow}/plugin/clickstream (Clickstream in Airflow's menu)",
        f"Trino    {trino}/ui/ (any user name)",
        f"Query    {query}",
    ]
    if _has_collector(places):
        lines.insert(0, f"Shop     {_shop(places)}")
    return "\n{}\n".format("\n".join(lines))


def _shop(places: Places) -> str:
    """Return where the shop's page is, or why there is none."""
    page = httpx.get(places.collector_url)
    if page.headers["content-type"].startswith("text/html"):
        return f"{places.collector_url}/ (each click is an event: `make live` shows it)"
    return str(page.text).strip()


def _ways_on(places: Places) -> tuple[str, str, str]:
    return WITH_DOCKER if places.elsewhere else WITH_MAKE
