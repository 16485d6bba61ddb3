"""Destinations as they are written, and messages that hold what anybody may have sent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickstream.settings import SettingsError
from clickstream.watch.notify import SUBJECT_LIMIT, Destination, Kind, Message, read_destinations, slack_text

LOG = Destination(Kind.LOG)
TOPIC = "arn:aws:sns:eu-west-1:123456789012:alarms"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", (LOG,)),
        ("log", (LOG,)),
        ("slack:my_slack", (LOG, Destination(Kind.SLACK, "my_slack"))),
        (f"sns:{TOPIC}", (LOG, Destination(Kind.SNS, TOPIC))),
        (
            " email:a+b@example.com , email:c@example.com,log,email:c@example.com,",
            (LOG, Destination(Kind.EMAIL, "a+b@example.com"), Destination(Kind.EMAIL, "c@example.com")),
        ),
    ],
)
def test_destinations_are_read_and_the_log_is_always_first(text: str, expected: tuple[Destination, ...]) -> None:
    assert read_destinations(text) == expected
    assert read_destinations(",".join(destination.name for destination in expected)) == expected


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("pager:x", "'pager:x'"), ("log,slack", "'slack'"), ("slack:", "connection"), ("log:x", "'log:x'"),
        ("slack:https://hooks.slack.com/services/T/B/secret", "connection"),
        ("email:nobody", "address"), ("sns:alarms", "ARN"), ("LOG", "'LOG'"),
    ],
)  # fmt: skip
def test_anything_else_is_refused_by_name(text: str, named: str) -> None:
    with pytest.raises(SettingsError, match=f"CLICKSTREAM_NOTIFY.*{named}"):
        read_destinations(text)


@given(st.text())
def test_a_short_subject_fits_sns(text: str) -> None:
    subject = Message(text, "").short_subject

    assert 0 < len(subject) <= SUBJECT_LIMIT
    assert all(" " <= character <= "~" for character in subject)


def test_slack_is_given_no_link_and_no_call() -> None:
    assert slack_text(Message("A & B", "key <!channel>\nand <https://x|y>")) == (
        "*A &amp; B*\nkey &lt;!channel&gt;\nand &lt;https://x|y&gt;"
    )
