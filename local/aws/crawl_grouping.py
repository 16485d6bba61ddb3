"""Which of the objects below a crawler's target become one table (pure).

Objects of one compression whose schemas are similar become one table; TableGroupingPolicy CombineCompatibleSchemas
drops the condition on the schemas, not the one on the compression ("Creating a single schema for each Amazon S3
include path", Glue developer guide). Similar means here that 7 of 10 top-level keys are shared.

What AWS does and this does not: partition columns for sub-folders. Objects in a sub-folder become a table of their
own, named after the sub-folder, which shows the same mistake to those who expect one table.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from local.aws.glue_table import CrawledTable, table_name
from local.aws.schema_inference import Shape, columns, paths, similarity

SIMILAR = 0.7


@dataclass(frozen=True)
class SampledObject:
    """One object with the shape of its sample. `name` is the key below the target; `size` in bytes."""

    name: str
    size: int
    records: int
    compression: str
    shape: Shape


@dataclass
class Group:
    """Objects that become one table."""

    members: list[SampledObject] = field(default_factory=list)
    shape: Shape = field(default_factory=Shape)

    def add(self, sampled: SampledObject) -> None:
        self.members.append(sampled)
        self.shape.merge(sampled.shape)


def hidden(name: str) -> bool:
    """Return whether a key below the target is skipped: a part of it starts with `_` or `.`, or it names a folder."""
    return not name or name.endswith("/") or any(part.startswith(("_", ".")) for part in name.split("/"))


def group_objects(objects: Iterable[SampledObject], combine: bool) -> list[Group]:
    """Return the groups in the order of their first object. `combine` is CombineCompatibleSchemas."""
    groups: list[Group] = []
    for sampled in objects:
        fitting = (group for group in groups if _fits(group, sampled, combine))
        group = next(fitting, None)
        if group is None:
            group = Group()
            groups.append(group)
        group.add(sampled)
    return groups


def _fits(group: Group, sampled: SampledObject, combine: bool) -> bool:
    first = group.members[0]
    if first.compression != sampled.compression or _folder(first.name) != _folder(sampled.name):
        return False
    return combine or similarity(group.shape, sampled.shape) >= SIMILAR


def _folder(name: str) -> str:
    return name.split("/", 1)[0] if "/" in name else ""


def crawled_tables(groups: Sequence[Group], *, bucket: str, folder: str, prefix: str) -> list[CrawledTable]:
    """Return the tables of one target. `folder` is its prefix with a slash at the end, or empty for the whole bucket.

    The largest group of the target itself has the folder's name; any other is named after its first object.
    """
    location = f"s3://{bucket}/{folder}"
    last = folder.rstrip("/").rsplit("/", 1)[-1] or bucket
    ordered = sorted(groups, key=lambda group: (bool(_folder(group.members[0].name)), -len(group.members)))
    tables: list[CrawledTable] = []
    for group in ordered:
        below = _folder(group.members[0].name)
        if not tables and not below:
            tables.append(_table(group, table_name(prefix, last), location))
        elif below and all(table.location != f"{location}{below}/" for table in tables):
            tables.append(_table(group, table_name(prefix, below), f"{location}{below}/"))
        else:
            first = group.members[0].name
            place = location + (first if len(group.members) == 1 else f"{below}/" if below else "")
            tables.append(_table(group, table_name(prefix, first.rsplit("/", 1)[-1]), place))
    return tables


def _table(group: Group, name: str, location: str) -> CrawledTable:
    return CrawledTable(
        name=name,
        location=location,
        columns=columns(group.shape),
        paths=paths(group.shape),
        compression=group.members[0].compression,
        objects=len(group.members),
        records=sum(member.records for member in group.members),
        size=sum(member.size for member in group.members),
    )
