"""A whole number is stored as it was sent or not at all: near the greatest that a double holds, and that 64 bits hold.

The model, which reads literals and shares no code, says what the tables must have.
"""

import itertools
from collections import Counter
from collections.abc import Iterator

import pytest

from local.lake.scratch import ScratchLake
from tests.sql.test_typed_events import differences, plan_of, stage

PLAN = """
version: 1
events:
  Number Sent:
    description: A number in every place that a column can have it from.
    owner: o
    status: live
    sources: [s]
    properties:
      whole: {type: integer}
      spelled: {type: integer}
      amount: {column: {type: "decimal(38,2)"}}
      word: {type: string, column: {type: varchar}}
      share: {type: number}
      listed: {type: array, column: {type: "array(bigint)"}}
      lines: {type: array, column: {type: "array(row(count bigint, sku varchar, price double))"}}
"""
EDGES = [0, 1, 10**15, 2**52, 2**52 + 1, 2**53 - 1, 2**53, 2**53 + 1, 2**53 + 2, 10**18, 2**63 - 1, 2**63, 10**22]
FORMS = ["{}", "{}.0", "{}.000", "{}.5", "{}e0", "{}E+1", "{}0e-1", "{}e-1"]


def literals() -> Iterator[str]:
    """Every edge in every form, with both signs; 00 is no JSON."""
    for sign, edge, form in itertools.product(("", "-"), EDGES, FORMS):
        if not form.format(edge).startswith("00"):
            yield sign + form.format(edge)


def message(number: int, sent: str) -> bytes:
    inside = f'"whole":{sent},"spelled":"{sent}","amount":{sent},"word":{sent},"share":{sent},"listed":[null,{sent}]'
    lines = f'"lines":[{{"count":{sent},"sku":{sent},"price":{sent}}}]'
    return (
        f'{{"messageId":"m{number}","type":"track","event":"Number Sent","receivedAt":"2026-11-24T01:00:00Z",'
        f'"userId":{sent},"groupId":"{sent}","context":{{"ip":{sent},"device":{{"id":{sent},"model":"{sent}"}},'
        f'"screen":{{"width":{sent}}}}},"properties":{{{inside},{lines}}}}}\n'
    ).encode()


@pytest.mark.promise("P9")
def test_no_place_has_another_number_than_was_sent(lake: ScratchLake) -> None:
    sent = sorted(set(literals()))
    body = b"".join(message(number, one) for number, one in enumerate(sent))
    files = [stage(lake, body)]

    report = lake.load("run-1", plan=plan_of(PLAN))

    assert report.adds_up
    assert differences(lake, PLAN, files) == []
    # By hand: up to 2^53 - 1 also with a fraction of zeros; from 2^53 on as digits and with the exponent 0 alone.
    table = lake.t.typed("number_sent")
    rows = lake.query(f"select whole from {table} where whole between 9007199254740990 and 9007199254740995")
    assert Counter(row["whole"] for row in rows) == {2**53 - 1: 5, 2**53: 2, 2**53 + 1: 2, 2**53 + 2: 2}
