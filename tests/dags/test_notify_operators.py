"""An e-mail as it leaves, over the provider's own hook; and what a load logs of drift."""

import json
import smtplib
from collections.abc import Callable
from email import message_from_string
from typing import Any

import pytest

from clickstream.operators.notify import notify
from clickstream.settings import Settings
from clickstream.watch.notify import Destination, Kind, Message
from tests.clickstream.fake_trino import FakeTrino
from tests.dags.conftest import context

SETTINGS = Settings(staging_bucket="a", lake_bucket="b", crawler="c")


class Post:
    """In place of smtplib.SMTP: keeps what is sent."""

    sent: list[tuple[str, list[str], str]]

    def __init__(self, **_: Any) -> None:
        Post.sent = []

    def sendmail(self, from_addr: str, to_addrs: list[str], msg: str) -> None:
        Post.sent.append((from_addr, to_addrs, msg))

    def close(self) -> None:
        """Nothing."""


def test_an_email_has_the_text_and_nothing_that_a_sender_could_make_a_tag(monkeypatch: pytest.MonkeyPatch) -> None:
    extra = {"from_email": "pipeline@example.com", "disable_tls": True, "disable_ssl": True}
    connection = {"conn_type": "smtp", "host": "127.0.0.1", "port": 25, "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_CLICKSTREAM_SMTP", json.dumps(connection))
    monkeypatch.setattr(smtplib, "SMTP", Post)
    message = Message("WARNING: 가격\nBcc: x@example.com", 'key <b onclick="x">')

    told, failures = notify([Destination(Kind.EMAIL, "data@example.com")], message, SETTINGS)

    assert (told, failures) == (["email:data@example.com"], [])
    ((sender, receivers, text),) = Post.sent
    mail = message_from_string(text)
    assert (sender, receivers) == ("pipeline@example.com", ["data@example.com"])
    assert (mail["Subject"], mail["Bcc"]) == ("WARNING: Bcc: x@example.com", None)
    (body,) = [part.get_payload(decode=True).decode() for part in mail.walk() if part.get_content_type() == "text/html"]
    assert "key &lt;b onclick=&quot;x&quot;&gt;" in body


def test_without_the_connection_the_failure_is_given_and_the_log_was_told() -> None:
    told, failures = notify(
        [Destination(Kind.EMAIL, "data@example.com"), Destination(Kind.LOG)], Message("a", "b"), SETTINGS
    )

    assert told == ["log"]
    assert [failure.partition(":")[0] for failure in failures] == ["email"]


def record(task, trino: FakeTrino) -> dict[str, int]:
    operator = task("load_events", "record_schema_changes")
    return operator.execute(context(operator, "manual", "run-1"))


NEW = {
    "path": "$.properties.orderid", "json_type": "number", "change": "new_key",
    "case_twin_of": "$.properties.orderId", "message_count": 2,
}  # fmt: skip


def test_nothing_is_written_when_nothing_is_new(task, connect_trino: Callable[..., FakeTrino]) -> None:
    trino = connect_trino({"as shape_count": [[{"new_count": 0, "shape_count": 5_000}]]})

    assert set(record(task, trino).values()) == {0}
    assert not any("merge into" in text for text, _ in trino.executed)


def test_what_is_left_out_is_counted_and_warned_of(
    task, connect_trino: Callable[..., FakeTrino], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Settings, "schema_changes_max", 1)
    counts = [[{"new_count": 601, "shape_count": 5_003}], [{"new_count": 600, "shape_count": 5_003}]]
    trino = connect_trino({"as shape_count": counts, "-- What one run met": [[NEW]]})

    assert record(task, trino) == {"new_key": 1, "new_type": 0, "case_twins": 1, "changes_left": 600, "shapes_left": 3}
    (merge,) = (parameters for text, parameters in trino.executed if "merge into" in text)
    assert merge[:3] == [5_000, "run-1", 1]
    logged = capsys.readouterr().out
    assert (
        "new_key $.properties.orderid: number, in 2 messages, differs only in case from $.properties.orderId" in logged
    )
    assert "600 more new keys or types were not recorded" in logged
    assert "3 rare shapes of messages were not looked at" in logged
