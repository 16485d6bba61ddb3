"""Fill one table for each live event of the tracking plan, with violations and discards, out of `events`.

One pass over the run's messages sorts them by event and finds what breaks a rule; then one MERGE an event that is
present, several at a time. What a run costs depends on the events that it brings, not on how many the plan declares.
"""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from trino.exceptions import TrinoQueryError

from clickstream.engine.among import Among
from clickstream.engine.columns import Column
from clickstream.engine.evolution import Run, evolve, present_shapes, renew_comments
from clickstream.engine.failures import MOST_LEFT_OUT, describe, failure_of, find_failing, first_failing, may_be_of_data
from clickstream.engine.table_shape import Change, DestructiveChangeError, Name, TableColumn
from clickstream.plan.event import Event, common_columns
from clickstream.plan.file import TrackingPlan
from clickstream.plan.pattern_cost import LONGEST_TEXT
from clickstream.settings import Settings
from clickstream.window import Bounds, Span

# Runs a file of include/sql once for each of these values, several at a time. Returns why it failed for the events of
# some, by table, where the reason lies in the event or its messages; anything else is raised.
RunEach = Callable[[str, Sequence[Mapping[str, Any]]], dict[str, str]]

COMPARED_AT_ONCE = 50
RULES_A_STATEMENT = 200_000
"""Bytes of rules in one statement: Athena takes 262,144, Trino a million, and 500 events have two million."""


@dataclass(frozen=True)
class Present:
    """An event of which a run brought messages."""

    event: Event
    messages: int
    window: Bounds


@dataclass(frozen=True)
class Declared:
    """The values of `events.event` that have a table and that table's name, side by side; the columns of all."""

    slugs: list[str]
    tables: list[str]
    columns: list[Column]

    @property
    def pairs_json(self) -> str:
        """Each value with its table, as JSON text."""
        return json.dumps(list(zip(self.slugs, self.tables, strict=True)), ensure_ascii=False)


class TypedRowsError(RuntimeError):
    """A table of an event does not have exactly the messages of that event; the message counts them.

    In a rebuild, each must have been written by this run.
    """


class NoTableFilledError(RuntimeError):
    """No table of several could be filled, so the reason is not one event's; the message has the reason of each."""


def declared(events: Iterable[Event]) -> Declared:
    """Return which event goes to which table."""
    pairs = [(name, event.table) for event in events for name in event.slugs]
    return Declared([name for name, _ in pairs], [table for _, table in pairs], common_columns())


def rule_pieces(events: Iterable[Event], piece_rules: int = 200) -> list[str]:
    """Return the rules and columns of these events as JSON texts, each short enough for a statement."""
    rows = [json.dumps(row, ensure_ascii=False) for event in events for row in _rule_rows(event)]
    pieces = [part for batch in batched_lists(rows, piece_rules) for part in rule_statements(batch, RULES_A_STATEMENT)]
    return [f"[{', '.join(piece)}]" for piece in pieces] or ["[]"]


def rule_statements(pieces: Iterable[str], longest: int) -> list[list[str]]:
    """Return the pieces by statement, in order: as many as fit, and one where even that is too long."""
    statements: list[list[str]] = [[]]
    for piece in pieces:
        if statements[-1] and sum(len(other.encode()) for other in [*statements[-1], piece]) > longest:
            statements.append([])
        statements[-1].append(piece)
    return statements


def batched_lists(items: Sequence[Any], size: int) -> list[list[Any]]:
    """Return the items in lists of at most `size`."""
    return [list(items[at : at + size]) for at in range(0, len(items), size)]


@dataclass(frozen=True)
class Made:
    """What was done to tables, as `<what> <table>[.<column>]`, and why it could not be done to others, by table."""

    done: list[str]
    failed: dict[str, str]


def create_missing(run: Run, run_each: RunEach, plan: TrackingPlan, settings: Settings) -> Made:
    """Make the tables that events lack and bring the others up to date; one that fails does not stop the others."""
    schema = settings.events_database
    present = present_shapes(run, settings, [schema])
    altered, failed = _evolve_each(run, plan, present, settings)
    described = {(schema, event.table): event.entry["description"] for event in plan.with_table}
    renewed = renew_comments(run, described, settings)
    missing = [event for event in plan.live if (schema, event.table) not in present]
    unmade = run_each(
        "evolution/create_table.sql",
        [{"event": event, "altered": (schema, event.table), "table": event.description} for event in missing],
    )
    done = [
        *(change.text for change in altered),
        *(f"comment_table {'.'.join(table)}" for table in renewed),
        *(f"create {schema}.{event.table}" for event in missing if event.table not in unmade),
    ]
    return Made(done, failed | unmade)


def _evolve_each(
    run: Run, plan: TrackingPlan, present: Mapping[Name, Sequence[TableColumn]], settings: Settings
) -> tuple[list[Change], dict[str, str]]:
    done: list[Change] = []
    failed: dict[str, str] = {}
    for event in plan.with_table:
        try:
            done += evolve(run, {(settings.events_database, event.table): event.shape}, present, settings)
        except DestructiveChangeError as error:
            failed[event.table] = str(error)
        except TrinoQueryError as error:
            failed[event.table] = reason_of(error)
    return done, failed


def reason_of(error: TrinoQueryError) -> str:
    """Return why a statement failed for one event and may run for others. Raises any other error."""
    if not may_be_of_data(str(error.error_name), str(error.error_type)):
        raise error
    return describe(error)


def without(plan: TrackingPlan, tables: Collection[str]) -> TrackingPlan:
    """Return the plan without the events of these tables."""
    return TrackingPlan(tuple(event for event in plan.events if event.table not in tables))


def wanted_shapes(plan: TrackingPlan, settings: Settings) -> dict[Name, Sequence[TableColumn]]:
    """Return the wanted columns of the tables of the plan's events."""
    return {(settings.events_database, event.table): event.shape for event in plan.with_table}


@dataclass(frozen=True)
class Filled:
    """Messages, and those violating and discarding, by table; the reason of each table that could not be filled.

    `lacking`: how many messages a table lacks that was filled with the others, and why.
    """

    rates: list[dict[str, Any]]
    failed: dict[str, str]
    lacking: dict[str, str] = field(default_factory=dict)

    @property
    def reasons(self) -> dict[str, str]:
        """Why each failed or incomplete table is so."""
        return {**self.lacking, **self.failed}


def load(
    run: Run, run_each: RunEach, plan: TrackingPlan, values: Mapping[str, Any], window: Bounds, again: bool = False
) -> Filled:
    """Fill the tables with the run's messages; one that fails does not stop the others, nor a message the others.

    `values` has run_id and now. `again`: all of `events` in the window, and existing rows are rewritten.
    Raises TypedRowsError when the tables then do not agree with `events`, and the error of the engine when it is not
    one of some events: also when every event that is present fails.
    """
    given, lacking = dict(values), dict[str, str]()
    run("work/typed/load.sql", **given, declared=declared(plan.live), window=window, of_batch=not again)
    by_table = {event.table: event for event in plan.live}
    found = [
        Present(by_table[row["table_name"]], row["messages"], window.clipped(Span(row["earliest"], row["latest"])))
        for row in run("work/typed/present.sql", **given).rows
    ]
    if not found:
        return Filled([], {})
    present = len(found)
    unjudged = _judge_all(run, given, found, lacking)
    found = [one for one in found if one.event.table not in unjudged]
    rates = run("lake/violations/rates.sql", **given).rows
    if any(rate["violating"] for rate in rates):
        run("lake/violations/load.sql", **given, window=window)
    if any(rate["discarding"] for rate in rates):
        run("lake/discards/load_properties.sql", **given, window=window)
    statement_values = {**given, "again": again}
    unfilled = run_each(
        "events/event/load.sql", [{**statement_values, "event": one.event, "window": one.window} for one in found]
    )
    for one in [one for one in found if one.event.table in unfilled]:
        fill_one = partial(_fill_one, run, {**statement_values, "event": one.event, "window": one.window})
        if (left_out := _leave_out(run, one.event, values, fill_one)) is not None:
            del unfilled[one.event.table]
            lacking |= {one.event.table: left_out} if left_out else {}
    failed = unjudged | unfilled
    if len(failed) == present > 1:
        raise NoTableFilledError("\n".join(f"{table}: {reason}" for table, reason in failed.items()))
    found = [one for one in found if one.event.table not in unfilled]
    _compare(run, statement_values, found)
    if lacking:  # what was left out counts no more
        rates = run("lake/violations/rates.sql", **given).rows
    return Filled([rate for rate in rates if rate["table_name"] not in failed], failed, lacking)


def _fill_one(run: Run, values: Mapping[str, Any], among: Among | None) -> object:
    return run("events/event/load.sql", **values, **({"among": among} if among else {}))


def _leave_out(
    run: Run, event: Event, values: Mapping[str, Any], statement: Callable[[Among | None], object]
) -> str | None:
    """Take out the messages with which the statement fails, and run it.

    Return what was taken out and why, '' for nothing; None when the statement fails all the same.
    """
    where = {"run_id": values["run_id"], "event": event}

    def cut(among: Among) -> Among | None:
        return among.cut(**run("work/typed/span.sql", **where, among=among).rows[0])

    failure = failure_of(lambda: statement(None))
    if failure is None:
        return ""
    try:
        found = find_failing(lambda among: failure_of(lambda: statement(among)), cut, Among(event.table), failure)
    except TrinoQueryError as error:
        if error is not failure:
            raise
        return None
    if len(found) > MOST_LEFT_OUT:
        return None
    first = [run("work/typed/first.sql", **where, among=one.among).rows[0]["message_id"] for one in found[:1]]
    for failing in found:
        run("work/typed/leave_out.sql", **where, message_key=failing.among.low)
    if failure_of(lambda: statement(None)):
        return None
    return "".join(f"{len(found)} messages were left out, first {one}: {describe(found[0].error)}" for one in first)


def _judge_all(
    run: Run, values: Mapping[str, Any], found: Sequence[Present], lacking: dict[str, str]
) -> dict[str, str]:
    """Find what breaks a rule or does not fit, in one pass; return the reason of the events with which that fails.

    Of an event with which it fails because of a few messages, these are left out and noted in `lacking`.
    """
    failed: dict[str, str] = {}
    left = list(found)
    while True:
        try:
            _judge(run, values, [one.event for one in left])
            return failed
        except TrinoQueryError as error:
            reason = reason_of(error)
            culprit = first_failing(left, lambda some: _can_judge(run, values, some))
            if culprit is None:
                raise
            judge_one = partial(_judge, run, values, [culprit.event])
            if (left_out := _leave_out(run, culprit.event, values, judge_one)) is not None:
                lacking |= {culprit.event.table: left_out} if left_out else {}
                continue
            if len(left) == 1:
                raise
        failed[culprit.event.table] = reason
        left.remove(culprit)


def _judge(run: Run, values: Mapping[str, Any], events: Sequence[Event], among: Among | None = None) -> None:
    part = {"among": among} if among else {}
    first, *others = rule_statements(rule_pieces(events), RULES_A_STATEMENT)
    run("work/rules/load.sql", **values, rule_pieces=first)
    for pieces in others:
        run("work/rules/add.sql", **values, rule_pieces=pieces)
    run("work/findings/load.sql", **values, column_types=_column_types(events), longest_text=LONGEST_TEXT, **part)


def _can_judge(run: Run, values: Mapping[str, Any], found: Sequence[Present]) -> bool:
    try:
        _judge(run, values, [one.event for one in found])
    except TrinoQueryError as error:
        reason_of(error)
        return False
    return True


def fill(
    run: Run,
    run_each: RunEach,
    plan: TrackingPlan,
    values: Mapping[str, Any],
    windows: Iterable[Bounds],
    again: bool,
    settings: Settings,
) -> Filled:
    """Make and alter the tables, then fill them from one window of `events` after another.

    `values` has run_id and now. Raises what `load` raises.
    """
    failed = create_missing(run, run_each, plan, settings).failed
    filled = Filled([], failed)
    for window in windows:
        part = load(run, run_each, without(plan, filled.failed), values, window, again)
        filled = Filled(filled.rates + part.rates, filled.failed | part.failed, filled.lacking | part.lacking)
    clean_up(run, values)
    return filled


def clean_up(run: Run, values: Mapping[str, Any]) -> None:
    """Drop a run's own work tables."""
    for table in ("typed", "rules", "findings"):
        run(f"work/{table}/drop.sql", **values)


def _compare(run: Run, values: Mapping[str, Any], found: Sequence[Present]) -> None:
    wrong = [
        f"{row['table_name']}: {row['missing']} messages are missing, {row['repeated']} are there more than once"
        for part in batched_lists(found, COMPARED_AT_ONCE)
        for row in run("events/event/compare.sql", **values, compared={"events": part}).rows
    ]
    if wrong:
        raise TypedRowsError("\n".join(wrong))


def _column_types(events: Iterable[Event]) -> list[str]:
    return sorted({column.type for event in events for column in event.columns} - {"json"} | {"object"})


def _rule_rows(event: Event) -> Iterable[dict[str, Any]]:
    columns = {column.keys: (column.name, column.type) for column in event.columns if column.type != "json"}
    columns |= {keys: (".".join(keys), "object") for keys in event.objects if keys}
    rules = {rule.path: rule.to_dict() for rule in event.rules}
    for path in {**rules, **columns}:
        name, kind = columns.get(path, (None, None))
        yield {
            **rules.get(path, {"path": list(path), "property": ".".join(path)}),
            "table_name": event.table,
            "column_name": name,
            "column_type": kind,
            "severity": "block" if event.blocks else "warn",
        }
