"""Fills one table for each live event of the tracking plan, with violations and discards, out of `events`.

One pass over the run's messages sorts them by event and finds what breaks a rule; then one MERGE an event that is
present, several at a time. What a run costs depends on the events that it brings, not on how many the plan declares.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clickstream.columns import Column
from clickstream.evolution import Run, evolve, present_shapes, renew_comments
from clickstream.pattern_cost import LONGEST_TEXT
from clickstream.plan_event import Event, common_columns
from clickstream.settings import Settings
from clickstream.table_shape import Name, TableColumn
from clickstream.tracking_plan import TrackingPlan
from clickstream.window import Received

# Runs a file of include/sql once for each of these values, several at a time.
RunEach = Callable[[str, Sequence[Mapping[str, Any]]], None]

COMPARED_AT_ONCE = 50
RULES_A_STATEMENT = 200_000
"""Bytes of rules in one statement: Athena takes 262,144, Trino a million, and 500 events have two million."""


@dataclass(frozen=True)
class Present:
    """An event of which a run brought messages."""

    event: Event
    messages: int
    window: Received


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

    When they were to be written anew, each must have been written by this run.
    """


def declared(events: Iterable[Event]) -> Declared:
    """Which event goes to which table."""
    pairs = [(name, event.table) for event in events for name in event.slugs]
    return Declared([name for name, _ in pairs], [table for _, table in pairs], common_columns())


def rule_pieces(events: Iterable[Event], piece_rules: int = 200) -> list[str]:
    """The rules and columns of these events as JSON texts, some rules each, and none longer than a statement takes."""
    rows = [json.dumps(row, ensure_ascii=False) for event in events for row in _rule_rows(event)]
    pieces = [part for batch in batched_lists(rows, piece_rules) for part in rule_statements(batch, RULES_A_STATEMENT)]
    return [f"[{', '.join(piece)}]" for piece in pieces] or ["[]"]


def rule_statements(pieces: Iterable[str], longest: int) -> list[list[str]]:
    """The pieces by statement, in order: as many as fit, and one where even that is too long."""
    statements: list[list[str]] = [[]]
    for piece in pieces:
        if statements[-1] and sum(len(other.encode()) for other in [*statements[-1], piece]) > longest:
            statements.append([])
        statements[-1].append(piece)
    return statements


def batched_lists(items: Sequence[Any], size: int) -> list[list[Any]]:
    """The items in lists of at most `size`."""
    return [list(items[at : at + size]) for at in range(0, len(items), size)]


def create_missing(run: Run, run_each: RunEach, plan: TrackingPlan, settings: Settings) -> list[str]:
    """Makes the tables that events lack and brings the others up to date.

    Gives what was done, as `<what> <table>[.<column>]`. Raises DestructiveChangeError before anything is done.
    """
    schema = settings.events_database
    present = present_shapes(run, settings, [schema])
    done = evolve(run, wanted_shapes(plan, settings), present)
    described = {(schema, event.table): event.entry["description"] for event in plan.with_table}
    renewed = renew_comments(run, described, settings)
    missing = [event for event in plan.live if (schema, event.table) not in present]
    run_each("events/event/create.sql", [{"event": event} for event in missing])
    return [
        *(change.text for change in done),
        *(f"comment_table {'.'.join(table)}" for table in renewed),
        *(f"create {schema}.{event.table}" for event in missing),
    ]


def wanted_shapes(plan: TrackingPlan, settings: Settings) -> dict[Name, Sequence[TableColumn]]:
    """The wanted columns of the tables of the plan's events."""
    return {(settings.events_database, event.table): event.shape for event in plan.with_table}


def load(
    run: Run, run_each: RunEach, plan: TrackingPlan, values: Mapping[str, Any], window: Received, again: bool = False
) -> list[dict[str, Any]]:
    """Fills the tables with the run's messages; gives messages and violating messages by table.

    `values` has run_id and now. `again`: all of `events` in the window, and rows that are there are written anew.
    Raises TypedRowsError when the tables then do not agree with `events`.
    """
    given = dict(values)
    run("work/typed/load.sql", **given, declared=declared(plan.live), window=window, of_batch=not again)
    by_table = {event.table: event for event in plan.live}
    found = [
        Present(by_table[row["table_name"]], row["messages"], Received(row["earliest"], row["latest"]))
        for row in run("work/typed/present.sql", **given).rows
    ]
    if not found:
        return []
    events = [one.event for one in found]
    first, *others = rule_statements(rule_pieces(events), RULES_A_STATEMENT)
    run("work/rules/load.sql", **given, rule_pieces=first)
    for pieces in others:
        run("work/rules/add.sql", **given, rule_pieces=pieces)
    run("work/findings/load.sql", **given, column_types=_column_types(events), longest_text=LONGEST_TEXT)
    run("lake/violations/load.sql", **given, window=window)
    run("lake/discards/load_properties.sql", **given, window=window)
    statement_values = {**given, "again": again}
    run_each("events/event/load.sql", [{**statement_values, "event": one.event, "window": one.window} for one in found])
    _compare(run, statement_values, found)
    return run("lake/violations/rates.sql", **given).rows


def clean_up(run: Run, values: Mapping[str, Any]) -> None:
    """Drops what a run made for itself."""
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
