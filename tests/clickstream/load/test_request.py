"""What a run of load_events is asked for, of every run type."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickstream.form import FormError
from clickstream.load.request import LoadRequest, read_load_request
from clickstream.window import Window

FORM: dict[str, Any] = {"from": None, "to": None, "source": "auto", "dry_run": False, "rebuild": False}
START, END = datetime(2026, 11, 24, 5, tzinfo=UTC), datetime(2026, 11, 24, 6, tzinfo=UTC)
NO_INTERVAL = (None, None)


@pytest.mark.parametrize("run_type", ["scheduled", "manual", "asset_triggered"])
@pytest.mark.parametrize("interval", [NO_INTERVAL, (START, END), (START, START)])
def test_an_empty_form_asks_for_all_that_is_not_loaded(run_type: str, interval: Any) -> None:
    assert read_load_request(run_type, interval, FORM) == LoadRequest()


def test_a_backfill_asks_for_its_interval() -> None:
    assert read_load_request("backfill", (START, END), {**FORM, "rebuild": True}) == LoadRequest(
        Window(START, END), rebuild=True
    )


def test_the_form_asks_for_a_range_in_any_offset() -> None:
    given_form = {"from": "2026-11-24T14:00:00+09:00", "to": "2026-11-24T06:00:00Z", "source": "archive"}

    request = read_load_request("manual", NO_INTERVAL, {**FORM, **given_form, "dry_run": True})

    assert request == LoadRequest(Window(START, END), "archive", dry_run=True)


def test_a_dry_run_of_all_that_is_not_loaded_is_possible() -> None:
    assert read_load_request("manual", NO_INTERVAL, {**FORM, "dry_run": True}) == LoadRequest(dry_run=True)


@pytest.mark.parametrize(
    ("run_type", "params", "message"),
    [
        ("manual", {"from": "2026-11-24T05:00:00Z"}, "to is empty"),
        ("manual", {"to": "2026-11-24T05:00:00Z"}, "from is empty"),
        ("manual", {"from": "2026-11-24T06:00:00Z", "to": "2026-11-24T05:00:00Z"}, "must be before"),
        ("manual", {"from": "2026-11-24T05:00:00", "to": "2026-11-24T06:00:00Z"}, "from=.*must have an offset"),
        ("manual", {"from": "'; drop table x"}, "from=.*must be a date and time"),
        ("manual", {"from": 5}, "from=5: must be a date"),
        ("manual", {"from": "0001-01-01T00:00:00Z", "to": "2026-11-24T05:00:00Z"}, "at most 366"),
        ("manual", {"rebuild": True}, "rebuild=True: needs from and to"),
        ("manual", {"source": "archive"}, "source='archive': needs from and to"),
        ("manual", {"source": "glacier"}, "source='glacier': must be auto or staging or archive"),
        ("manual", {"source": ["auto"]}, "source=.*must be auto"),
        ("manual", {"dry_run": "yes"}, "dry_run='yes': must be true or false"),
        ("manual", {"rederive": True}, "rederive: its name is rebuild now"),
        ("manual", {"rebuild": 1}, "rebuild=1: must be true or false"),
        ("backfill", {"from": "2026-11-24T05:00:00Z"}, "a backfill has its own range"),
        ("backfill", {}, "no data interval"),
    ],
)
def test_what_cannot_be_used_is_named(run_type: str, params: dict[str, Any], message: str) -> None:
    with pytest.raises(FormError, match=message):
        read_load_request(run_type, NO_INTERVAL, {**FORM, **params})


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)


@pytest.mark.promise("P8")
@given(st.sampled_from(["scheduled", "manual", "backfill"]), st.dictionaries(st.sampled_from(sorted(FORM)), JSON))
def test_whatever_a_conf_holds_gives_a_request_or_names_the_value(run_type: str, conf: dict[str, Any]) -> None:
    try:
        request = read_load_request(run_type, (START, END), {**FORM, **conf})
    except FormError:
        return
    assert request.source in ("auto", "staging", "archive")
    assert type(request.dry_run) is type(request.rebuild) is bool
    assert request.window is None or timedelta() < request.window.end - request.window.start
