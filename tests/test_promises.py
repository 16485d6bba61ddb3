"""The table of promises says what the markers say, and leaves no row empty without a reason."""

from pathlib import Path

import pytest

from tests.promises import PAGE, TESTS, Proof, page, proofs_of, read_texts

MODULE = """
import pytest

pytestmark = pytest.mark.promise("P9")

@pytest.mark.scenario("X1", "X2")
@pytest.mark.slow
def test_slow(): ...

@pytest.mark.parametrize("a", [pytest.param(1, marks=pytest.mark.scenario("X3")), 2])
def test_quick(a): ...

@pytest.mark.scenario("X4")
def no_test(): ...
"""
TEXTS = {"promises": {"P1": "One."}, "scenarios": {"X1": "Two."}, "untested": {}}


def test_the_page_is_that_of_the_markers() -> None:
    wanted = page(read_texts(), proofs_of(TESTS))

    assert PAGE.read_text(encoding="utf-8") == wanted, "run: make docs"


def test_all_of_p1_to_p12_and_x1_to_x59_are_there() -> None:
    texts = read_texts()

    assert list(texts["promises"]) == [f"P{number}" for number in range(1, 13)]
    assert list(texts["scenarios"]) == [f"X{number}" for number in range(1, 60)]


def test_marks_of_function_module_and_parameter_count(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_one.py").write_text(MODULE)

    slow, quick = Proof("tests/test_one.py", "test_slow", is_slow=True), Proof("tests/test_one.py", "test_quick")
    assert proofs_of(tmp_path / "tests") == {"P9": [slow, quick], "X1": [slow], "X2": [slow], "X3": [quick]}


@pytest.mark.parametrize(
    ("proofs", "untested", "said"),
    [
        ({"P1": [Proof("f", "t")]}, {}, "X1: no test, and no reason"),
        ({"P1": [Proof("f", "t")], "X1": [Proof("f", "t")]}, {"X1": "Not built."}, "X1: has a test, so take"),
        ({"X7": [Proof("f", "t")]}, {"P1": "-", "X1": "-"}, "no text in promises.yaml for X7"),
    ],
    ids=["empty", "stale reason", "unknown"],
)
def test_a_faulty_table_is_refused(proofs: dict[str, list[Proof]], untested: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        page(TEXTS | {"untested": untested}, proofs)


def test_a_row_shows_its_tests_or_its_reason() -> None:
    text = page(TEXTS | {"untested": {"X1": "Not built."}}, {"P1": [Proof("b", "t", is_slow=True), Proof("a", "t")]})

    assert "- **P1** One.\n  - `a::t`\n  - `b::t` (slow)\n" in text
    assert "- **X1** Two.\n  - none: Not built.\n" in text
