"""Names of the objects that Firehose writes (pure).

Source: "Amazon S3 object name format" and "Custom prefixes for Amazon S3 objects" of the Firehose developer
guide. Letters of Java's DateTimeFormatter other than y, M, d, H, m, s, S and quoted text are refused.
"""

import re
import secrets
import string
from datetime import datetime
from zoneinfo import ZoneInfo

DEFAULT_TIME = "!{timestamp:yyyy/MM/dd/HH/}"
_EXPRESSION = re.compile(r"!\{(\w+):([^}]*)\}")
_PATTERN_PART = re.compile(r"'([^']*)'|([A-Za-z])\2*|[^A-Za-z']+")


def delivery_prefix(prefix: str, when: datetime, time_zone: str = "UTC") -> str:
    """Return the evaluated `Prefix`. One without an expression gets `yyyy/MM/dd/HH/`; no slash is added between."""
    if "!{" not in prefix:
        prefix += DEFAULT_TIME
    return _evaluate(prefix, when, time_zone, "")


def error_prefix(prefix: str, error_prefix: str, when: datetime, time_zone: str = "UTC") -> str:
    """Return the evaluated `ErrorOutputPrefix` for failed processing; default: processing-failed/ below `Prefix`."""
    template = error_prefix or f"{prefix}processing-failed/{DEFAULT_TIME}"
    return _evaluate(template, when, time_zone, "processing-failed")


def object_name(
    stream: str, version: int, when: datetime, unique: str, extension: str, *, time_zone: str = "UTC"
) -> str:
    """Return `<stream>-<version>-YYYY-MM-dd-HH-MM-SS-<uuid><extension>`; `when` is the oldest record's arrival."""
    local = when.astimezone(ZoneInfo(time_zone))
    return f"{stream}-{version}-{local:%Y-%m-%d-%H-%M-%S}-{unique}{extension}"


def _evaluate(template: str, when: datetime, time_zone: str, error_type: str) -> str:
    local = when.astimezone(ZoneInfo(time_zone))

    def value(match: re.Match[str]) -> str:
        namespace, argument = match.groups()
        if namespace == "timestamp":
            return format_java_time(argument, local)
        if (namespace, argument) == ("firehose", "error-output-type") and error_type:
            return error_type
        if (namespace, argument) == ("firehose", "random-string"):
            return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(11))
        raise ValueError(f"prefix expression {match.group(0)} is not done locally")

    return _EXPRESSION.sub(value, template)


def format_java_time(pattern: str, when: datetime) -> str:
    """Format `when` by a Java DateTimeFormatter pattern. Raises ValueError for a letter that is not known here."""
    return "".join(_format_part(match, when) for match in _PATTERN_PART.finditer(pattern))


def _format_part(match: re.Match[str], when: datetime) -> str:
    quoted, letter = match.groups()
    if quoted is not None:
        return quoted or "'"
    if letter is None:
        return match.group(0)
    width = len(match.group(0))
    if letter == "S":
        return f"{when.microsecond:06d}".ljust(width, "0")[:width]
    if letter == "y":
        return f"{when.year % 100:02d}" if width == 2 else f"{when.year:0{width}d}"
    fields = {"M": when.month, "d": when.day, "H": when.hour, "m": when.minute, "s": when.second}
    if letter not in fields or width > 2:
        raise ValueError(f"time pattern {match.group(0)} is not done locally")
    return f"{fields[letter]:0{width}d}"
