"""Every trigger form, whatever a run's conf holds: values that can be used, or the name of the one that cannot."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickstream import load_request, rederive, redrive
from clickstream.form import FormError, read_instant, read_whole
from clickstream.sessions import read_rebuild

HOUR = (datetime(2026, 11, 24, 5, tzinfo=UTC), datetime(2026, 11, 24, 6, tzinfo=UTC))
FORMS: dict[str, Callable[[Mapping[str, Any]], Any]] = {
    "load_events": lambda params: load_request.read_request("manual", HOUR, params),
    "load_events, a backfill": lambda params: load_request.read_request("backfill", HOUR, params),
    "rederive_typed_events": rederive.read_request,
    "redrive_failed": redrive.read_request,
    "model_sessions": read_rebuild,
    "compare_plan": lambda params: timedelta(days=read_whole(params, "days", 1, 366)),
}
INSTANTS = st.sampled_from([
    "2026-11-24T05:00:00Z", "2026-11-24T05:00:00+09:00", "2026-11-25", "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59.999999-12:00", "2026-11-24T05:00:60Z", "2026-02-30T00:00:00Z", "now",
    "'; drop table events; --", "{{ 7 * 7 }}", "2026-11-24T05:00:00Z\n", "\N{ARABIC-INDIC DIGIT TWO}026-11-24T05:00:00Z",
])  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text() | INSTANTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)
NAMES = {"from", "to", "source", "event", "dry_run", "rederive", "days"}
USUAL = {"source": "auto", "dry_run": False, "rederive": False, "days": 7, "event": None}


@pytest.mark.promise("P8")
@pytest.mark.parametrize("form", FORMS)
@given(
    conf=st.dictionaries(st.sampled_from(sorted(NAMES)), JSON)
    | st.fixed_dictionaries({"from": INSTANTS, "to": INSTANTS})
)
def test_a_conf_is_read_or_the_value_that_is_wrong_is_named(form: str, conf: dict[str, Any]) -> None:
    try:
        FORMS[form]({**USUAL, **conf})
    except FormError as error:
        refusal = str(error)
    else:
        return
    assert NAMES.intersection(re.split(r"[ =:]", refusal)) or refusal.startswith("the backfill run")


@given(INSTANTS | st.text() | st.datetimes(timezones=st.timezones()).map(datetime.isoformat))
def test_an_instant_is_one_in_utc(given: str) -> None:
    try:
        instant = read_instant({"from": given}, "from")
    except FormError:
        return
    assert instant is None or instant.utcoffset() == timedelta()


@pytest.mark.parametrize("given", [0, 367, True, 7.0, "7", None, [7]])
def test_a_whole_number_is_one_within_its_bounds(given: Any) -> None:
    with pytest.raises(FormError, match=r"days=.*: must be a whole number, 1 to 366"):
        read_whole({"days": given}, "days", 1, 366)
