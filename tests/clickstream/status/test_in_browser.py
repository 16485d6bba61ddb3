"""The status page in Chromium: nothing is fetched, all is read in light and dark, the keyboard reaches all."""

import json
from pathlib import Path
from typing import Any

import pytest

from clickstream.status.page import Choice, status_page
from tests.clickstream.status.test_page import DOCUMENTS, FAILED, FULL, NOW, of_500_events
from tests.collector.sdks.senders import look

PAGES = {
    "full": status_page(FULL, NOW, troubled=[FAILED]),
    "empty": status_page(DOCUMENTS["empty"], NOW),
    "500": status_page(json.dumps(of_500_events()), NOW, Choice(all=True)),
    "none": status_page(None, NOW),
}
SCHEMES = ("light", "dark")


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str, int], dict[str, Any]]:
    """What the browser meets, by page, scheme and width: of a desk, of a phone."""
    folder: Path = tmp_path_factory.mktemp("pages")
    for name, html in PAGES.items():
        (folder / f"{name}.html").write_text(html, encoding="utf-8")
    cases = [(name, scheme, width) for name in PAGES for scheme in SCHEMES for width in (1200, 360)]
    jobs = [
        {"address": f"file://{folder / name}.html", "scheme": scheme, "width": width, "picture": None, "height": 0}
        for name, scheme, width in cases
    ]
    return dict(zip(cases, look(jobs, folder), strict=True))


def test_a_page_fetches_nothing_and_has_no_error(seen: dict[Any, dict[str, Any]]) -> None:
    assert {case: (one["requests"], one["errors"]) for case, one in seen.items()} == dict.fromkeys(seen, ([], []))
    assert {one["title"] for one in seen.values()} == {"Clickstream"}


def test_every_text_can_be_read_in_light_and_dark(seen: dict[Any, dict[str, Any]]) -> None:
    """The contrast that WCAG 2.2 wants of text: https://www.w3.org/TR/WCAG22/#contrast-minimum."""
    assert {case: one["contrast"] for case, one in seen.items() if one["contrast"]["ratio"] < 4.5} == {}
    of_scheme = {scheme: {one["background"] for case, one in seen.items() if case[1] == scheme} for scheme in SCHEMES}
    assert of_scheme == {"light": {"rgb(255, 255, 255)"}, "dark": {"rgb(20, 23, 28)"}}


def test_only_tables_scroll_sideways(seen: dict[Any, dict[str, Any]]) -> None:
    assert [case for case, one in seen.items() if one["is_wider"]] == []


def test_the_keyboard_reaches_everything(seen: dict[Any, dict[str, Any]]) -> None:
    assert {case: one["reached"] for case, one in seen.items() if one["reached"] < one["targets"]} == {}
    assert seen["full", "light", 1200]["targets"] > 20
