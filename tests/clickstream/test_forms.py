"""Whatever a run's conf holds, each DAG's form is read to a request that can be used, or names the value."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickstream.form import FormError, read_whole, read_window
from clickstream.load import request
from clickstream.plan import rebuild
from clickstream.staging import redrive
from clickstream.window import Window, days, hours

HOUR = (datetime(2026, 11, 24, 4, tzinfo=UTC), datetime(2026, 11, 24, 5, tzinfo=UTC))
Read = Callable[[Mapping[str, Any]], Any]
FORMS: dict[str, Read] = {
    "load_events": lambda params: request.read_load_request("manual", HOUR, params),
    "model_sessions": read_window,
    "rebuild_typed_events": rebuild.read_rebuild_request,
    "redrive_failed": redrive.read_redrive_request,
    "compare_plan": lambda params: read_whole(params, "days", 1, 366),
}
NAMES = ("from", "to", "source", "dry_run", "rebuild", "event", "days")

# Instants that a form's own check lets through: ISO 8601, also at both ends of the calendar, with any offset.
INSTANTS = st.builds(
    lambda text, offset: text + offset,
    st.sampled_from(
        ["0001-01-01T00:00:00", "2026-11-24T05:00:00", "2026-11-25T05:00:00.999999", "9999-12-31T23:59:59.999999"]
    ),
    st.sampled_from(["Z", "+14:00", "-12:00", "+23:59", "-23:59", ""]),
)
WORDS = st.sampled_from(
    ["", "auto", "rejects", "processing-failed", "archive", "Order Completed", "'; drop table x --"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text() | INSTANTS | WORDS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)
CONFS = st.dictionaries(st.sampled_from(NAMES), JSON) | st.fixed_dictionaries(
    {"from": INSTANTS, "to": INSTANTS, "source": WORDS}, optional={"dry_run": st.booleans()}
)


@pytest.mark.promise("P8")
@pytest.mark.parametrize("dag", FORMS)
@given(conf=CONFS)
def test_a_form_is_read_or_names_what_is_wrong(dag: str, conf: dict[str, Any]) -> None:
    error, request = "", None
    try:
        request = FORMS[dag](conf)
    except FormError as refused:
        error = str(refused)
    assert not error or any(name in error for name in NAMES)
    window = request if isinstance(request, Window | None) else getattr(request, "window", None)
    for name in ("source", "event"):
        assert isinstance(getattr(request, name, ""), str)
    if window is not None:
        assert str(window)
        assert window.start < window.end
        if window.end - window.start <= timedelta(days=2):
            assert list(hours(window))[-1].end == list(days(window))[-1].end == window.end


def test_a_window_is_given_whole_or_not_at_all() -> None:
    noon, one = "2026-11-24T12:00:00Z", "2026-11-24T13:00:00Z"
    assert read_window({"from": None, "to": ""}) is None
    assert read_window({"from": noon, "to": one}) == Window(
        datetime(2026, 11, 24, 12, tzinfo=UTC), datetime(2026, 11, 24, 13, tzinfo=UTC)
    )
    for params, name in (({"from": noon}, "to"), ({"to": noon}, "from")):
        with pytest.raises(FormError, match=f"{name} is empty"):
            read_window(params)
    with pytest.raises(FormError, match="before"):
        read_window({"from": one, "to": noon})


def test_the_ends_of_the_calendar_are_named() -> None:
    with pytest.raises(FormError, match=r"to='9999-12-31T23:59:59Z': is too near the end of the calendar"):
        read_window({"from": "2026-11-24T05:00:00Z", "to": "9999-12-31T23:59:59Z"})
    with pytest.raises(FormError, match=r"from=.*is too near the end"):
        read_window({"from": "0001-01-01T00:00:00+14:00", "to": "2026-11-24T05:00:00Z"})


@pytest.mark.parametrize("given", [0, 367, True, 7.0, "7", None, [7]])
def test_a_whole_number_is_one_within_its_bounds(given: Any) -> None:
    with pytest.raises(FormError, match=r"days=.*: must be a whole number, 1 to 366"):
        read_whole({"days": given}, "days", 1, 366)
