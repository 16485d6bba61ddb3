"""Long lines on which a careless reader spends the time of their length squared."""

from collections.abc import Iterator

import pytest

from local.lake.machine import Machine, scratch_lake
from local.lake.scratch import ScratchLake

SIZE = 500_000
HEAD = '{"messageId":"m-%s","type":"track","event":"Probe","receivedAt":"2026-11-28T12:00:00.000Z",%s}'


def filled(piece: str) -> str:
    """A piece again and again, SIZE characters in all."""
    return piece * (SIZE // len(piece))


def messages() -> Iterator[tuple[str, str]]:
    """Members of a message that is JSON, by name."""
    digits, exponents = filled("9"), filled("1e99999999999,")[:-1]
    yield "digits", f'"properties":{{"n":{digits}}}'
    yield "digits_of_a_fraction", f'"properties":{{"n":0.{digits}}}'
    yield "digits_in_a_string", f'"event":"{digits}","properties":{{"n":"{digits}"}}'
    yield "digits_in_json_in_a_string", f'"context":"{{\\"n\\":{digits}}}","properties":"{{\\"n\\":{digits}}}"'
    yield "many_long_numbers", f'"properties":[{filled("9" * 1999 + ",")[:-1]}]'
    yield "exponents", f'"properties":[{exponents}]'
    yield "exponents_in_json_in_a_string", f'"context":"{{\\"n\\":[{exponents}]}}"'
    yield "escapes", f'"properties":{{"a":"{filled(chr(92) + "u0001")}"}}'
    yield "quotes", f'"context":"{filled(chr(92) + chr(34))}"'
    yield "keys", f'"context":{{{",".join(f"{chr(34)}k{n}{chr(34)}:{n}" for n in range(SIZE // 13))}}}'
    yield "keys_of_the_message", ",".join(f'"k{n}":{n}' for n in range(SIZE // 13))
    yield "an_instant", f'"timestamp":"2026-11-28T12:00:00.{digits}Z"'
    yield "a_device_of_brackets", f'"context":{{"device":{{"id":"{filled(":{")}"}}}}'
    yield "words_in_the_name", f'"event":"{filled("aB ")}"'
    yield "marks_in_the_name", f'"event":"{filled("_")}","type":"{filled(" ")}"'


def texts() -> Iterator[tuple[str, str]]:
    """Lines that are no JSON, by name."""
    yield "open_arrays", filled("[")
    yield "open_objects", filled('{"a":')
    yield "a_string_without_an_end", "[" * 300 + '"' + filled('\\"')
    yield "strings_without_an_end", "[" * 300 + filled('"\\')
    yield "brackets_in_strings", "[" * 300 + filled('["')
    yield "pairs_of_brackets", filled("[]")
    yield "objects_side_by_side", filled("{} ")
    yield "ends_and_spaces", filled("}" + " " * 1000)
    yield "exponents_and_no_end", filled("1e99999999999")
    yield "white_space", filled(" ")


LINES = {name: HEAD % (name, members) for name, members in messages()} | dict(texts())


@pytest.mark.promise("P9")
@pytest.mark.scenario("X36")
def test_time_grows_with_the_length_of_a_line_and_not_with_its_square(machine: Machine) -> None:
    """All of them beside as many plain lines: one that took the time of its square would cost a hundred times more."""
    lake = scratch_lake(machine)
    plain = [HEAD % (f"plain-{name}", f'"properties":{{"a":"{filled("a")}"}}') for name in LINES]

    spent = {name: cpu_ms(lake, name, lines) for name, lines in (("plain", plain), ("hostile", list(LINES.values())))}

    assert spent["hostile"] < 20 * spent["plain"]
    reasons = {row["reject_reason"] for row in lake.query(f"select reject_reason from {lake.t.batch('hostile')}")}
    assert reasons == {None, "not_json", "number_too_long", "too_deep", "blank", "missing_newline"}


@pytest.mark.promise("P9")
@pytest.mark.scenario("X36")
@pytest.mark.slow
def test_no_kind_of_line_costs_many_plain_ones(machine: Machine) -> None:
    """Each alone, so that the cheap ones do not pay for it; one of the square of its length would cost a thousand."""
    lake = scratch_lake(machine)
    plain = [HEAD % (n, f'"properties":{{"a":"{filled("a")}"}}') for n in range(3)]
    allowed = 30 * max(cpu_ms(lake, f"plain-{n}", [line]) for n, line in enumerate(plain))

    spent = {name: cpu_ms(lake, name, [line]) for name, line in LINES.items()}

    assert {name: ms for name, ms in spent.items() if ms > allowed} == {}


def cpu_ms(lake: ScratchLake, run_id: str, lines: list[str]) -> int:
    """What it costs to read these lines into a batch."""
    lake.stage(f"20261128T120000000Z-{run_id}.ndjson", "".join(f"{line}\n" for line in lines).encode())
    taken = lake.take(run_id).only(lambda item: item.path.endswith(f"Z-{run_id}.ndjson"))
    lake.unpack(run_id, taken)
    cost = lake.last["work/batch/load.sql"].cpu_ms
    assert cost is not None
    return cost
