"""How the rules of many events are divided into statements that Trino takes."""

from hypothesis import given
from hypothesis import strategies as st

from clickstream.typed_events import rule_statements


@given(st.lists(st.text(max_size=9), min_size=1), st.integers(1, 12))
def test_every_piece_is_in_one_statement_in_order_and_none_is_longer_than_it_must(
    pieces: list[str], longest: int
) -> None:
    statements = rule_statements(pieces, longest)

    assert [piece for statement in statements for piece in statement] == pieces
    assert all(statements)
    assert all(sum(map(len, statement)) <= longest or len(statement) == 1 for statement in statements)


def test_as_many_as_fit_go_together() -> None:
    assert rule_statements(["aa", "b", "cc", "dddddd", "e"], 4) == [["aa", "b"], ["cc"], ["dddddd"], ["e"]]
