"""What a regular expression of ECMA-262 means, and how much an engine that backtracks tries.

For trees that are made here together with their text: no pattern is read, and nothing is shared with the pipeline.
"""

import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

from hypothesis import strategies as st

SPACE = "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2005\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
ALPHABET = "aaabbc-A9_.[]^&/{}\\ \n\r\0\x85\u200b\u2028\ufeffé\u0301가힣٣Ⅳ₽😀😁\U0010ffff"
"""Texts are made of these: what engines read in different ways, and a few letters that meet often."""

Test = Callable[[str], bool]


@dataclass(frozen=True)
class One:
    """One character that passes the test."""

    text: str
    test: Test


@dataclass(frozen=True)
class Edge:
    """^ or $."""

    text: str


@dataclass(frozen=True)
class Row:
    """One after another."""

    parts: tuple["Tree", ...]


@dataclass(frozen=True)
class Either:
    """One of these."""

    options: tuple["Tree", ...]


@dataclass(frozen=True)
class Many:
    """The body, low to high times."""

    body: "Tree"
    low: int
    high: int | None
    sign: str


Tree = One | Edge | Row | Either | Many


def _category(*names: str) -> Test:
    return lambda char: unicodedata.category(char).startswith(names)


def _not(test: Test) -> Test:
    return lambda char: not test(char)


def _among(chars: str) -> Test:
    return lambda char: char in chars


def _between(low: str, high: str) -> Test:
    return lambda char: low <= char <= high


def _word(char: str) -> bool:
    return char == "_" or (char.isascii() and char.isalnum())


# Text and meaning, in a class and outside of it.
SHARED: dict[str, Test] = {
    **{char: _among(char) for char in ("a", "b", "c", "A", "9", "&", "é", "가", "😀", "\0", " ")},
    **{rf"\{char}": _among(char) for char in "[]^-./\\{}&"},
    r"\n": _among("\n"), r"\r": _among("\r"), r"\0": _among("\0"), r"\x61": _among("a"), r"\u2028": _among("\u2028"),
    r"\u{1F600}": _among("😀"), r"\ud83d\ude01": _among("😁"), r"\u{10FFFF}": _among("\U0010ffff"),
    r"\d": _between("0", "9"), r"\D": _not(_between("0", "9")), r"\w": _word, r"\W": _not(_word),
    r"\s": _among(SPACE), r"\S": _not(_among(SPACE)),
    r"\p{L}": _category("L"), r"\P{L}": _not(_category("L")), r"\p{Lu}": _category("Lu"), r"\p{Nd}": _category("Nd"),
    r"\p{N}": _category("N"), r"\P{M}": _not(_category("M")), r"\p{S}": _category("S"), r"\p{Cc}": _category("Cc"),
}  # fmt: skip
OUTSIDE: dict[str, Test] = SHARED | {".": _not(_among("\n\r\u2028\u2029"))}
INSIDE: dict[str, Test] = SHARED | {
    **{char: _among(char) for char in ("[", ".", "$", "(", "|", "*")},
    "&&": _among("&"), "[a": _among("[a"), "a-c": _between("a", "c"), r"\--a": _between("-", "a"),
    "가-힣": _between("가", "힣"), r"😀-\u{10FFFF}": _between("😀", "\U0010ffff"), r"\0-\x20": _between("\0", " "),
    r"\x80-\uFFFD": _between("\x80", "\ufffd"),
}  # fmt: skip
SIGNS = {
    "*": (0, None), "+": (1, None), "?": (0, 1), "{2}": (2, 2), "{1,2}": (1, 2), "{0,3}": (0, 3), "{2,}": (2, None),
    "{40}": (40, 40), "{1,40}": (1, 40),
}  # fmt: skip


def _class(negated: bool, items: list[str], dash: bool) -> One:
    tests = [INSIDE[item] for item in items] + [_among("-")] * dash
    text = f"[{'^' if negated else ''}{''.join(items)}{'-' if dash else ''}]"
    return One(text, lambda char: any(test(char) for test in tests) != negated)


_ones = st.one_of(
    st.sampled_from([*"aaabb", *OUTSIDE]).map(lambda text: One(text, OUTSIDE[text])),
    st.builds(_class, st.booleans(), st.lists(st.sampled_from(sorted(INSIDE)), min_size=1, max_size=3), st.booleans()),
)


def _many(body: Tree, sign: str, lazy: str) -> Many:
    return Many(body, *SIGNS[sign], sign + lazy)


def _grown(inner: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    return st.one_of(
        st.lists(inner, max_size=4).map(lambda parts: Row(tuple(parts))),
        st.lists(inner, min_size=2, max_size=3).map(lambda options: Either(tuple(options))),
        st.builds(_many, inner, st.sampled_from(sorted(SIGNS)), st.sampled_from(["", "", "?"])),
    )


trees: st.SearchStrategy[Tree] = st.builds(
    lambda begin, middle, end: Row((*([Edge("^")] * begin), middle, *([Edge("$")] * end))),
    st.booleans(),
    st.recursive(st.one_of(_ones, _ones, _ones, st.sampled_from([Edge("^"), Edge("$")])), _grown, max_leaves=7),
    st.booleans(),
)


def text_of(tree: Tree) -> str:
    """The tree as ECMA-262 writes it."""
    match tree:
        case One(text) | Edge(text):
            return text
        case Row(parts):
            # A digit after \0, or a half after a half, would be another escape.
            return "(?:)".join(
                text_of(part) if not isinstance(part, Either) else f"({text_of(part)})" for part in parts
            )
        case Either(options):
            return "|".join(map(text_of, options))
        case Many(body, _, _, sign):
            inner = text_of(body) if isinstance(body, One) else f"(?:{text_of(body)})"
            return inner + sign
    raise TypeError(tree)


def matches(tree: Tree, text: str) -> bool:
    """Whether a part of the text is one that the tree describes."""
    return any(_ends(tree, text, {start}) for start in range(len(text) + 1))


def _ends(tree: Tree, text: str, starts: set[int]) -> set[int]:
    """Where the tree can end that begins at one of `starts`."""
    match tree:
        case One(_, test):
            return {start + 1 for start in starts if start < len(text) and test(text[start])}
        case Edge(sign):
            return starts & {0 if sign == "^" else len(text)}
        case Row(parts):
            for part in parts:
                starts = _ends(part, text, starts)
            return starts
        case Either(options):
            return set().union(*(_ends(option, text, starts) for option in options))
        case Many(body, low, high):
            for _ in range(low):
                starts = _ends(body, text, starts)
            found, new = set(starts), starts
            for _ in range(len(text) + 1 if high is None else high - low):
                new = _ends(body, text, new) - found
                found |= new
            return found
    raise TypeError(tree)


def tries(tree: Tree, text: str, most: int) -> int:
    """How often an engine that backtracks compares a character or is at the pattern's end, if that never is enough.

    Counting stops beyond `most`.
    """
    engine = _Engine(text, most)
    for start in range(len(text) + 1):
        engine.count += sum(1 for _ in engine.paths(tree, start))
    return engine.count


@dataclass
class _Engine:
    text: str
    most: int
    count: int = 0

    def paths(self, tree: Tree, at: int) -> Iterator[int]:
        """Where the tree ends that begins at `at`, once for each way to get there."""
        match tree:
            case One(_, test):
                self.count += 1
                if self.count <= self.most and at < len(self.text) and test(self.text[at]):
                    yield at + 1
            case Edge(sign):
                yield from [at] * (at == (0 if sign == "^" else len(self.text)))
            case Row(parts):
                yield from self.series(parts, at)
            case Either(options):
                for option in options:
                    yield from self.paths(option, at)
            case Many():
                yield from self.repeated(tree, at, 0)

    def series(self, parts: tuple[Tree, ...], at: int) -> Iterator[int]:
        if not parts:
            yield at
            return
        for middle in self.paths(parts[0], at):
            yield from self.series(parts[1:], middle)

    def repeated(self, tree: Many, at: int, done: int) -> Iterator[int]:
        if tree.high is None or done < tree.high:
            for middle in self.paths(tree.body, at):
                if middle > at or done < tree.low:
                    yield from self.repeated(tree, middle, done + 1)
        if done >= tree.low:
            yield at


def sample(tree: Tree, random: Random) -> str:
    """A text that the tree describes where that is easily found."""
    match tree:
        case One(_, test):
            return random.choice([char for char in ALPHABET if test(char)] or ["a"])
        case Row(parts):
            return "".join(sample(part, random) for part in parts)
        case Either(options):
            return sample(random.choice(options), random)
        case Many(body, low, high):
            times = random.randint(low, min(low + 3, low + 3 if high is None else high))
            return "".join(sample(body, random) for _ in range(times))
    return ""


def spoilt(text: str, random: Random) -> str:
    """The text with a character more, less or other, somewhere."""
    at = random.randint(0, len(text))
    return text[:at] + random.choice(["", *ALPHABET]) + text[at + random.randint(0, 1) :]
