"""Strict JSON that keeps every number as it was written."""

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NoReturn

MAX_DEPTH = 200
MAX_DIGITS = 2000
_INTEGER = re.compile(r"-?[0-9]+")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Number:
    """A JSON number as its literal: `1.10` stays `1.10`, and 2,000 digits are no problem."""

    literal: str

    @property
    def text(self) -> str:
        """The text of the number in a text column: an integer as it is, any other number in its shortest form."""
        if not self.is_double:
            return "0" if self._written_out == "-0" else self._written_out
        shortest = repr(float(self.literal) + 0.0)  # of -0.0, 0.0
        return self.literal if shortest.endswith("inf") else shortest

    @property
    def is_double(self) -> bool:
        """Whether it has a fraction or an exponent once it is written out: 12e0 is 12."""
        return not _INTEGER.fullmatch(self._written_out)

    @property
    def is_rounded(self) -> bool:
        """Whether it is kept as a double, and too great for that to tell which whole number it was."""
        return self.is_double and 2**53 <= abs(float(self.literal)) < float("inf")

    @property
    def _written_out(self) -> str:
        return str(Decimal(self.literal))


class TooDeepError(ValueError):
    """JSON text nested deeper than anything here reads."""


class LongNumberError(ValueError):
    """A number with more digits in a row than anything here reads."""


def _number(literal: str) -> Number:
    if any(len(digits) > MAX_DIGITS for digits in re.split("[^0-9]", literal)):
        raise LongNumberError
    return Number(literal)


def read_json(text: str) -> Any:
    """The value of one JSON text. The last of duplicate keys wins; NaN, Infinity and a byte order mark are no JSON.

    Numbers become Number, everything else what the json module makes of it. Raises ValueError, of
    these TooDeepError beyond 200 levels and LongNumberError beyond 2,000 digits in a row.
    """
    if depth(text) > MAX_DEPTH:
        raise TooDeepError
    return _DECODER.decode(text)


def depth(text: str) -> int:
    """Deepest nesting of objects and arrays; `{}` and `[]` have depth 1, brackets inside strings do not count."""
    level = deepest = 0
    for character in _STRING.sub("", text):
        level += (character in "{[") - (character in "}]")
        deepest = max(deepest, level)
    return deepest


def objects_in_a_row(text: str) -> int:
    """How many JSON objects `text` is made of, written one after another; 0 when it is anything else as well."""
    position = count = 0
    while position < len(text):
        if text[position] in " \t\r\n":
            position += 1
            continue
        try:
            value, position = _DECODER.raw_decode(text, position)
        except ValueError:
            return 0
        if not isinstance(value, dict):
            return 0
        count += 1
    return count


def write_json(value: Any) -> str:
    """JSON text of a value of `read_json`, number literals as they were."""
    if isinstance(value, Number):
        return value.literal
    if isinstance(value, dict):
        return "{" + ",".join(f"{write_json(key)}:{write_json(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(write_json, value)) + "]"
    return json.dumps(whole_characters(value) if isinstance(value, str) else value, ensure_ascii=False)


def whole_characters(text: str) -> str:
    """Half of a surrogate pair, which JSON can spell and UTF-8 cannot, becomes a question mark."""
    return _SURROGATE.sub("?", text)


def same_number(expected: str, actual: str) -> bool:
    """Equal in value. Other than for integers of 64 bits, equal as doubles is enough: SQL engines keep no more."""
    exact = Decimal(expected)
    if exact == Decimal(actual):
        return True
    if _INTEGER.fullmatch(expected) and exact.adjusted() < 19 and -(2**63) <= exact < 2**63:
        return False
    double = float(expected)
    return double == float(actual) and abs(double) != float("inf")


def same_json(expected: Any, actual: Any) -> bool:
    """Equal as JSON: the order of keys does not matter, that of items does; numbers as in `same_number`.

    A number that no double holds, such as 1e400, is kept as the string "Infinity" or "-Infinity".
    """
    if isinstance(expected, Number) and isinstance(actual, str):
        return {float("inf"): "Infinity", float("-inf"): "-Infinity"}.get(float(expected.literal)) == actual
    if isinstance(expected, Number) and isinstance(actual, Number):
        return same_number(expected.literal, actual.literal)
    if isinstance(expected, dict) and isinstance(actual, dict):
        return expected.keys() == actual.keys() and all(same_json(expected[key], actual[key]) for key in expected)
    if isinstance(expected, list) and isinstance(actual, list):
        return len(expected) == len(actual) and all(map(same_json, expected, actual))
    return type(expected) is type(actual) and bool(expected == actual)


def _refuse(literal: str) -> NoReturn:
    raise ValueError(f"{literal} is no JSON")


_DECODER = json.JSONDecoder(parse_int=_number, parse_float=_number, parse_constant=_refuse)
