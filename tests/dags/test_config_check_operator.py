"""The tasks of clickstream_check: what they give, log and raise."""

import re
from pathlib import Path

import pytest
from airflow.sdk.exceptions import AirflowFailException

from clickstream.operators.config_check import look
from tests.dags.conftest import ROOT, context


def run(task, task_id: str) -> dict[str, int]:
    operator = task("clickstream_check", task_id)
    return operator.execute(context(operator, "manual"))


def test_what_is_not_wrong_is_counted_and_logged(task, capsys) -> None:
    counts = run(task, "check_settings")

    # The tests' settings name no raw bucket, archive, stream nor queues.
    assert counts == {"warn": 5, "ok": 3}
    assert "set it to the output ArchiveBucket of the stack" in capsys.readouterr().out


def test_what_is_wrong_fails_the_task_with_its_fix(task, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLICKSTREAM_NOTIFY", "pager:me")

    with pytest.raises(
        AirflowFailException, match=r"(?s)FAIL  settings  CLICKSTREAM_NOTIFY.*fix:   see docs/alarms.md"
    ):
        run(task, "check_settings")


def test_settings_that_cannot_be_read_are_told_of_once(task, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CLICKSTREAM_CRAWLER")

    with pytest.raises(AirflowFailException, match="not set: CLICKSTREAM_CRAWLER"):
        run(task, "check_settings")
    assert run(task, "check_trino") == {}


def test_a_dag_file_that_cannot_be_run_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("import clickstream.nothing\n")

    found = {one.checked: one.wrong for one in look("airflow", tmp_path, "run-1") if one.wrong}

    assert found["broken.py can be read"] == "ModuleNotFoundError: No module named 'clickstream.nothing'"


def test_pages_and_sections_that_a_fix_names_are_there() -> None:
    sources = (ROOT / "plugins" / "clickstream" / "config_check").glob("*.py")
    named = re.findall(r"(docs/[\w/-]+\.md)(?:, '([^']+)')?", "".join(path.read_text() for path in sources))

    assert named
    for page, section in named:
        text = (ROOT / page).read_text(encoding="utf-8")
        assert not section or re.search(rf"^#+ {re.escape(section)}$", text, re.MULTILINE), (page, section)
