"""What the status page says, and how, of documents that are JSON files beside this."""

import copy
import itertools
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickstream.status.docs import DOCS_DIR, find, to_html
from clickstream.status.page import (
    EVENTS_SHOWN,
    STALE_AFTER,
    Choice,
    DocumentError,
    TroubledRun,
    docs_page,
    message_page,
    report_page,
    status_page,
)
from clickstream.watch.alarms import RUNBOOKS

DOCUMENTS = {path.stem: path.read_text(encoding="utf-8") for path in (Path(__file__).parent / "documents").glob("*")}
FULL = DOCUMENTS["full"]
NOW = datetime(2026, 11, 29, 12, 20, tzinfo=UTC)
VOID = {"meta", "input", "br", "hr", "img"}
REDRIVE = DOCS_DIR / "runbooks" / "redrive.md"
FAILED = TroubledRun("scheduled__2026-11-29T03:00:00+00:00", "failed", "2026-11-29T03:00:04+00:00", None)
HOSTILE = "<script>alert(1)</script>\"'&{{ 7*7 }}"


class Page(HTMLParser):
    """The elements of a page, as tag, attributes and the text in them; fails on tags that do not match."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None], list[str]]] = []
        self._open: list[int] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs), []))
        if tag not in VOID:
            self._open.append(len(self.elements) - 1)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs), []))

    def handle_endtag(self, tag: str) -> None:
        assert self.elements[self._open.pop()][0] == tag

    def handle_data(self, data: str) -> None:
        for index in self._open:
            self.elements[index][2].append(data)

    def all(self, *tags: str) -> list[tuple[dict[str, str | None], str]]:
        return [(attrs, " ".join("".join(text).split())) for tag, attrs, text in self.elements if tag in tags]


def of_500_events() -> dict[str, Any]:
    """A document with 500 events, and some that are not listed."""
    document: dict[str, Any] = json.loads(FULL)
    events = document["loaded"]["events"]
    document["loaded"]["events"] = [
        {**events[number % len(events)], "type": "track", "name": f"Event {number} 이벤트"} for number in range(500)
    ]
    document["loaded"]["events_left_out"] = 37
    return document


def pages() -> Iterator[Any]:
    yield pytest.param(status_page(FULL, NOW), id="full")
    yield pytest.param(status_page(DOCUMENTS["empty"], NOW), id="empty")
    yield pytest.param(status_page(DOCUMENTS["earlier"], NOW), id="of an earlier release")
    yield pytest.param(status_page(FULL, NOW, troubled=[FAILED]), id="with a run that failed")
    yield pytest.param(status_page(json.dumps(of_500_events()), NOW, Choice(all=True)), id="500 events")
    yield pytest.param(status_page(FULL, NOW + timedelta(days=1)), id="stale")
    yield pytest.param(status_page(None, NOW), id="none")
    yield pytest.param(report_page("run", json.loads(FULL)["runs"][0], None), id="report")
    yield pytest.param(report_page("run", None, None), id="no report")
    yield pytest.param(message_page("Clickstream", "no", "../login", "Sign in"), id="message")
    yield pytest.param(
        docs_page("runbooks/redrive.md", Path(DOCS_DIR / "runbooks" / "redrive.md").read_text()), id="docs"
    )


def test_a_person_on_call_reads_what_is_wrong_since_when_and_what_to_do() -> None:
    page = Page(status_page(FULL, NOW))
    text = " ".join(data for _, data in page.all("body"))

    for said in (
        "Fresh: newest event 75 min ago. 3 alarms are open: dead letters since 05:10 (and so staging stands still",
        "unusual: orders (silent for 3 h)",
        "3 unusual events",
        "Newest event loaded: 75 min old",
        "Began 2026-11-29 05:10 UTC (7 h ago); open since 2026-11-29 05:45 UTC",
        "staging_stands_still, which follows from dead_letters",
        "no_type: 11 records of the newest objects, of \u2068shop_web\u2069, the latest 12:04",
        "run_reject_rate in 2 runs",
        "not_json: 432 lines of 24 hours, since 08:14, the latest 10:58, of \u2068shop_app\u2069",
        "Newest object delivered: 1 min ago.",
        "124,000 lines were read: 121,500 loaded, 2,020 duplicate (1.6 %), 480 rejected (0.4 %).",
        "2,140 sessions, 312 s on average, 29.0 % bounces, 8.9 % with a conversion.",
        "2026-11-27: 07:00 missing, 13:00 missing",
        "2026-11-28: 23:00 late",
        "2026-11-26: not compared",
    ):
        assert said in text
    assert {attrs["href"] for attrs, said in page.all("a") if said.startswith("docs/")} == {
        "docs/runbooks/redrive.md", "docs/runbooks/staging-stands-still.md",
    }  # fmt: skip
    assert "stale" not in text


def test_a_document_of_an_earlier_release_is_a_page_without_what_it_does_not_know() -> None:
    text = status_page(DOCUMENTS["earlier"], NOW)

    assert "<span>Fresh again: newest event 75 min ago.</span>" in text
    assert "<span>2 alarms are open: events not fresh since 12:00;" in text
    assert "cannot be read" not in text
    # Its reasons are whole, and are not shown.
    assert '<span class="bad">order_completed</span>' in text
    assert "order_completed: TYPE_MISMATCH<" in status_page(FULL, NOW)


def test_the_hours_of_the_bars_are_said_and_shown() -> None:
    """The 24 hours up to 11:00: the first bar is of 11:00."""
    html = status_page(FULL, NOW)

    assert "orders: messages by hour (UTC), 11:00 36, 12:00 53," in html
    assert "09:00 0, 10:00 0</title>" in html
    (row,) = [part for part in html.split("<tr>") if part.startswith('<th scope="row"><bdi>orders</bdi>')]
    assert re.findall(r'class="hour" x="(\d+)" y="\d+" text-anchor="\w+">(\d\d)<', row) == [
        ("6", "12"), ("42", "18"), ("78", "00"), ("114", "06"),
    ]  # fmt: skip


def test_runs_that_failed_are_said_at_the_top_and_listed() -> None:
    long = TroubledRun("manual__1", "running", "2026-11-29T09:30:00+00:00", None)
    page = Page(status_page(FULL, NOW, troubled=[long, FAILED]))

    assert (
        "1 run of load_events failed in 24 hours; it started 2026-11-29 03:00 UTC. 1 run of load_events takes over an "
        "hour: since 2026-11-29 09:30 UTC. Which, and what they reported, as Airflow says now."
    ) in [said for _, said in page.all("p")]
    (row,) = [said for _, said in page.all("tr") if said.startswith("scheduled__2026-11-29T03:00:00failed")]
    assert row.endswith("failed2026-11-29 03:00 UTCthere is one")
    assert "as Airflow says now" not in status_page(FULL, NOW)


def test_what_is_unusual_comes_first() -> None:
    page = Page(status_page(FULL, NOW))

    events = [said for _, said in page.all("tr") if "messages by hour" in said][4:]
    assert [row.split("messages")[0] for row in events[:3]] == [
        "Order CompletedOrder Completed: ", "Coupon AppliedCoupon Applied: ",
        "Sparkle ✨ 🛒 <b>Clicked</b>Sparkle ✨ 🛒 <b>Clicked</b>: ",
    ]  # fmt: skip
    assert [row.rpartition(" to ")[2] for row in events[:3]] == ["35silent for 3 h", "29below usual", "62above usual"]


@pytest.mark.parametrize("html", [*pages()])
def test_a_page_is_one_document_for_keyboard_and_screen_reader(html: str) -> None:
    page = Page(html)
    tags = [tag for tag, _, _ in page.elements]

    assert html.startswith('<!doctype html>\n<html lang="en">')
    assert tags.count("h1") == 1
    assert tags.count("main") == 1
    headings = [int(tag[1]) for tag in tags if re.fullmatch(r"h[1-6]", tag)]
    assert all(after <= before + 1 for before, after in itertools.pairwise(headings))
    ids = [attrs["id"] for _, attrs, _ in page.elements if attrs.get("id")]
    assert len(ids) == len(set(ids))
    # What scrolls sideways can be reached by the keyboard, and has a name.
    for _, attrs, _ in page.elements:
        if attrs.get("class") == "wide":
            assert attrs["tabindex"] == "0"
            assert attrs["role"] == "region"
            assert attrs["aria-label"]
    assert 'tabindex="1"' not in html


@pytest.mark.parametrize("html", [*pages()])
def test_every_picture_has_a_title_and_every_cell_a_head(html: str) -> None:
    for part in html.split("<svg ")[1:]:
        assert part.startswith('role="img"')
        assert re.match(r"[^>]*>\s*<title>[^<]+</title>", part)
    if "docs/runbooks/redrive.md</title>" not in html:  # Markdown has no heads of rows
        for table in html.split("<table>")[1:]:
            head, _, body = table.partition("</thead>")
            assert head.count("<th ") == head.count('<th scope="col"') > 0
            rows = body.partition("</tbody>")[0].split("<tr>")[1:]
            assert all(row.startswith('<th scope="row"') for row in rows)


@pytest.mark.parametrize("html", [*pages()])
def test_a_page_loads_nothing_runs_nothing_and_links_below_airflows_path(html: str) -> None:
    page = Page(html)

    assert "<script" not in html
    assert not re.search(r"\son[a-z]+=", html)
    for _, attrs, _ in page.elements:
        assert not (attrs.get("href") or "").startswith("/")
        assert not (attrs.get("src") or "").startswith(("/", "http"))
    assert "prefers-color-scheme: dark" in html


def test_names_are_text_whatever_they_are() -> None:
    document = json.loads(FULL)
    hostile = replaced(document, HOSTILE)
    html = status_page(json.dumps(hostile), NOW)

    page = Page(html)
    assert "<script" not in html
    assert "49" not in {said for _, said in page.all("th")}
    assert HOSTILE in {said for _, said in page.all("bdi")}
    assert {"Sparkle ✨ 🛒 <b>Clicked</b>", "장바구니에 담기"} <= {
        said for _, said in Page(status_page(FULL, NOW)).all("bdi")
    }


def replaced(value: Any, text: str) -> Any:
    """The document with every text in it replaced that is no instant and no word of ours."""
    if isinstance(value, dict):
        return {key: replaced(inner, text) for key, inner in value.items()}
    if isinstance(value, list):
        return [replaced(inner, text) for inner in value]
    is_ours = not isinstance(value, str) or re.match(r"\d{4}-|track$|page$|identify$|warning|critical", value)
    return value if is_ours else text


def test_500_events_are_shortened_found_by_name_and_all_shown_on_request() -> None:
    text = json.dumps(of_500_events())

    def names(choice: Choice) -> list[str]:
        return [said for _, said in Page(status_page(text, NOW, choice)).all("bdi") if "이벤트" in said]

    assert len(names(Choice())) == EVENTS_SHOWN == 50
    assert len(names(Choice(all=True))) == 500
    assert sorted(names(Choice("EVENT 49"))) == [
        "Event 49 이벤트", *[f"Event {number} 이벤트" for number in range(490, 500)],
    ]  # fmt: skip
    page = status_page(text, NOW)
    assert "500 events, and 37 rarer ones that are not listed" in page
    assert "50 of 500 events" in page


def test_a_document_is_stale_after_three_quarters_of_an_hour() -> None:
    written_at = datetime.fromisoformat(json.loads(FULL)["written_at"])

    assert "This page is stale" not in status_page(FULL, written_at + STALE_AFTER)
    stale = status_page(FULL, written_at + timedelta(days=1))
    assert "This page is stale" in stale
    assert "was written 24 h ago" in stale
    # What is shown keeps the age that it had then.
    assert "<span>Not known: this page was written 24 h ago. As of then:</span>" in stale
    assert "<span>Fresh: newest event 75 min ago.</span>" in stale


def test_nothing_good_is_said_above_what_is_about_a_run_nor_of_hours_that_nobody_judged() -> None:
    document = json.loads(FULL)
    document["alarms"] = [alarm for alarm in document["alarms"] if alarm["run_id"]]
    of_a_run = status_page(json.dumps(document), NOW)
    document["alarms"] = []
    document["loaded"] |= {"until": "2026-11-29T07:00:00+00:00", "sources": [], "events": []}
    behind = status_page(json.dumps(document), NOW)

    assert "No alarm is open" not in of_a_run
    assert '<p class="verdict notice warn-verdict">' in of_a_run
    assert "<span>In single runs: run reject rate in 2 runs, the latest 10:01.</span>" in of_a_run
    assert "None is open. What follows is about single runs, and needs a look too." in of_a_run
    assert "No alarm is open" in behind
    assert '<span class="quiet">no source is unusual up to 2026-11-29 07:00 UTC</span>' in behind
    assert "later hours are not judged" in behind
    assert "later hours are not judged" not in of_a_run


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "7", '{"version": 2}', '{"version": 1}', "[" * 100_000])
def test_a_broken_document_is_said_to_be_one(text: str) -> None:
    html = status_page(text, NOW)

    assert "The document of this page" in html
    assert "write_status" in html
    Page(html)


def nodes(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from nodes(inner, (*path, key))


PLACES = [path for path in nodes(json.loads(FULL)) if path]


@given(
    st.sampled_from(PLACES),
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.integers()), st.just({})),
)
def test_any_value_at_any_place_of_a_document_gives_a_page(path: tuple[Any, ...], value: Any) -> None:
    document = copy.deepcopy(json.loads(FULL))
    inner = document
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value

    Page(status_page(json.dumps(document), NOW))


def test_a_run_without_a_report_says_so() -> None:
    html = report_page("manual__1", None, None)

    assert "<h1>Run report</h1>" in html
    assert "This run has no report." in html


def test_a_report_of_a_dry_run_says_so() -> None:
    html = report_page("manual__1", None, {"rows_read": 12_345, "rejected_by_reason": {"not_json": 3}})

    assert "What the run would do" in html
    assert "12,345" in html
    assert "not_json" in html


@pytest.mark.parametrize(
    "report", [{"rows_read": "many"}, {"rejected_by_reason": [1]}, {"violations_by_event": {"a": None}}]
)
def test_a_report_of_another_form_is_said_to_be_one(report: dict[str, Any]) -> None:
    with pytest.raises(DocumentError, match="The report of the run manual__1 cannot be shown"):
        report_page("manual__1", report, None)


def test_a_line_that_was_not_kept_has_a_dash_for_its_shape() -> None:
    document = json.loads(FULL)
    document["loaded"]["rejects"][0] |= {"reason": "suppressed", "shape": None}

    page = Page(status_page(json.dumps(document), NOW))

    (row,) = [said for _, said in page.all("tr") if said.startswith("suppressed")]
    assert row.endswith("–")
    assert "None" not in row


def test_a_source_of_few_messages_is_not_called_usual_when_none_came() -> None:
    document = json.loads(FULL)
    (source, *_) = document["loaded"]["sources"]
    document["loaded"]["sources"] = [source | {"name": "quiet", "hours": [0] * 24, "low": [0] * 24, "high": [5] * 24}]

    page = Page(status_page(json.dumps(document), NOW))

    (row,) = [said for _, said in page.all("tr") if said.startswith("quiet")]
    assert row.endswith("too few to judge")
    assert ({"class": "quiet"}, "too few to judge") in page.all("span")


def test_of_refused_events_it_says_how_many_were_looked_at() -> None:
    (caption,) = [said for _, said in Page(status_page(FULL, NOW)).all("caption") if "refused/" in said]

    assert "in the newest of the first 10,000 of three days" in caption


def test_pairs_of_few_sessions_are_said_to_be_left_out() -> None:
    document = json.loads(FULL)
    document["sessions"] |= {"sessions": 4, "entries": [], "moves": []}

    html = status_page(json.dumps(document), NOW)

    assert "Pairs of fewer than 5 sessions are not listed." in html
    assert "Entry → exit" not in html


def test_every_runbook_of_an_alarm_is_a_page() -> None:
    for name in RUNBOOKS.values():
        file = find(f"runbooks/{name}")
        assert file is not None
        assert "<h1 " in to_html(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "name", ["../README.md", "runbooks/../../README.md", "/etc/passwd", "", ".", "runbooks", "none.md"]
)
def test_nothing_but_docs_is_served(name: str) -> None:
    assert find(name) is None


def test_docs_are_shown_as_github_shows_them() -> None:
    html = to_html("# A b, `c`!\n\n<!-- bench -->\n| a | b |\n| --- | --- |\n| 1 | <b> |\n\n[x](other.md#a-b-c)\n")

    assert '<h1 id="a-b-c">' in html
    assert "<td>&lt;b&gt;</td>" in html
    assert "bench" not in html
    assert '<a href="other.md#a-b-c">' in html
