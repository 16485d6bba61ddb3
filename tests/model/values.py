"""Rules that make one column value of one JSON value. A value that does not fit gives None: one bad value, one NULL."""

import re
import unicodedata
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.model.json_text import Number, read_json, whole_characters, write_json

# The Unicode property White_Space.
WHITE_SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_INSTANT = re.compile(
    r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})[T ]"
    r"(?P<time>[0-9]{2}:[0-9]{2})(:(?P<second>[0-9]{2})(\.(?P<fraction>[0-9]+))?)?"
    r"(Z|(?P<sign>[+-])(?P<hours>[0-9]{2})(:?(?P<minutes>[0-9]{2}))?)?"
)
_MAX_OFFSET = timedelta(hours=14)


class NumberText(str):
    """Text of what was sent as a JSON number; any text of an equal number is as good."""

    __slots__ = ()


class JsonText(str):
    """JSON text; any text of an equal JSON value is as good."""

    __slots__ = ()


def text(value: Any) -> str | None:
    """A string as it is, a number or boolean as its JSON text; nothing for an object, an array or null."""
    if isinstance(value, str):
        return whole_characters(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return NumberText(value.text) if isinstance(value, Number) else None


def boolean(value: Any) -> bool | None:
    """true and false, or the strings of these words in any case, without spaces around."""
    if isinstance(value, str):
        return {"true": True, "false": False}.get(lower(value))
    return value if isinstance(value, bool) else None


def double(value: Any) -> float | None:
    """A finite number, or a string that spells one: digits, optional minus, fraction and exponent, nothing around."""
    literal = value.literal if isinstance(value, Number) else value
    if not isinstance(literal, str) or not _NUMBER.fullmatch(literal):
        return None
    number = float(literal)
    return None if number in (float("inf"), float("-inf")) else number


def json_text(value: Any) -> JsonText | None:
    """Whatever was sent, as JSON text; nothing for null."""
    return None if value is None else JsonText(write_json(value))


def opened(value: Any) -> Any:
    """A string that holds one JSON object is that object, one level deep; anything else is itself."""
    if isinstance(value, str):
        try:
            inner = read_json(value)
        except ValueError:
            return value
        return inner if isinstance(inner, dict) else value
    return value


def instant(value: Any) -> datetime | None:
    """ISO 8601 date and time in a string, as UTC with microseconds.

    `YYYY-MM-DD`, `T` or one space, `hh:mm[:ss[.fraction]]`, then `Z`, `+hh:mm`, `+hhmm`, `+hh` (up to 14 hours)
    or nothing, which means UTC. A fraction is cut after six digits. Second 60 is second 0 of the next minute. Years 2
    to 9998 as sent, so that UTC has them too. Anything else is nothing: numbers, hour 24, a date alone, spaces around.
    """
    match = _INSTANT.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    offset = timedelta(hours=int(match["hours"] or 0), minutes=int(match["minutes"] or 0))
    seconds = int(match["second"] or 0)
    if int(match["minutes"] or 0) > 59 or offset > _MAX_OFFSET or seconds > 60:
        return None
    if not 2 <= int(match["date"][:4]) <= 9998:
        return None
    try:
        minute = datetime.strptime(f"{match['date']} {match['time']}", "%Y-%m-%d %H:%M").replace(tzinfo=UTC)
        microseconds = int((match["fraction"] or "")[:6].ljust(6, "0"))
        at = minute + timedelta(seconds=seconds, microseconds=microseconds)
        return at + offset if match["sign"] == "-" else at - offset
    except ValueError:
        return None


def lower(string: str) -> str:
    """Each character's simple lower case, whatever stands around it (no final sigma)."""
    return "".join(character.lower()[0] for character in string)


def slug(name: str | None) -> str | None:
    """An event's name as an identifier that keeps the letters of every script.

    A word begins at an upper-case letter after a lower-case letter or digit, and at the last of several upper-case
    letters when a lower-case letter follows (`URLPath` has two words). Lower case. Every run of characters other than
    letters, marks and decimal digits is one `_`, none at the ends. Variation selectors, which only pick the look of an
    emoji, and enclosing marks are no marks here. Nothing when nothing is left.
    """
    name = name or ""
    categories = ["", *map(unicodedata.category, name), ""]
    pieces: list[str] = []
    for character, before, this, after in zip(name, categories, categories[1:], categories[2:], strict=False):
        if this == "Lu" and (before in ("Ll", "Nd") or (before == "Lu" and after == "Ll")):
            pieces.append("_")
        is_kept = (this[0] == "L" or this in ("Mn", "Mc", "Nd")) and not "\ufe00" <= character <= "\ufe0f"
        pieces.append(lower(character) if is_kept else "_")
    return re.sub("_+", "_", "".join(pieces)).strip("_") or None
