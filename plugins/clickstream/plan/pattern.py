r"""The patterns of the tracking plan: a part of ECMA-262's regular expressions, as its flag `u` reads them.

A pattern is read here, judged by how long it can run (pattern_cost), and rewritten for Trino. How each construct is
written follows from what Trino 483 does with it, through its library Joni:

- `^` and `$`: as `\A` and `\z`. Joni's own `$` is true before a last line feed as well.
- `.`, `\d`, `\w`, `\s`: as classes of ECMA-262's ranges, where Joni's own differ (`.` reads U+2028, for one).
- `\p{L}`: as the ranges of `unicodedata`. Joni's are those of Unicode 6.1, and lack 30,000 letters and newer emoji.
- An ASCII character that is no letter or digit: as `\x{..}`, in classes too, so that `[`, `&&` and `-` mean themselves.
- Groups: as `(?:...)`. A lazy repeat: as a greedy one, which matches the same texts.
- What matches the end of any text, such as `a?$`: as the empty pattern. Joni may miss that match after a character of
  several bytes.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from itertools import groupby, pairwise

from clickstream.plan.pattern_cost import (
    Anchor,
    Chars,
    Choice,
    Node,
    Ranges,
    Repeat,
    Series,
    TooAmbiguousError,
    check_cost,
)

LONGEST_PATTERN = 1_000
LONGEST_FOR_TRINO = 10_000
"""A class such as \\p{L} takes some 1,700 characters, and 200 rules travel in one text."""
MOST_REPEATS = 1_000
"""What RE2J allows, counts inside counts multiplied."""
DEEPEST = 50

_LAST = 0x10FFFF
_SURROGATES = (0xD800, 0xDFFF)
_DIGITS = ((0x30, 0x39),)
_WORD = ((0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A))
# https://tc39.es/ecma262/#sec-white-space and #sec-line-terminators
_SPACE = (
    (0x09, 0x0D), (0x20, 0x20), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029), (0x202F, 0x202F),
    (0x205F, 0x205F), (0x3000, 0x3000), (0xFEFF, 0xFEFF),
)  # fmt: skip
_LINE_ENDS = ((0x0A, 0x0A), (0x0D, 0x0D), (0x2028, 0x2029))
_CONTROLS = {"n": 0x0A, "t": 0x09, "r": 0x0D, "f": 0x0C, "v": 0x0B}
_CATEGORIES = re.compile("L[ultmo]?|M[nce]?|N[dlo]?|P[cdseifo]?|S[mcko]?|Z[slp]?|Cc")
_COUNTS = re.compile(r"\{([0-9]+)(,([0-9]*))?\}")
_NAME = re.compile(r"[A-Za-z_$][0-9A-Za-z_$]*(?=>)")

_ESCAPES_NOT_READ = {
    "b": r"word boundaries are not read: write what may stand there, such as (?:^|[^0-9A-Za-z_])",
    "B": r"word boundaries are not read: write what may stand there, such as [0-9A-Za-z_]",
    "A": "write ^, the beginning of the text",
    "z": "write $, the end of the text",
    "Z": "write $, the end of the text",
    "k": "it refers back to a group, which is not read: write the texts that may stand there",
    "a": r"write \x07",
    "e": r"write \x1b",
    "h": r"write [\t ] or [0-9A-Fa-f], whichever is meant",
    "c": r"write the character as \x and two digits",
}
_GROUPS_NOT_READ = {
    "?P<": "a named group is written (?<name>...), not (?P<name>...)",
    "?P": "this is of Python only, and refers back to a group: write the texts that may stand there",
    "?=": "looking ahead is not read: write what follows as part of the pattern",
    "?!": "looking ahead is not read: write which characters may follow, such as [^x]",
    "?<=": "looking behind is not read: write what stands before as part of the pattern",
    "?<!": "looking behind is not read: write which characters may stand before, such as [^x]",
    "?>": "an atomic group is not read: write (?:...)",
    "?#": "comments are not read: take it out",
    "?": "flags and other special groups are not read: write (?:...), and both cases of a letter as [aA]",
}


class PatternError(ValueError):
    """A pattern that is not read or may run too long; one line with place, reason and what to write."""


@dataclass(frozen=True)
class Pattern:
    """A pattern that has been read."""

    text: str
    node: Node

    @cached_property
    def for_trino(self) -> str:
        """The text that Trino's regexp_like gets: it is true for the texts that ECMA-262 says match."""
        return "" if _can_be_empty(self.node, but="^") else _written(self.node)


@lru_cache(maxsize=1024)
def parse_pattern(text: str) -> Pattern:
    """Return the pattern in `text`. Raises PatternError."""
    if len(text) > LONGEST_PATTERN:
        raise PatternError(f"it has {len(text):,} characters, and {LONGEST_PATTERN:,} are allowed: write it shorter")
    pattern = Pattern(text, _Parser(text).pattern())
    if len(pattern.for_trino) > LONGEST_FOR_TRINO:
        raise PatternError(r"its classes are too many ranges together: write fewer of the kind \p{L} or [^\p{L}]")
    try:
        check_cost(pattern.node)
    except TooAmbiguousError as error:
        raise PatternError(str(error)) from None
    return pattern


class _Parser:
    """Recursive descent over ECMA-262's grammar (https://tc39.es/ecma262/#sec-patterns); `at` is the next character."""

    def __init__(self, text: str) -> None:
        self.text, self.at, self.depth = text, 0, 0
        self.names: set[str] = set()

    def pattern(self) -> Node:
        node = self.choice()
        if self.at < len(self.text):
            raise self.error(self.at, r"no group is open here: write \)")
        return node

    def error(self, at: int, reason: str) -> PatternError:
        return PatternError(f"character {at + 1}: {reason}")

    def next_is(self, *texts: str) -> bool:
        return self.text.startswith(texts, self.at)

    def take(self, text: str) -> bool:
        found = self.next_is(text)
        self.at += len(text) if found else 0
        return found

    def choice(self) -> Node:
        options = [self.series()]
        while self.take("|"):
            options.append(self.series())
        return options[0] if len(options) == 1 else Choice(tuple(options))

    def series(self) -> Node:
        parts: list[Node] = []
        while self.at < len(self.text) and not self.next_is("|", ")"):
            parts.append(self.term())
        return Series(tuple(parts))

    def term(self) -> Node:
        start = self.at
        if self.next_is("^", "$"):
            self.at += 1
            if self.next_is("*", "+", "?", "{"):
                raise self.error(self.at, f"{self.text[start]} cannot be repeated: take the repeat out")
            return Anchor(self.text[start])
        return self.repeated(start, self.atom(start))

    def atom(self, start: int) -> Node:
        char = self.text[start]
        self.at += 1
        match char:
            case "(":
                return self.group(start)
            case "[":
                return self.char_class(start)
            case ".":
                return self.chars(start, _complement(_LINE_ENDS))
            case "\\":
                return self.chars(start, self.escape(start))
            case "*" | "+" | "?":
                raise self.error(start, rf"nothing stands here that could be repeated: write \{char}")
            case "{" | "}" | "]":
                raise self.error(start, rf"a {char} that means itself is written \{char}")
        return self.chars(start, self.one(start))

    def chars(self, start: int, ranges: Ranges) -> Chars:
        if not ranges:
            raise self.error(start, "no character can stand here: write which ones may")
        return Chars(ranges, start + 1)

    def one(self, start: int) -> Ranges:
        """Return the literal character at `start`."""
        return self.code(start, ord(self.text[start]))

    def code(self, start: int, code: int) -> Ranges:
        if code > _LAST or _SURROGATES[0] <= code <= _SURROGATES[1]:
            raise self.error(start, r"this is no character by itself: write it as \u{...} with its whole number")
        return ((code, code),)

    def group(self, start: int) -> Node:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.error(start, f"more than {DEEPEST} groups inside each other: write fewer")
        if self.next_is("?") and not self.take("?:"):
            self.group_name(start)
        node = self.choice()
        if not self.take(")"):
            raise self.error(start, r"this group is never closed: add ), or write \( for the character")
        self.depth -= 1
        return node

    def group_name(self, start: int) -> None:
        found = _NAME.match(self.text, self.at + 2) if self.next_is("?<") else None
        if found is None:
            reason = next(why for begin, why in _GROUPS_NOT_READ.items() if self.next_is(begin))
            raise self.error(start, reason)
        if found[0] in self.names:
            raise self.error(start, f"two groups have the name {found[0]}: give one of them another")
        self.names.add(found[0])
        self.at = found.end() + 1

    def repeated(self, start: int, body: Node) -> Node:
        at = self.at
        low, high = self.counts()
        if self.at == at:
            return body
        self.take("?")
        if self.next_is("*", "+", "?", "{"):
            raise self.error(
                self.at, "a repeat of a repeat is not read: take one out, or write (?:...) around the first"
            )
        if high is not None and high < low:
            raise self.error(at, f"the counts are in the wrong order: write {{{high},{low}}}")
        if max(low, high or 0) * _most_repeats(body) > MOST_REPEATS:
            raise self.error(at, f"more than {MOST_REPEATS:,} repeats together: write smaller counts, or + or *")
        if high not in {0, 1} and _can_be_empty(body):
            raise self.error(
                start, "what is repeated here can be empty: write it so that it reads a character, as (a+)* for (a*)*"
            )
        return Repeat(body, low, high, start + 1)

    def counts(self) -> tuple[int, int | None]:
        """Return how often what stands before is repeated: at least, and at most."""
        for sign, counts in {"*": (0, None), "+": (1, None), "?": (0, 1)}.items():
            if self.take(sign):
                return counts
        found = _COUNTS.match(self.text, self.at)
        if found is None:
            return 1, 1
        self.at = found.end()
        low = int(found[1])
        return low, low if found[2] is None else int(found[3]) if found[3] else None

    def char_class(self, start: int) -> Chars:
        negated = self.take("^")
        if self.next_is("]"):
            raise self.error(
                start, r"an empty class is read in different ways: write [\s\S] for any character, \] for ]"
            )
        found: list[tuple[int, int]] = []
        while not self.take("]"):
            first = self.class_atom(start)
            at = self.at
            if self.next_is("-") and not self.next_is("-]") and self.at + 1 < len(self.text):
                self.at += 1
                first = self.class_range(at, first, self.class_atom(start))
            found.extend(first)
        ranges = _merged(found)
        return self.chars(start, _complement(ranges) if negated else ranges)

    def class_range(self, at: int, first: Ranges, last: Ranges) -> Ranges:
        (low, end), (begin, high) = first[0], last[-1]
        if low != end or begin != high or len(first) + len(last) > 2:
            raise self.error(at, r"no range can begin or end with a class: write \- for the character")
        if low > high:
            raise self.error(
                at, r"the range is in the wrong order: write its smaller character first, or \- for the character"
            )
        return _without_surrogates(((low, high),))

    def class_atom(self, start: int) -> Ranges:
        if self.at >= len(self.text):
            raise self.error(start, r"this class is never closed: add ], or write \[ for the character")
        self.at += 1
        return self.escape(self.at - 1) if self.text[self.at - 1] == "\\" else self.one(self.at - 1)

    def escape(self, start: int) -> Ranges:
        """Return what the escape whose backslash is at `start` stands for."""
        char = self.text[self.at : self.at + 1]
        self.at += 1
        if char in _CONTROLS:
            return self.code(start, _CONTROLS[char])
        if char and char.lower() in "dws":
            ranges: Ranges = {"d": _DIGITS, "w": _WORD, "s": _SPACE}[char.lower()]
            return ranges if char.islower() else _complement(ranges)
        if char and char in "pP":
            ranges = self.category(start)
            return ranges if char == "p" else _complement(ranges)
        if char and char in "xu":
            return self.code(start, self.number(start, char))
        if char == "0" and not self.text[self.at : self.at + 1].isdigit():
            return self.code(start, 0)
        if char and " " <= char <= "~" and not char.isalnum():
            return self.code(start, ord(char))
        raise self.error(start, f"\\{char} is not read: {self.instead_of(char)}")

    @staticmethod
    def instead_of(char: str) -> str:
        if char and char in "0123456789":
            return "it refers back to a group, or is an octal number: write the texts that may stand there"
        return _ESCAPES_NOT_READ.get(char, r"write the character alone, or \\ for a backslash")

    def number(self, start: int, kind: str) -> int:
        """Return the number of an escape that begins with this letter; two halves of a character are one."""
        form = r"[0-9A-Fa-f]{2}" if kind == "x" else r"[0-9A-Fa-f]{4}|\{[0-9A-Fa-f]{1,6}\}"
        found = re.compile(form).match(self.text, self.at)
        if found is None:
            raise self.error(
                start, rf"\{kind} needs its digits: write \xHH, \uHHHH or \u{{H...}} with hexadecimal digits H"
            )
        self.at = found.end()
        code = int(found[0].strip("{}"), 16)
        half = re.compile(r"\\u([Dd][C-Fc-f][0-9A-Fa-f]{2})").match(self.text, self.at)
        if 0xD800 <= code <= 0xDBFF and half and found[0][0] != "{":
            self.at = half.end()
            return 0x10000 + ((code - 0xD800) << 10) + int(half[1], 16) - 0xDC00
        return code

    def category(self, start: int) -> Ranges:
        found = re.compile(r"\{([^}]*)\}").match(self.text, self.at)
        name = found[1] if found else ""
        if found is None or not _CATEGORIES.fullmatch(name):
            raise self.error(
                start,
                rf"\p reads the short names of general categories, such as \p{{L}} or \p{{Nd}}, not {name!r}: "
                "write one of them, or the ranges, such as [가-힣]",
            )
        self.at = found.end()
        return _category(name)


def _can_be_empty(node: Node, but: str = "") -> bool:
    """Return whether it can match without a character, and without the anchor `but`."""
    match node:
        case Series(parts):
            return all(_can_be_empty(part, but) for part in parts)
        case Choice(options):
            return any(_can_be_empty(option, but) for option in options)
        case Repeat(body, low):
            return low == 0 or _can_be_empty(body, but)
        case Anchor(sign):
            return sign != but
    return False


def _most_repeats(node: Node) -> int:
    """Return the most that counts inside the node multiply to."""
    match node:
        case Series(parts) | Choice(parts):
            return max(map(_most_repeats, parts), default=1)
        case Repeat(body, low, high):
            return max(low, high or 0, 1) * _most_repeats(body)
    return 1


def _merged(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """Return the same characters in ranges that are sorted and do not touch."""
    merged: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return tuple(merged)


def _complement(ranges: Ranges) -> Ranges:
    """Return all other characters; `ranges` as _merged returns them."""
    edges = [(-1, -1), *_merged([*ranges, _SURROGATES]), (_LAST + 1, _LAST + 1)]
    return tuple((before + 1, after - 1) for (_, before), (after, _) in pairwise(edges) if before + 1 < after)


def _without_surrogates(ranges: Ranges) -> Ranges:
    return _complement(_complement(ranges))


@cache
def _categories() -> dict[str, list[tuple[int, int]]]:
    """Return the ranges of each two-letter category. The omitted planes have no characters, or private ones."""
    found: dict[str, list[tuple[int, int]]] = {}
    for plane in (0, 1, 2, 3, 14):
        code = plane << 16
        for name, run in groupby(map(unicodedata.category, map(chr, range(code, code + 0x10000)))):
            length = len(list(run))
            found.setdefault(name, []).append((code, code + length - 1))
            code += length
    return found


@cache
def _category(name: str) -> Ranges:
    return _merged(one for full, ranges in _categories().items() if full.startswith(name) for one in ranges)


def _written(node: Node) -> str:
    match node:
        case Chars(ranges):
            return _written_class(ranges)
        case Anchor(sign):
            return r"\A" if sign == "^" else r"\z"
        case Series(parts):
            return "".join(f"(?:{_written(part)})" if isinstance(part, Choice) else _written(part) for part in parts)
        case Choice(options):
            return "|".join(map(_written, options))
        case Repeat(body, low, high):
            inner = _written(body) if isinstance(body, Chars) else f"(?:{_written(body)})"
            return inner + _written_counts(low, high)
    raise TypeError(node)


def _written_counts(low: int, high: int | None) -> str:
    signs = {(0, None): "*", (1, None): "+", (0, 1): "?"}
    counts = f"{{{low}}}" if low == high else f"{{{low},{'' if high is None else high}}}"
    return signs.get((low, high), counts)


def _written_class(ranges: Ranges) -> str:
    """Return a class of these characters; the shorter of itself and of all others, negated."""
    if len(ranges) == 1 and ranges[0][0] == ranges[0][1]:
        return _written_char(ranges[0][0])
    others = _complement(ranges)
    if others and len(others) < len(ranges):
        return f"[^{_written_ranges(others)}]"
    return f"[{_written_ranges(ranges)}]"


def _written_ranges(ranges: Sequence[tuple[int, int]]) -> str:
    return "".join(
        _written_char(low) if low == high else f"{_written_char(low)}-{_written_char(high)}" for low, high in ranges
    )


def _written_char(code: int) -> str:
    char = chr(code)
    plain = char.isalnum() if code < 0x80 else char.isprintable()
    return char if plain else f"\\x{{{code:X}}}"
