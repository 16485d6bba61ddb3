"""`make docs`: writes docs/tables.md, the data dictionary as a page."""

from collections.abc import Iterable, Iterator, Sequence

from tools.dictionary import ROOT, Columns, Dictionary, Entry, Shared, Table, shipped

PAGE = ROOT / "docs" / "tables.md"

HEAD = """\
# Tables, views and columns

Written by `make docs` from `table.yaml` of each table, `columns.yaml`, the tracking plan and
`include/data_dictionary.yaml`, and checked by a test. The catalog has the same texts as comments, and so has
`describe lake.clickstream.events`: those of columns are kept up to date, a table keeps the one with which it was made,
and the columns of views have none. Names are those of the default settings.

**PII**: the value identifies a person, or may contain something that does. **Source**: where in the message it is from.
A query with a range of the column that its table is partitioned by reads only the files of that range. **Kept**: for
how long, unless `CLICKSTREAM_RETENTION` says otherwise: [retention.md](retention.md).
"""
OF_EVENTS = """
## Tables of single events

One for each live event of `include/tracking_plan.yaml`; [tracking-plan.md](tracking-plan.md) says how a property
becomes a column. Each has these columns, with those of its properties after `context_*`:
"""
OF_SEGMENT = """
## Segment's shape

Views with the names and types of a Segment warehouse: [segment-views.md](segment-views.md). Each, except `users`,
has these columns after its own:
"""
OF_SEGMENT_EVENTS = """
## Single events in Segment's shape

Views of `lake.clickstream_segment` with `event`, `event_text`, the columns of the event's properties as its table above
has them, and then the columns that every view in Segment's shape has.
"""


def page(found: Dictionary) -> str:
    """Return the whole page."""
    lines = [HEAD, *_index((*found.tables, *found.views, *found.segment))]
    for title, tables in (("Tables", found.tables), ("Views", found.views)):
        lines += [f"\n## {title}", *_sections(tables)]
    lines += [OF_EVENTS, *_columns(found.common_of_events), *_sections(found.events)]
    lines += [OF_SEGMENT, *_columns(found.common_of_segment), *_sections(found.segment)]
    lines += [OF_SEGMENT_EVENTS, *_index(found.segment_events), "", *_example(found.segment_events[0])]
    return "\n".join(lines).rstrip("\n") + "\n"


def _sections(tables: Iterable[Table]) -> list[str]:
    return [line for table in tables for line in _section(table)]


def _index(tables: Sequence[Table]) -> list[str]:
    rows = (f"| `{table.name}` | {table.what} | {table.grain.rstrip('.')} |" for table in tables)
    return ["| name | what it holds | one row is |", "| --- | --- | --- |", *(row.replace("\n", " ") for row in rows)]


def _section(table: Table) -> Iterator[str]:
    yield f"\n### {table.name}\n"
    yield f"{table.what} {table.note}".rstrip()
    yield ""
    yield f"- One row: {table.grain}"
    if table.layout:
        yield f"- Files: {table.layout}."
    yield f"- Renewed: {table.freshness}."
    if table.retention:
        yield f"- Kept: {table.retention}"
    yield ""
    yield from _example(table)
    yield from _columns(table.columns)


def _example(table: Table) -> Iterator[str]:
    yield f"```sql\n{table.example.rstrip()}\n```\n"


def _columns(columns: Columns) -> Iterator[str]:
    """Yield a table of the columns; a heading that would have no value is left out."""
    rows = [_row(column) for column in columns]
    heads = ("column", "type", "unit", "source", "PII", "meaning")
    shown = [at for at, _ in enumerate(heads) if any(row[at] for row in rows)]
    for cells in (heads, ["---"] * len(heads), *rows):
        yield "| " + " | ".join(cells[at] for at in shown) + " |"


def _row(column: Entry | Shared) -> tuple[str, ...]:
    if isinstance(column, Shared):
        return (
            f"`{column.name}`",
            "",
            "",
            "",
            "",
            f"The {len(column.entries)} columns of `{column.table}` of that name.",
        )
    meaning, unit, is_pii = column.parts
    source = f"`{column.source}`" if column.source else ""
    cells = (f"`{column.name}`", column.type, unit, source, "yes" if is_pii else "", meaning)
    return tuple(cell.replace("|", "\\|").replace("\n", " ") for cell in cells)


if __name__ == "__main__":
    PAGE.write_text(page(shipped()), encoding="utf-8")
