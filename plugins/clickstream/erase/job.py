"""One erasure: whose it is, how far it has come, and what was done. It is kept as an object until it is over."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from clickstream.erase.lines import Ids
from clickstream.erase.person import Asked, Undecided, digest
from clickstream.erase.places import Counts
from clickstream.window import DAY, Window, joined

PREFIX = "erasures/"
"""Folder of the lake bucket, whose objects S3 deletes after 30 days: see lambdas/template.yaml."""

IDS_AT_ONCE = 20
"""Ids in one statement of the search, which names them for each column: Athena takes 262,144 bytes."""

_REQUESTS = f"{PREFIX}requests/"


def job_key(run_id: str) -> str:
    """Return the key of a run's job: a digest, so that any run id makes a plain key."""
    return f"{PREFIX}{hashlib.sha256(run_id.encode()).hexdigest()}.json"


def request_key(name: str) -> str:
    """Return the key of what was asked for in an object, and not in a form: a digest of its name."""
    return f"{_REQUESTS}{hashlib.sha256(name.encode()).hexdigest()}.json"


@dataclass
class Job:
    """An erasure. `ids`: all of the person's; `earlier`: digests of those that only an earlier run found.

    `after`: the key up to which a folder was gone through; `days`: midnights of the partitions that had rows of the
    person, by table; `windows`: the times of sessions to be modelled again.
    """

    asked: Asked
    dry_run: bool = True
    ids: frozenset[str] = frozenset()
    undecided: tuple[Undecided, ...] = ()
    earlier: frozenset[str] = frozenset()
    counts: dict[str, Counts] = field(default_factory=dict)
    after: dict[str, str] = field(default_factory=dict)
    days: dict[str, list[float]] = field(default_factory=dict)
    windows: list[tuple[str, str]] = field(default_factory=list)

    @property
    def person(self) -> Ids:
        """The ids, as lines and statements are searched for them."""
        return Ids(self.ids, self.earlier)

    @property
    def digests(self) -> list[str]:
        """The digest of each id."""
        return sorted({digest(one) for one in self.ids} | self.earlier)

    @property
    def values(self) -> dict[str, Any]:
        """What the files of include/sql/erase take."""
        return {"ids": sorted(self.ids), "earlier": sorted(self.earlier), "quoted_json": json.dumps(self.person.quoted)}

    def slices(self) -> list[dict[str, Any]]:
        """Return `values` in parts of at most IDS_AT_ONCE ids and digests, for a statement that names each often."""
        ids, earlier = sorted(self.ids), sorted(self.earlier)
        starts = range(0, max(len(ids), len(earlier)), IDS_AT_ONCE)
        # No part may be without an id, which SQL has no empty list of.
        parts = ((ids[at : at + IDS_AT_ONCE] or ids[:1], earlier[at : at + IDS_AT_ONCE]) for at in starts)
        return [
            {"ids": own, "earlier": old, "quoted_json": json.dumps(Ids(frozenset(own)).quoted)} for own, old in parts
        ]

    def of(self, place: str) -> Counts:
        """Return the counts of a folder or table."""
        return self.counts.setdefault(place, Counts())

    def add_days(self, table: str, days_json: str | None) -> None:
        """Note the partitions of a table that have rows of the person, as count.sql returns them."""
        self.days[table] = sorted({*self.days.get(table, []), *json.loads(days_json or "[]")})

    def spans(self, table: str) -> tuple[Window, ...]:
        """Return the days of a table to be written anew, adjacent ones as one."""
        starts = (datetime.fromtimestamp(day, UTC) for day in self.days.get(table, []))
        return joined(Window(start, start + DAY) for start in starts)

    def add_windows(self, spans: Iterable[tuple[datetime, datetime]]) -> None:
        """Note the times of sessions that others were in too, both ends included."""
        found = [Window(start, end + timedelta(microseconds=1)) for start, end in spans]
        self.windows = [
            (window.start.isoformat(), window.end.isoformat()) for window in joined([*self.session_windows, *found])
        ]

    @property
    def session_windows(self) -> list[Window]:
        """The times that are modelled again."""
        return [Window(datetime.fromisoformat(start), datetime.fromisoformat(end)) for start, end in self.windows]

    def restarted(self, other: "Job") -> "Job":
        """Return this job with what an earlier try of the run has done."""
        return replace(
            other, asked=self.asked, dry_run=self.dry_run, ids=self.ids | other.ids, undecided=self.undecided,
            earlier=self.earlier,
        )  # fmt: skip

    def to_json(self) -> str:
        """Return the job as JSON text, for from_json."""
        stored = asdict(self)
        return json.dumps(
            {**stored, "ids": sorted(self.ids), "earlier": sorted(self.earlier)}, ensure_ascii=True, indent=0
        )


def from_json(text: str) -> Job:
    """Return the job that to_json wrote."""
    stored: dict[str, Any] = json.loads(text)
    return Job(
        asked_of(stored["asked"]),
        stored["dry_run"],
        frozenset(stored["ids"]),
        tuple(Undecided(**one) for one in stored["undecided"]),
        frozenset(stored["earlier"]),
        {place: Counts(**counts) for place, counts in stored["counts"].items()},
        stored["after"],
        stored["days"],
        [(start, end) for start, end in stored["windows"]],
    )


def asked_of(stored: Mapping[str, Any]) -> Asked:
    """Return what was asked for, as JSON values."""
    return Asked(stored["user_id"], stored["anonymous_id"], tuple(stored["include"]), tuple(stored["exclude"]))
