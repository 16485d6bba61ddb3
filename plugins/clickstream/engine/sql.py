"""Render the files of include/sql: table names from the settings, values as bound parameters.

A value never becomes part of the text: `{{ bind(value) }}` leaves a `?` and puts the value in the parameter list.
Identifiers come from the settings and columns.yaml and are quoted by `quote`.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Undefined

from clickstream.engine.among import Among
from clickstream.engine.column_type import read_type
from clickstream.engine.columns import read_columns
from clickstream.engine.tables import Table, read_tables
from clickstream.settings import Settings


def include_folder(plugins: Path) -> Path:
    """Return include/ inside plugins/, where only that can be deployed (MWAA), or else beside it."""
    inside = plugins / "include"
    return inside if inside.is_dir() else plugins.parent / "include"


SQL_DIR = include_folder(Path(__file__).resolve().parents[2]) / "sql"

LINES = "lines"
"""The table over the staging folder."""

ARCHIVE_LINES = "archive_lines"
"""The table over the archive: load_events adds its partitions in Glue itself."""

_QUOTED_NAME = r'("[^"]+"\."[^"]+"\."[^"]+")'
_MERGED = re.compile(rf"^merge into {_QUOTED_NAME}", re.MULTILINE)
_ALTERED = re.compile(rf"^(?:alter table|comment on (?:table|column)) {_QUOTED_NAME}", re.MULTILINE)
_TYPED_TABLE = re.compile(r"[a-z_][a-z0-9_]{0,127}\Z")
_BATCH_TABLE = re.compile(
    r"(batch|typed|rules|findings|session_regions|session_steps|session_drafts|forgotten)_[0-9a-f]{24}\Z"
)


@dataclass(frozen=True)
class Statement:
    """One SQL statement: its text with `?` in place of values, the values in order, and its file below include/sql.

    `values` are those that the file was rendered with.
    """

    text: str
    parameters: tuple[Any, ...] = ()
    path: str = ""
    values: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def merged_table(self) -> str:
        """The table that the statement merges into, quoted; empty for any other statement."""
        found = _MERGED.search(self.text)
        return found[1] if found else ""

    @property
    def altered_table(self) -> str:
        """The table whose columns the statement changes, quoted; empty for any other statement."""
        found = _ALTERED.search(self.text) if self.path.startswith("evolution/") else None
        return found[1] if found else ""

    def tagged(self, tag: str) -> "Statement":
        """Return the statement with a comment that identifies its query. `tag` is hexadecimal."""
        if not re.fullmatch(r"[0-9a-f]+", tag):
            raise ValueError(f"{tag!r} is no tag")
        return replace(self, text=f"/* clickstream {tag} */\n{self.text}")


def quote(identifier: str) -> str:
    """Return an identifier in double quotes, as Trino's grammar has it."""
    return '"' + identifier.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a string in single quotes, for the places where the grammar takes no parameter, such as a comment."""
    return "'" + text.replace("'", "''") + "'"


def instant_literal(instant: datetime) -> str:
    """Return an instant as a literal in UTC, to the second, for statements that take no parameter."""
    if instant.tzinfo is None:
        raise ValueError(f"{instant} has no time zone")
    return f"timestamp '{instant.astimezone(UTC).replace(tzinfo=None).isoformat(' ', 'seconds')} UTC'"


def duration_literal(duration: timedelta) -> str:
    """Return a duration in whole seconds as Trino's procedures read it, such as '604800s'."""
    return f"'{int(duration.total_seconds())}s'"


def is_batch_table(name: str) -> bool:
    """Return whether a table of the work schema is one run's own, by its name."""
    return _BATCH_TABLE.match(name) is not None


def lake_tables() -> Mapping[str, Table]:
    """Return the Iceberg tables that stay, by name: one for each folder of include/sql/lake. Raises TableError."""
    return read_tables(SQL_DIR / "lake")


def _filled_by(*dags: str) -> tuple[str, ...]:
    return tuple(name for name, table in lake_tables().items() if table.filled_by in dags)


class TableNames:
    """The tables as SQL names, quoted: `t.events`, `t.lines`, `t.batch(run_id)`, ...

    Each of LAKE_TABLES and of the views over them has its name as an attribute.
    """

    LAKE_TABLES = tuple(lake_tables())
    # By the DAG that makes and alters them. load_events does so for alarms too: watch_pipeline alters no table. And for
    # what erase_person fills: each load asks which ids are suppressed.
    LOAD_TABLES = _filled_by("load_events", "watch_pipeline", "erase_person")
    ERASE_TABLES = _filled_by("erase_person")
    SESSION_TABLES = _filled_by("model_sessions")
    PLAN_TABLES = _filled_by("compare_plan")
    RECONCILE_TABLES = _filled_by("reconcile_archive")
    # Views over them, each after those that it reads.
    LOAD_VIEWS = ("events_live", "cost_by_day")
    SESSION_VIEWS = ("session_aliases", "session_events", "flows", "identities", "people")
    # In this order: `users` reads `identifies`.
    SEGMENT_VIEWS = ("tracks", "pages", "screens", "identifies", "groups", "aliases", "users")

    def __init__(self, settings: Settings, among: Among | None = None) -> None:
        self._settings = settings
        self.among = among
        self.staging_location = settings.staging_location
        self.staging = _name(settings.staging_catalog, settings.staging_database, settings.staging_table)
        self.lines = self.raw_lines(LINES)
        self.archive_location = settings.archive_location
        self.archive_hours_location = settings.archive_hours_location
        self.archive_lines = self.raw_lines(ARCHIVE_LINES)

    def __getattr__(self, name: str) -> str:
        if name in (*self.LAKE_TABLES, *self.LOAD_VIEWS, *self.SESSION_VIEWS):
            return self._lake(name)
        raise AttributeError(f"there is no table or view {name!r}")

    def batch_table(self, run_id: str) -> str:
        """Return the batch table of one run: short-lived, its name a digest so that no run id can be part of a name."""
        return self._work("batch", run_id)

    def batch(self, run_id: str) -> str:
        """Return the batch table as it stands in `from`: of a statement on a part of it, that part."""
        name = self.batch_table(run_id)
        return _keys().batch_among(name, self.among) if self.among else name

    def typed_batch_table(self, run_id: str) -> str:
        """Return the messages of one run whose event has a table of its own: short-lived, named as the batch is."""
        return self._work("typed", run_id)

    def typed_batch(self, run_id: str) -> str:
        """Return the same as it stands in `from`: of a statement on a part of it, that part."""
        name = self.typed_batch_table(run_id)
        return _keys().typed_among(name, self.among) if self.among else name

    def rules(self, run_id: str) -> str:
        """Return what the tracking plan says about the events of one run."""
        return self._work("rules", run_id)

    def findings(self, run_id: str) -> str:
        """Return what in one run's messages is against the tracking plan."""
        return self._work("findings", run_id)

    def session_regions(self, run_id: str) -> str:
        """Return what one run of model_sessions looks at; short-lived, as a batch."""
        return self._work("session_regions", run_id)

    def session_steps(self, run_id: str) -> str:
        """Return the events that it finds there."""
        return self._work("session_steps", run_id)

    def session_drafts(self, run_id: str) -> str:
        """Return the sessions that these make."""
        return self._work("session_drafts", run_id)

    def forgotten(self, run_id: str) -> str:
        """Return the ids of the messages that one run of erase_person takes away."""
        return self._work("forgotten", run_id)

    def raw_lines(self, name: str) -> str:
        """Return the table over raw lines of this name. Raises ValueError if there is none."""
        if name not in (LINES, ARCHIVE_LINES):
            raise ValueError(f"{name!r} is no table over raw lines")
        return _name(self._settings.staging_catalog, self._settings.lines_database, name)

    def stray_batch(self, name: str) -> str:
        """Return the batch table of this name. Raises ValueError for any other table of the work schema."""
        if not is_batch_table(name):
            raise ValueError(f"{name!r} is no batch table")
        return _name(self._settings.lake_catalog, self._settings.work_database, name)

    def segment(self, view: str) -> str:
        """Return a view shaped like a table of Segment's warehouse destination. Raises ValueError if there is none."""
        if view not in self.SEGMENT_VIEWS:
            raise ValueError(f"{view!r} is no view of Segment's: {', '.join(self.SEGMENT_VIEWS)}")
        return _name(self._settings.lake_catalog, self._settings.segment_database, view)

    def segment_event(self, view: str) -> str:
        """Return the view of one event in that schema. Raises ValueError for a name that no event's view has."""
        if view in self.SEGMENT_VIEWS or not _TYPED_TABLE.match(view):
            raise ValueError(f"{view!r} is no view of an event")
        return _name(self._settings.lake_catalog, self._settings.segment_database, view)

    def lake(self, table: str) -> str:
        """Return the lake table of this name. Raises ValueError if there is none."""
        self._require_lake_table(table)
        return self._lake(table)

    def evolving(self, table: tuple[str, str]) -> str:
        """Return the lake or typed table with this schema and name. Raises ValueError for any other."""
        schema, name = table
        return self.typed(name) if schema == self._settings.events_database else self.lake(name)

    def any_table(self, table: tuple[str, str]) -> str:
        """Return the lake, typed or batch table with this schema and name. Raises ValueError for any other."""
        schema, name = table
        return self.stray_batch(name) if schema == self._settings.work_database else self.evolving(table)

    def typed(self, table: str) -> str:
        """Return the table of one event. Raises ValueError for a name that no event has."""
        if not _TYPED_TABLE.match(table):
            raise ValueError(f"{table!r} is no table of an event")
        return _name(self._settings.lake_catalog, self._settings.events_database, table)

    def metadata(self, table: tuple[str, str], kind: str) -> str:
        """Return Iceberg's metadata table of a lake or typed table of this schema, name: `files`, `snapshots`, ..."""
        return f'{self.evolving(table)[:-1]}${kind}"'

    def _require_lake_table(self, table: str) -> None:
        if table not in self.LAKE_TABLES:
            raise ValueError(f"{table!r} is no lake table: {', '.join(self.LAKE_TABLES)}")

    def _work(self, kind: str, run_id: str) -> str:
        digest = hashlib.sha256(run_id.encode()).hexdigest()[:24]
        return _name(self._settings.lake_catalog, self._settings.work_database, f"{kind}_{digest}")

    def _lake(self, table: str) -> str:
        return _name(self._settings.lake_catalog, self._settings.lake_database, table)


def _name(catalog: str, schema: str, table: str) -> str:
    return ".".join(quote(part) for part in (catalog, schema, table))


def _keys() -> Any:
    return environment().globals["keys"]


@cache
def environment() -> Environment:
    """Return the one Jinja environment of a process: it compiles each file once."""
    # SQL is no HTML: values are bound, names are quoted.
    made = Environment(
        loader=FileSystemLoader(SQL_DIR),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701
        auto_reload=False,
        cache_size=-1,
    )
    made.filters |= {"literal": literal, "column_type": read_type}
    made.globals |= {
        "events": read_columns(SQL_DIR / "lake" / "events" / "columns.yaml"),
        "tables": lake_tables(),
        "quote": quote,
        "literal": literal,
        "instant_literal": instant_literal,
        "duration_literal": duration_literal,
    }
    made.globals["keys"] = made.get_template("macros/keys.sql").module
    return made


def render(path: str, settings: Settings | None, values: Mapping[str, Any] | None = None) -> Statement:
    """Return the statement in the file at `path` below include/sql, with `values` as its Jinja variables.

    With `among` in them, the statement reads that part of its batch. Without settings, of a file that names no table of
    theirs. A process reads and compiles each file once. Raises jinja2.TemplateNotFound for a missing file and
    jinja2.UndefinedError for a missing value.
    """
    parameters: list[Any] = []

    def bind(value: Any) -> str:
        if isinstance(value, Undefined):
            str(value)  # raises, naming it
        parameters.append(value)
        return "?"

    def bind_each(many: Iterable[Any]) -> str:
        return ", ".join(bind(value) for value in many)

    given = values or {}
    names = {"t": TableNames(settings, given.get("among"))} if settings else {}
    context = {**names, "bind": bind, "bind_each": bind_each, **given}
    text = environment().get_template(path).render(context).strip()
    return Statement(text, tuple(parameters), path, given)
