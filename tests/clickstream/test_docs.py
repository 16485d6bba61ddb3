"""Documentation that derives from the code."""

import itertools
import re
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from clickstream.engine.sql import TableNames, lake_tables
from tools import settings_page
from tools.dictionary import Entry, read_texts, shipped
from tools.dictionary_page import PAGE, page

ROOT = Path(__file__).parents[2]
# Type, unit, place in the message and PII of some columns, as one reads them in the sources.
DESCRIBED = """
clickstream.events | user_id | varchar | | userId | PII
clickstream.events | event | varchar | | |
clickstream.events | context_screen_width | double | pixels | context.screen.width |
clickstream.events_live | context_ip | varchar | | context.ip | PII
clickstream.load_ledger | rejected_by_reason | map (varchar, bigint) | | |
clickstream.load_runs | bytes | bigint | bytes | |
clickstream.sessions | duration_seconds | double | seconds | |
clickstream.session_events | session_started_at | timestamp(6) with time zone | | |
clickstream_events.products_searched | query | varchar | | properties.query | PII
clickstream_events.delivery_status_updated | weight_kg | double | kg | properties.weight_kg |
clickstream_events.order_completed | extras | varchar | | |
clickstream_segment.identifies | first_name | varchar | | traits.firstName | PII
clickstream_segment.users | context_os_name | varchar | | context.os.name |
clickstream_segment.order_completed | gift_message | varchar | | properties.gift.message | PII
clickstream_segment.order_completed | id | varchar | | messageId |
"""


def test_the_data_dictionary_is_that_of_the_tables_views_and_plan() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(shipped()), "run: make docs"


def test_every_text_is_about_a_table_or_view_that_there_is() -> None:
    texts = read_texts()

    assert texts["freshness"].keys() >= {table.filled_by for table in lake_tables().values()}
    assert texts["views"].keys() == {*TableNames.LOAD_VIEWS, *TableNames.SESSION_VIEWS}
    assert texts["segment_views"].keys() == set(TableNames.SEGMENT_VIEWS)


def test_the_dictionary_says_of_each_column_what_it_is() -> None:
    found = shipped()
    tables = {table.name.removeprefix("lake."): table for table in found.all}

    assert [(name, entry.name) for name, table in tables.items() for entry in table.entries if not entry.parts[0]] == []
    columns = {(name, entry.name): entry for name, table in tables.items() for entry in table.entries}
    for line in DESCRIBED.strip().splitlines():
        table, column, kind, unit, source, pii = (cell.strip() for cell in line.split("|"))
        entry = columns[table, column]
        assert (entry.type, entry.parts[1], entry.source, entry.parts[2]) == (kind, unit, source, pii == "PII")


@pytest.mark.parametrize(
    ("comment", "parts"),
    [
        ("Size of it. Unit: bytes.", ("Size of it.", "bytes", False)),
        ("Who. PII.", ("Who.", "", True)),
        ("Age, in full. Unit: years. PII.", ("Age, in full.", "years", True)),
        ("The unit: PII. Or not.", ("The unit: PII. Or not.", "", False)),
    ],
)
def test_unit_and_pii_stand_at_the_end_of_a_comment(comment: str, parts: tuple[str, str, bool]) -> None:
    assert Entry("a", "varchar", comment).parts == parts


def test_the_page_of_settings_is_that_of_the_code() -> None:
    assert settings_page.PAGE.read_text(encoding="utf-8") == settings_page.page(), "run: make docs"


def test_every_setting_has_a_meaning_and_dags_that_use_it() -> None:
    dags = {path.stem for path in (ROOT / "dags").glob("*.py")}
    used = {name: users for name, (_, users) in settings_page.meanings().items()}
    named = {name: set(re.findall(r"`(\w+)`", users)) for name, users in used.items()}

    assert [name for name, found in named.items() if not found and used[name] != "every DAG"] == []
    assert {name: found - dags for name, found in named.items() if found - dags} == {}


PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "lambdas" / "README.md"]
ADRS = sorted((ROOT / "docs" / "adr").glob("0*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    def target(link: str) -> tuple[Path, str]:
        path, _, anchor = link.partition("#")
        return (page.parent / path).resolve() if path else page, anchor

    links = [target(link) for link in links_of(page) if not re.match(r"\w+:", link)]

    assert [path for path, _ in links if not path.exists()] == []
    assert [(path.name, anchor) for path, anchor in links if anchor and anchor not in anchors_of(path)] == []


# docs/tables.md has texts of the catalog, which are one line each, and CHANGELOG.md what many branches add to.
@pytest.mark.parametrize(
    "page", [page for page in PAGES if page not in (PAGE, ROOT / "CHANGELOG.md")], ids=lambda page: page.name
)
def test_lines_of_prose_have_at_most_120_characters(page: Path) -> None:
    lines = page.read_text(encoding="utf-8").splitlines()
    paragraphs = [
        lines[slice(*token.map)]
        for before, token in itertools.pairwise(markdown(page))
        if before.type == "paragraph_open" and token.map
    ]

    assert [line for paragraph in paragraphs for line in paragraph if len(line) > 120 and can_be_broken(line)] == []


def test_the_index_of_docs_has_every_page() -> None:
    index = ROOT / "docs" / "README.md"
    linked = {(index.parent / link.partition("#")[0]).resolve() for link in links_of(index)}

    assert {page for page in (ROOT / "docs").glob("*.md") if page != index} - linked == set()


@pytest.mark.parametrize("adr", ADRS, ids=lambda adr: adr.stem)
def test_a_decision_has_the_form_of_all(adr: Path) -> None:
    text = adr.read_text(encoding="utf-8")

    assert re.match(r"# (\d+)\. .+\n\n(Accepted|Replaced by \d+), \d{4}-\d\d-\d\d\.\n\n## ", text)
    assert text.startswith(f"# {int(adr.name[:4])}. ")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == [
        "Context", "Decision", "Reasons and alternatives", "Consequences",
    ]  # fmt: skip


def test_the_index_of_decisions_is_theirs() -> None:
    """A row that is missing or old: take it from the difference that this test shows."""
    index = (ROOT / "docs" / "adr" / "README.md").read_text(encoding="utf-8")

    def row(adr: Path) -> str:
        title, _, state, *_ = adr.read_text(encoding="utf-8").splitlines()
        number, name = title.removeprefix("# ").split(". ", 1)
        status, date = state.rstrip(".").rsplit(", ", 1)
        return f"| {number} | [{name}]({adr.name}) | {status.lower()} | {date} |"

    assert [line for line in index.splitlines() if re.match(r"\| \d", line)] == [row(adr) for adr in ADRS]


def links_of(page: Path) -> list[str]:
    """The targets of a page's links and pictures."""
    inline = [token for token in markdown(page) if token.type == "inline"]
    children = [child for token in inline for child in token.children or []]
    return [str(child.attrs[name]) for child in children for name in ("href", "src") if name in child.attrs]


def anchors_of(page: Path) -> set[str]:
    """The anchors that GitHub makes of a page's headings."""
    tokens = markdown(page)
    titles = [after.content for before, after in itertools.pairwise(tokens) if before.type == "heading_open"]
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def can_be_broken(line: str) -> bool:
    """Whether a line is more than one link or one piece of code, with a full stop perhaps."""
    return " " in re.sub(r"`[^`]*`|!?\[[^\]]*\]\([^)]*\)", "", line).strip("- ")


def markdown(page: Path) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(page.read_text(encoding="utf-8"))
