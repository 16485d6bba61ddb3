"""The steps of an erasure, in order. Each can be killed and run again: what it did stays done, and it goes on.

Operators and tests run these. First the ids are suppressed, so that nothing that arrives brings the person back; then
the objects that a load or a backfill reads are cleaned; then the tables, whose rows cannot come back from anywhere.
"""

import json
import logging
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from trino.exceptions import TrinoQueryError

from clickstream.engine.evolution import Run, present_shapes
from clickstream.engine.sql import TableNames, lake_tables
from clickstream.engine.table_shape import Name, TableColumn
from clickstream.erase import person, sweep
from clickstream.erase.job import Job, from_json, job_key
from clickstream.erase.lines import clean_line
from clickstream.erase.person import Asked, Link
from clickstream.erase.places import EraseObjects, places, status_place
from clickstream.erase.proof import Search
from clickstream.erase.tables import OWN_SESSIONS, Target, lake_targets, searched, typed_targets, work_targets
from clickstream.plan.event import event_table
from clickstream.sessions.model import SessionRules, model_range
from clickstream.settings import Settings
from clickstream.upkeep.maintenance import SHORTEST_RETENTION_DAYS

logger = logging.getLogger(__name__)

LOOK_AGAIN_SECONDS = 2.0
"""Between two looks whether statements that began before have ended."""

PASSES = 2
"""How often tables are cleaned: what a load read of a table before the first time is written before the second."""

GONE_AFTER = timedelta(days=SHORTEST_RETENTION_DAYS + 1)
"""After how long maintain_tables, which runs once a day, has let a state of a table go."""


class UndecidedError(RuntimeError):
    """Somebody has to decide on some ids first; the message says where they are listed, and shows none."""


class NotErasedError(RuntimeError):
    """The search found something of the person; the message says where, and shows no id."""


@dataclass
class Erasure:
    """What the steps of one run share: what runs statements, the objects, the settings, the job."""

    run: Run
    objects: EraseObjects
    settings: Settings
    run_id: str
    now: datetime
    job: Job
    sleep: Callable[[float], None] = time.sleep

    def save(self) -> str:
        """Keep the job for the steps after this one, and for retries; return its address."""
        return self.objects.write_text(job_key(self.run_id), self.job.to_json())

    def shapes(self, *schemas: str) -> Mapping[Name, Sequence[TableColumn]]:
        """Return the columns of every table and view of these schemas of the lake."""
        return present_shapes(self.run, self.settings, schemas)

    def targets(self) -> list[Target]:
        """Return the tables that are there of which rows are erased in one statement."""
        lake, events = self.settings.lake_database, self.settings.events_database
        shapes = self.shapes(lake, events)
        partitions = {name: partition_column(name) for name in lake_tables()}
        by = event_table().partitioned_by
        return [
            target
            for target in (
                *typed_targets(events, shapes, by.column if by else None),
                *lake_targets(lake, partitions),
            )
            if target.table in shapes
        ]


def partition_column(table: str) -> str | None:
    """Return the column by which a lake table is partitioned; None for one that is not."""
    by = lake_tables()[table].partitioned_by
    return by.column if by else None


def load_job(objects: EraseObjects, run_id: str) -> Job | None:
    """Return the job of a run; None before its first step and after its last."""
    text = objects.read_text(job_key(run_id))
    return None if text is None else from_json(text)


def find(erasure: Erasure, asked: Asked) -> str:
    """Find the person's ids and note them; return where. Raises UndecidedError, unless it is a dry run."""

    def links_of(ids: Collection[str]) -> list[Link]:
        try:
            rows = erasure.run("erase/links.sql", ids=ids, limits=erasure.settings).rows
        except TrinoQueryError as error:
            if error.error_name != "TABLE_NOT_FOUND":  # nothing has been modelled yet
                raise
            return []
        return [Link(**row) for row in rows]

    found = person.find(asked, links_of)
    # What is gone from the tables is not found there any more; it may have come back to an object.
    rows = erasure.run("erase/earlier_ids.sql", erasure_id=asked.erasure_id).rows
    known = {person.digest(one) for one in (*found.ids, *asked.exclude)}
    earlier = frozenset(row["id_digest"] for row in rows) - known
    job = Job(asked, erasure.job.dry_run, found.ids, found.undecided, earlier)
    erasure.job = job.restarted(erasure.job)
    address = erasure.save()
    logger.info("%d ids, %d to be decided: %s", len(found.ids), len(found.undecided), address)
    if found.undecided and not job.dry_run:
        raise UndecidedError(
            f"{len(found.undecided)} ids may be others' too: `undecided` in {address} lists them. Name each in include "
            "or exclude"
        )
    return address


def preview(erasure: Erasure) -> dict[str, int]:
    """Count what there is of the person, by place, and sessions; nothing is written but the job."""
    job = erasure.job
    for target in erasure.targets():
        if not target.rule.by_message:  # these need the ids of messages, which a dry run does not note
            job.of(target.name).found = erasure.run("erase/count.sql", **_of(erasure, target)).rows[0]["found"]
    job.of("sessions").found = len(erasure.run("erase/sessions.sql", altered=_sessions(erasure), **job.values).rows)
    job.of("rejects").found = sum(1 for _ in _rejected(erasure))
    for place in places(erasure.settings):
        sweep.clean(erasure.objects, place, job.person, job.of(place.name), "", lambda _: None, dry_run=True)
    erasure.save()
    return report(job, "found")


def suppress(erasure: Erasure) -> int:
    """Let no load take the person's messages from now on; return how many ids."""
    asked, digests = erasure.job.asked, erasure.job.digests
    erasure.run(
        "lake/suppressions/load.sql",
        digests_json=json.dumps(digests),
        erasure_id=asked.erasure_id,
        now=erasure.now,
    )
    return len(digests)


def clean_objects(erasure: Erasure) -> dict[str, int]:
    """Take the person's lines out of every folder; return how many, by folder."""
    job = erasure.job
    for place in places(erasure.settings):

        def save(key: str, name: str = place.name) -> None:
            job.after[name] = key
            erasure.save()

        sweep.clean(erasure.objects, place, job.person, job.of(place.name), job.after.get(place.name, ""), save)
        for key in job.of(place.name).unreadable_keys:
            logger.warning("cannot be read, and may hold something: s3://%s/%s", place.bucket, key)
    # All of it was gone through: if it is cleared, it begins anew.
    job.after.clear()
    erasure.save()
    return report(job, "removed")


def clean_tables(erasure: Erasure) -> dict[str, int]:
    """Take the person's rows out of every table; return how many, by table."""
    job, run = erasure.job, erasure.run
    run("work/forgotten/load.sql", run_id=erasure.run_id)
    for _ in range(PASSES):
        _wait_for_running(erasure)
        _note_messages(erasure)
        _clean_work_tables(erasure)
        _wait_for_running(erasure)
        _note_sessions(erasure)
        for target in erasure.targets():
            _clean_table(erasure, target, target.name)
        _clean_rejected(erasure)
    return report(job, "removed")


def _note_messages(erasure: Erasure) -> None:
    work = erasure.settings.work_database
    batches = sorted(table for table in erasure.shapes(work) if table[0] == work and table[1].startswith("batch_"))
    for table in ((erasure.settings.lake_database, "events"), *batches):
        _unless_gone(
            partial(erasure.run, "work/forgotten/add.sql", run_id=erasure.run_id, altered=table, **erasure.job.values)
        )


def _clean_work_tables(erasure: Erasure) -> None:
    """Take the person's rows out of what runs have read and not yet written: a run that goes on has nothing of them."""
    work = erasure.settings.work_database
    for target in work_targets(work, erasure.shapes(work)):
        if target.has_sessions:  # before it goes: others' sessions are modelled again
            _unless_gone(partial(_note_windows, erasure, target.table))
        _unless_gone(partial(_clean_table, erasure, target, "work tables"))


def _unless_gone(statement: Callable[[], Any]) -> Any:
    """Run a statement on a table of a run, which may drop it meanwhile; return its result, or then None."""
    try:
        return statement()
    except TrinoQueryError as error:
        if error.error_name != "TABLE_NOT_FOUND":
            raise
        return None


def _wait_for_running(erasure: Erasure) -> None:
    """Wait until each statement has ended that may have read something of the person before now. Trino only."""
    if erasure.settings.is_athena:
        return
    running = [row["query_id"] for row in erasure.run("runtime/ours.sql", query_ids=[]).rows]
    while running:
        logger.info("waits for %d statements that began before", len(running))
        erasure.sleep(LOOK_AGAIN_SECONDS)
        running = [row["query_id"] for row in erasure.run("runtime/ours.sql", query_ids=running).rows]


def _note_windows(erasure: Erasure, table: Name) -> list[dict[str, Any]]:
    """Note when the sessions of others were that the person was in; return all that the person was in."""
    rows = erasure.run("erase/sessions.sql", altered=table, **erasure.job.values).rows
    erasure.job.add_windows((row["started_at"], row["ended_at"]) for row in rows if not row["is_own"])
    return rows


def _sessions(erasure: Erasure) -> Name:
    return erasure.settings.lake_database, "sessions"


def _note_sessions(erasure: Erasure) -> None:
    rows = _note_windows(erasure, _sessions(erasure))
    days = {row["started_at"].astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) for row in rows}
    erasure.job.add_days("sessions", json.dumps([day.timestamp() for day in days]))
    erasure.job.of("sessions").there_are(len(rows))
    erasure.save()


def _clean_table(erasure: Erasure, target: Target, place: str) -> None:
    counted, counts = erasure.run("erase/count.sql", **_of(erasure, target)).rows[0], erasure.job.of(place)
    if counted["found"]:
        # Before anything goes: a retry would not find out any more how much it was, and where.
        erasure.job.add_days(place, counted["days"])
        counts.there_are(counted["found"])
        erasure.save()
        erasure.run("erase/blank.sql" if target.rule.blank else "erase/delete.sql", **_of(erasure, target))
    if counts.removed < counts.found:
        counts.removed = counts.found
        erasure.save()


def _of(erasure: Erasure, target: Target) -> dict[str, Any]:
    return {
        **erasure.job.values,
        "run_id": erasure.run_id,
        "altered": target.table,
        "rule": target.rule,
        "partition_column": target.partition_column,
    }


def _rejected(erasure: Erasure) -> Iterator[tuple[dict[str, Any], str | None]]:
    """Yield the rejected lines that have messages of the person, with what stays of each."""
    for row in _with_ids(erasure):
        cleaned = clean_line(row["line"].encode(), erasure.job.person)
        if cleaned.removed:
            yield row, cleaned.kept.decode() or None


def _with_ids(erasure: Erasure) -> Iterator[dict[str, Any]]:
    """Yield the rejected lines in which an id may stand."""
    after = ""
    # Every line with a key of ids is looked at: an id may be a number, escaped, or known by its digest only.
    marks = json.dumps([*erasure.job.person.quoted, 'Id"'])
    while rows := erasure.run("erase/rejected.sql", after_id=after, quoted_json=marks).rows:
        yield from rows
        after = rows[-1]["reject_id"]


def _clean_rejected(erasure: Erasure) -> None:
    counts, found = erasure.job.of("rejects"), list(_rejected(erasure))
    erasure.job.add_days("rejects", json.dumps([row["staged_at"].timestamp() // 86_400 * 86_400 for row, _ in found]))
    counts.there_are(len(found))
    erasure.save()
    for first in range(0, len(found), 500):
        part = [[row["reject_id"], kept] for row, kept in found[first : first + 500]]
        erasure.run("erase/clean_rejected.sql", lines_json=json.dumps(part))
    counts.removed = counts.found
    erasure.save()


def model_sessions(erasure: Erasure, rules: SessionRules) -> int:
    """Take the person's sessions away, model those of shared devices again; return how many the person was in."""
    counts = erasure.job.of("sessions")
    sessions = _sessions(erasure)
    own = {"run_id": erasure.run_id, "altered": sessions, "rule": OWN_SESSIONS, "partition_column": None}
    if erasure.run("erase/count.sql", **own, **erasure.job.values).rows[0]["found"]:
        erasure.run("erase/delete.sql", **own, **erasure.job.values)
    for window in erasure.job.session_windows:
        list(model_range(erasure.run, rules, erasure.run_id, erasure.now, window))
    left = erasure.run("erase/sessions.sql", altered=sessions, **erasure.job.values).rows
    counts.removed = counts.found - len(left)
    erasure.save()
    return counts.removed


def rewrite_files(erasure: Erasure) -> list[str]:
    """Write the files anew that had rows of the person; return the tables.

    What a state of before still names goes with it: maintain_tables lets it go after its retention.
    """
    job, done = erasure.job, []
    for name, table, column in _rewritten(erasure):
        spans = job.spans(name) if column else (None,)
        for span in spans:
            erasure.run("maintenance/rewrite.sql", altered=table, partition_column=column, span=span)
        done.append(name)
    return done


def _rewritten(erasure: Erasure) -> list[tuple[str, Name, str | None]]:
    """Return the tables in which something of the person was: name, schema and table, column of partitions."""
    lake = erasure.settings.lake_database
    others = [(name, (lake, name), partition_column(name)) for name in ("rejects", "sessions")]
    targets = [(target.name, target.table, target.partition_column) for target in erasure.targets()]
    return [one for one in (*targets, *others) if erasure.job.of(one[0]).found]


def prove(erasure: Erasure) -> dict[str, int]:
    """Search every folder and table anew; store what was found in `erasures`; return what the run took, by place.

    Raises NotErasedError when something of the person is left where it can be read.
    """
    job, settings = erasure.job, erasure.settings
    search = Search(job.person)
    for place in places(settings):
        sweep.look(erasure.objects, place, search, job.of(place.name))
    earlier = {
        row["place"]: row["erased_at"] for row in erasure.run("erase/earlier.sql", erasure_id=job.asked.erasure_id).rows
    }
    for (schema, table), columns in _tables(erasure).items():
        name = table if schema == settings.lake_database else f"{schema}.{table}"
        _search_table(erasure, name, (schema, table), columns)
        if schema != settings.work_database:
            _look_at_states(erasure, name, (schema, table), earlier.get(name))
    rejected = search.in_lines(row["line"].encode() for row in _with_ids(erasure))
    job.of("rejects").left_over, job.of("rejects").mentions = rejected.own, rejected.mentions
    _store(erasure)
    left = report(job, "left_over")
    if left:
        raise NotErasedError(f"left: {', '.join(f'{count} in {name}' for name, count in left.items())}. Clear the run")
    return report(job, "removed")


def _tables(erasure: Erasure) -> dict[Name, Sequence[TableColumn]]:
    """Return every table of the lake with its columns, those of runs that have not ended too; no views."""
    settings = erasure.settings
    shapes = erasure.shapes(settings.lake_database, settings.events_database, settings.work_database)
    return {
        (schema, table): columns
        for (schema, table), columns in shapes.items()
        if schema != settings.lake_database or table in TableNames.LAKE_TABLES
    }


def _search_table(erasure: Erasure, name: str, table: Name, columns: Sequence[TableColumn]) -> None:
    where = searched(columns)
    if not (where.id_columns or where.id_fields or where.text_columns):
        return
    found: list[dict[str, int]] = []
    for values in erasure.job.slices():
        result = _unless_gone(partial(erasure.run, "erase/search.sql", altered=table, searched=where, **values))
        found.extend(result.rows if result else [])
    counts = erasure.job.of(name)
    # A row with ids of two slices counts in each.
    counts.left_over, counts.mentions = (sum(row[figure] for row in found) for figure in ("own", "mentions"))


def _look_at_states(erasure: Erasure, name: str, table: Name, earlier: datetime | None) -> None:
    counts = erasure.job.of(name)
    erased_at = datetime.now(UTC) if counts.found else earlier
    if erased_at is None:
        return
    row = erasure.run("erase/old_states.sql", altered=table, before=erased_at).rows[0]
    counts.old_states = row["old_states"]
    if counts.old_states:
        counts.gone_by_text = (erased_at + GONE_AFTER).isoformat()


def _store(erasure: Erasure) -> None:
    job = erasure.job
    rows = []
    for place, counts in sorted(job.counts.items()):
        values = asdict(counts)
        values.pop("unreadable_keys")
        rows.append({"place": place, **values})
    erasure.run(
        "lake/erasures/load.sql",
        erasure_id=job.asked.erasure_id,
        run_id=erasure.run_id,
        now=datetime.now(UTC),
        digests_json=json.dumps(job.digests),
        places_json=json.dumps(rows),
    )


def forget(erasure: Erasure) -> None:
    """Drop what the run kept of the ids; only digests are left.

    The status page's document goes too: it lists paths and names as they were sent. `write_status` writes it anew.
    """
    erasure.run("work/forgotten/drop.sql", run_id=erasure.run_id)
    status = status_place(erasure.settings)
    for version in erasure.objects.versions(status, ""):
        erasure.objects.delete(status, version)
    erasure.objects.delete_text(job_key(erasure.run_id))


def report(job: Job, figure: str) -> dict[str, int]:
    """Return one figure of every place where it is not 0."""
    return {place: getattr(counts, figure) for place, counts in sorted(job.counts.items()) if getattr(counts, figure)}
