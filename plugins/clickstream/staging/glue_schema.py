"""Glue table in, TableInput with string columns out.

Every column of the staging table becomes `string`, not only structs: a struct over one string value fails every query
on that file, number columns fail on an object, and a boolean column reads any object as false.
A struct then shows as its JSON text.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

# Top-level fields of a Segment message (Segment: connections/spec/common). They are pinned so that SQL can name them
# even when the crawler's sample had none of them.
SEGMENT_FIELDS = (
    "_metadata", "anonymousId", "category", "channel", "context", "event", "groupId", "integrations", "messageId",
    "name", "originalTimestamp", "previousId", "projectId", "properties", "receivedAt", "sentAt", "timestamp",
    "traits", "type", "userId", "version", "writeKey",
)  # fmt: skip

# One malformed line must not fail a query over the folder; the lines table still shows it, and the load rejects it.
SERDE_PARAMETERS = {"ignore.malformed.json": "true"}

# https://docs.aws.amazon.com/glue/latest/webapi/API_Column.html
MAX_NAME_LENGTH = 255

MOST_KEYS = 500
"""Keys of messages that are added as columns. A sender of keys without end must not make a table that Glue refuses."""


def is_crawl_due(last: datetime | None, newest: datetime | None, now: datetime, is_manual: bool) -> bool:
    """Return whether a run crawls: something landed since the last crawl, and that was not today (UTC).

    `last`: when the last crawl started, if it succeeded; `newest`: when the newest staged object landed. A manual run
    crawls whenever something landed since.
    """
    if newest is None or (last is not None and newest < last):
        return False
    return is_manual or last is None or last.astimezone(UTC).date() < now.astimezone(UTC).date()


class CrawledTableError(RuntimeError):
    """The crawl did not leave exactly one usable table; the message says what was found and what to do."""


@dataclass(frozen=True)
class Patch:
    """What to send to UpdateTable, and what it changes. Nothing is to be sent when `is_needed` is False."""

    table_input: dict[str, Any]
    is_needed: bool
    structs: tuple[str, ...]
    retyped: tuple[str, ...]
    added: tuple[str, ...]
    lowered: tuple[str, ...]
    folded: tuple[str, ...]
    too_long: tuple[str, ...]

    def text(self) -> str:
        """Return the changes as a person reads them."""
        if not self.is_needed:
            return "every column is a string already: nothing to change"
        parts = [
            ("were structs", self.structs),
            ("became string", self.retyped),
            ("were added", self.added),
            ("are now in lower case", self.lowered),
            ("repeated another column's name and were folded into it", self.folded),
            (f"have names over Glue's limit of {MAX_NAME_LENGTH} characters and were left out", self.too_long),
        ]
        return (
            "; ".join(f"{len(names)} {what}: {', '.join(names)}" for what, names in parts if names) or "SerDe settings"
        )


def choose_table(tables: Sequence[Mapping[str, Any]], location: str, name: str, crawler: str) -> Mapping[str, Any]:
    """Return the one table that the crawl made at `location`.

    Raises CrawledTableError when there is none, more than one, or the one is deprecated, partitioned or misnamed.
    """
    found = [table for table in tables if _is_crawled(table, location, crawler)]
    names = ", ".join(sorted(table["Name"] for table in found))
    if not found:
        raise CrawledTableError(
            f"crawler {crawler} made no table at {location}: look at its last run in Glue, and at whether its target "
            "is that folder"
        )
    if len(found) > 1:
        raise CrawledTableError(
            f"crawler {crawler} made {len(found)} tables at {location}: {names}. Its Grouping must be "
            "CombineCompatibleSchemas and the folder must hold one format and one compression; drop the extra tables"
        )
    table = found[0]
    if table["Name"] != name:
        raise CrawledTableError(
            f"crawler {crawler} made table {names}, not {name}: its TablePrefix and folder must be those of "
            "lambdas/template.yaml"
        )
    if any("deprecat" in parameter.lower() for parameter in table.get("Parameters", {})):
        raise CrawledTableError(
            f"table {name} is marked deprecated: its format or compression changed. Remove the mark once the folder "
            "is of one kind again"
        )
    if table.get("PartitionKeys"):
        keys = ", ".join(key["Name"] for key in table["PartitionKeys"])
        raise CrawledTableError(f"table {name} has partition columns ({keys}): {location} must have no sub-folders")
    return table


def _is_crawled(table: Mapping[str, Any], location: str, crawler: str) -> bool:
    found: str = table.get("StorageDescriptor", {}).get("Location", "")
    by_crawler: bool = table.get("Parameters", {}).get("UPDATED_BY_CRAWLER") == crawler
    return by_crawler or found.rstrip("/") == location.rstrip("/") or found.startswith(location)


def with_string_columns(table: Mapping[str, Any], allowed: Iterable[str], keys: Iterable[str] = ()) -> Patch:
    """Return the patch that makes every column of `table` a string, and adds Segment's fields and `keys`.

    `table` is GetTable's Table; `allowed` the members of UpdateTable's TableInput, so that no read-only field is sent
    back; `keys` are top-level keys of messages. Column names are folded to lower case, as Glue means them, and repeats
    are dropped.
    """
    storage = dict(table["StorageDescriptor"])
    crawled = storage.get("Columns", [])
    too_long = tuple(column["Name"] for column in crawled if len(column["Name"]) > MAX_NAME_LENGTH)
    columns, lowered, folded = _fold(column for column in crawled if column["Name"] not in too_long)
    present = {column["Name"] for column in columns}
    wanted = dict.fromkeys(name.lower() for name in (*SEGMENT_FIELDS, *keys) if len(name) <= MAX_NAME_LENGTH)
    added = tuple(name for name in wanted if name not in present)
    retyped = tuple(column["Name"] for column in columns if column["Type"].lower() != "string")
    structs = tuple(column["Name"] for column in columns if "struct<" in column["Type"].lower())

    strings = [{**column, "Type": "string"} for column in columns]
    storage["Columns"] = strings + [{"Name": name, "Type": "string"} for name in added]
    serde = dict(storage.get("SerdeInfo", {}))
    serde["Parameters"] = {**serde.get("Parameters", {}), **SERDE_PARAMETERS}
    storage["SerdeInfo"] = serde

    permitted = frozenset(allowed)
    table_input = {key: value for key, value in {**table, "StorageDescriptor": storage}.items() if key in permitted}
    is_needed = storage != table["StorageDescriptor"]
    return Patch(table_input, is_needed, structs, retyped, added, lowered, folded, too_long)


def _fold(columns: Iterable[Mapping[str, Any]]) -> tuple[list[dict[str, Any]], tuple[str, ...], tuple[str, ...]]:
    """Return the columns in lower case, each name once; which names were lowered, and which were repeats."""
    kept: dict[str, dict[str, Any]] = {}
    lowered, folded = [], []
    for column in columns:
        name = column["Name"].lower()
        if name in kept:
            folded.append(column["Name"])
            continue
        kept[name] = {**column, "Name": name}
        if name != column["Name"]:
            lowered.append(column["Name"])
    return list(kept.values()), tuple(lowered), tuple(folded)
