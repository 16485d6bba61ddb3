"""How the rules of many events are divided into statements that Trino takes."""

import json

from hypothesis import given
from hypothesis import strategies as st

from clickstream.plan.event import Event
from clickstream.plan.typed_tables import RULES_A_STATEMENT, rule_pieces, rule_statements


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


def test_long_rules_take_several_pieces() -> None:
    """A pattern with a category of Unicode is some thousand bytes of ranges."""
    names = {f"name_{number}": {"type": "string", "pattern": r"^\p{L}+$"} for number in range(150)}

    pieces = rule_pieces([Event("Probe", {"properties": names})])

    assert len(pieces) > 1
    assert all(len(piece.encode()) <= RULES_A_STATEMENT + 2 * len(names) for piece in pieces)
    assert [row["property"] for piece in pieces for row in json.loads(piece)] == ["", *names]
