"""The Glue table that a crawl leaves (pure): names, parameters, and how a crawl changes an existing table.

Sources: "Setting crawler configuration options" and "How to prevent the crawler from changing an existing schema"
in the Glue developer guide; parameter names as in published definitions of really crawled tables.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SERDE = "org.openx.data.jsonserde.JsonSerDe"
INPUT_FORMAT = "org.apache.hadoop.mapred.TextInputFormat"
OUTPUT_FORMAT = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"
DEPRECATED = "DEPRECATED_BY_CRAWLER"
MAX_TYPE_CHARACTERS = 131_072

Table = Mapping[str, Any]
TableInput = dict[str, Any]


@dataclass(frozen=True)
class CrawledTable:
    """What a crawl found for one table. `size` in bytes; `records` is an estimate when files were sampled."""

    name: str
    location: str
    columns: list[dict[str, str]]
    paths: str
    compression: str
    objects: int
    records: int
    size: int


@dataclass(frozen=True)
class CrawlPolicy:
    """The parts of a crawler's definition that decide what happens to existing tables."""

    crawler: str
    run_id: str
    merge_new_columns: bool
    update: str = "UPDATE_IN_DATABASE"
    delete: str = "DEPRECATE_IN_DATABASE"


def table_name(prefix: str, folder: str) -> str:
    """Prefix and last folder of the include path in lower case, with _ for all but a-z, 0-9 and _."""
    return re.sub(r"[^a-z0-9_]", "_", f"{prefix}{folder}".lower())


def new_table(found: CrawledTable, policy: CrawlPolicy) -> TableInput:
    """Return the TableInput of a table that is new or rewritten."""
    parameters = _parameters(found, policy)
    return {
        "Name": found.name,
        "Owner": "owner",
        "Retention": 0,
        "TableType": "EXTERNAL_TABLE",
        "PartitionKeys": [],
        "Parameters": parameters,
        "StorageDescriptor": {
            "Columns": found.columns,
            "Location": found.location,
            "InputFormat": INPUT_FORMAT,
            "OutputFormat": OUTPUT_FORMAT,
            "Compressed": found.compression != "none",
            "NumberOfBuckets": -1,
            "SerdeInfo": {"SerializationLibrary": SERDE, "Parameters": {"paths": found.paths}},
            "BucketColumns": [],
            "SortColumns": [],
            "Parameters": dict(parameters),
            "StoredAsSubDirectories": False,
        },
    }


def changed_table(existing: Table, found: CrawledTable, policy: CrawlPolicy, now_ms: int) -> TableInput | None:
    """Return the TableInput that a crawl writes over an existing table; None when it leaves the table alone.

    UpdateBehavior LOG leaves it alone. MergeNewColumns adds columns and never changes or removes one, and marks
    the table as deprecated when the compression changed. Otherwise the table is rewritten: types go back to
    what the data have, columns no longer seen go, and so do parameters that the crawler did not set.
    """
    if policy.merge_new_columns:
        return _merged(existing, found, policy, now_ms)
    return None if policy.update == "LOG" else new_table(found, policy)


def deprecated_table(existing: Table, now_ms: int) -> TableInput:
    """Return the TableInput of a table whose objects are gone: with the deprecation mark (Unix milliseconds)."""
    table = _input_of(existing)
    _mark_deprecated(table, now_ms)
    return table


def _merged(existing: Table, found: CrawledTable, policy: CrawlPolicy, now_ms: int) -> TableInput:
    table = _input_of(existing)
    storage = table["StorageDescriptor"]
    was = storage.get("Parameters", {}).get("compressionType", found.compression)
    known = {column["Name"].lower() for column in storage.get("Columns", [])}
    added = [column for column in found.columns if column["Name"] not in known]
    parameters = _parameters(found, policy)
    for holder in (table, storage):
        kept = {name: value for name, value in holder.get("Parameters", {}).items() if name != DEPRECATED}
        holder["Parameters"] = {**kept, **parameters}
    storage["Columns"] = [*storage.get("Columns", []), *added]
    serde = dict(storage.get("SerdeInfo") or {})
    before = (serde.get("Parameters") or {}).get("paths", "").split(",")
    keys = sorted({key for key in (*before, *found.paths.split(",")) if key})
    serde["Parameters"] = {**(serde.get("Parameters") or {}), "paths": ",".join(keys)}
    storage["SerdeInfo"] = serde
    if was != found.compression:
        _mark_deprecated(table, now_ms)
    return table


def _input_of(existing: Table) -> TableInput:
    kept = ("Name", "Description", "Owner", "Retention", "PartitionKeys", "TableType", "Parameters")
    table: TableInput = {key: existing[key] for key in kept if existing.get(key) is not None}
    table["Parameters"] = dict(table.get("Parameters", {}))
    table["StorageDescriptor"] = dict(existing.get("StorageDescriptor") or {})
    return table


def _mark_deprecated(table: TableInput, now_ms: int) -> None:
    storage = table["StorageDescriptor"]
    table["Parameters"] = {**table["Parameters"], DEPRECATED: str(now_ms)}
    storage["Parameters"] = {**storage.get("Parameters", {}), DEPRECATED: str(now_ms)}


def _parameters(found: CrawledTable, policy: CrawlPolicy) -> dict[str, str]:
    return {
        "CRAWL_RUN_ID": policy.run_id,
        "CrawlerSchemaDeserializerVersion": "1.0",
        "CrawlerSchemaSerializerVersion": "1.0",
        "UPDATED_BY_CRAWLER": policy.crawler,
        "averageRecordSize": str(found.size // found.records if found.records else 0),
        "classification": "json",
        "compressionType": found.compression,
        "objectCount": str(found.objects),
        "recordCount": str(found.records),
        "sizeKey": str(found.size),
        "typeOfData": "file",
    }
