"""What a command does now: one line on a terminal, a line every few seconds in a file."""

import io

from rich.console import Console

from local.progress import EVERY, progress


def written(reports: list[tuple[float, str]], is_terminal: bool = False) -> str:
    """What is written when these texts are reported at these seconds."""
    now = [0.0]
    console = Console(file=io.StringIO(), force_terminal=is_terminal, width=80)
    with progress(console, lambda: now[0]) as report:
        for second, text in reports:
            now[0] = second
            report(text)
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_a_short_step_writes_nothing_into_a_file() -> None:
    assert written([(0.1, "a"), (EVERY - 0.1, "b")]) == ""


def test_a_long_step_writes_a_line_every_few_seconds() -> None:
    lines = written([(EVERY, "a"), (EVERY + 1, "b"), (3 * EVERY, "c")]).splitlines()

    assert [line.strip() for line in lines] == ["... a", "... c"]


def test_a_terminal_has_one_line_that_changes() -> None:
    text = written([(1, "a"), (2, "b")], is_terminal=True)

    assert "b" in text
    assert "..." not in text
    assert text.endswith("\x1b[1A\x1b[2K"), "the line is cleared"
