"""How many steps a backtracking engine can take with a pattern, at worst. One that can take too many is refused.

An engine that backtracks tries every path of the pattern's automaton that reads a prefix of the text. So what it does
is bounded by how many paths read one text. The automaton is Glushkov's: a state is a place in the pattern that reads a
character (V. M. Glushkov, 1961). Two paths go on at the same time only if one text leads to both their states, which
the product of the automaton with itself shows. So, with `paths(t, q)` the most paths that read any one text of t
characters and end in state q,

    paths(t + 1, q) <= max over predecessors p of q: sum of paths(t, o) over those predecessors that share a text with p

That bound stays constant for a pattern that reads each text in one way, grows with t where two loops can share a text,
and faster where three can, or a loop reads one text in two ways (A. Weber and H. Seidl, On the degree of ambiguity of
finite automata, 1991). Constant and linear growth is proved by its slope; anything faster is refused.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

LONGEST_TEXT = 4_000
"""Characters of a text that is compared with a pattern; a longer one matches none."""
MOST_STEPS = 500_000_000
"""For one text, some two seconds: Joni on Trino 483 took 60 ms for 24 million."""
BUDGET = 200_000
"""Operations of the analysis: some tenths of a second at most."""
COPIED = 32
"""States up to which a counted repeat is that many copies; a longer one counts as a loop, which has more paths."""
MOST_COPIES = 400

Ranges = tuple[tuple[int, int], ...]
"""Sorted code points, both ends included, that neither overlap nor touch."""


@dataclass(frozen=True)
class Chars:
    """One character of these. `at`: where it stands in the pattern, from 1."""

    ranges: Ranges
    at: int


@dataclass(frozen=True)
class Anchor:
    """The beginning (^) or the end ($) of the text."""

    sign: str


@dataclass(frozen=True)
class Series:
    """One after another."""

    parts: tuple["Node", ...]


@dataclass(frozen=True)
class Choice:
    """One of these."""

    options: tuple["Node", ...]


@dataclass(frozen=True)
class Repeat:
    """The body, `low` to `high` times; any number of times where `high` is None. A body of a loop reads a character."""

    body: "Node"
    low: int
    high: int | None
    at: int


Node = Chars | Anchor | Series | Choice | Repeat


class TooAmbiguousError(ValueError):
    """The pattern may take too many steps; the message says where and what to write."""


def check_cost(node: Node) -> None:
    """Raise TooAmbiguousError when a text of LONGEST_TEXT characters may take more than MOST_STEPS steps."""
    automaton = Automaton.of(node)
    work = _Work()
    try:
        steps = _steps(node, automaton, work, LONGEST_TEXT)
    except _OutOfBudgetError:
        raise TooAmbiguousError(
            "it is too complicated to bound how long it can run: write fewer choices, options and counts"
        ) from None
    if steps is None or steps > MOST_STEPS:
        raise TooAmbiguousError(_reason(automaton))


def most_steps(node: Node, length: int) -> int | None:
    """Return the most that an engine tries with a text of this length; None when that grows faster than its square."""
    return _steps(node, Automaton.of(node), _Work(), length)


Counts = dict[int, int]
"""In how many ways each state is meant."""


@dataclass
class _Part:
    """How a part of a pattern joins the others.

    `empty`: ways to read nothing; `empty_begin` and `empty_end`: those that need the beginning of the text, and others
    that need its end. `first` and `first_begin`: its first states, and those that need the beginning. To read on after
    `$`, or something before `^`, is no path.
    """

    empty: int = 0
    empty_begin: int = 0
    empty_end: int = 0
    first: Counts = field(default_factory=dict)
    first_begin: Counts = field(default_factory=dict)
    last: Counts = field(default_factory=dict)


START, ANYWHERE = 0, 1
"""The state before the text, and the one that passes over what stands before a match."""


@dataclass
class Automaton:
    """Glushkov's automaton, with how many ways lead from one state to the next."""

    ranges: list[Ranges]
    places: list[int]
    follow: list[Counts]
    reads_anchors: bool = True
    _shared: dict[tuple[int, int], int | None] = field(default_factory=dict)

    @classmethod
    def of(cls, node: Node, reads_anchors: bool = True) -> "Automaton":
        """Return the automaton of a pattern that may begin anywhere in the text; without anchors, it ignores them."""
        automaton = cls([((0, 0x10FFFF),)] * 2, [0, 0], [{}, {}], reads_anchors)
        copied = COPIED if _size(node, COPIED) <= MOST_COPIES else 1
        part = automaton._part(node, copied)
        automaton._join({START: 1}, part.first_begin)
        if part.first or part.empty or part.empty_end:
            automaton._join({ANYWHERE: 1}, {ANYWHERE: 1, **part.first})
        return automaton

    def shared(self, one: int, other: int) -> int | None:
        """Return a character that leads to both states; None where there is none."""
        # By identity: copies of a state have the same ranges, and to hash the hundreds of a category takes long.
        key = id(self.ranges[one]), id(self.ranges[other])
        if key not in self._shared:
            self._shared[key] = _shared(self.ranges[one], self.ranges[other])
        return self._shared[key]

    def _join(self, sources: Counts, targets: Counts) -> None:
        for source, ways in sources.items():
            follow = self.follow[source]
            for target, more in targets.items():
                follow[target] = follow.get(target, 0) + ways * more

    def _part(self, node: Node, copied: int) -> _Part:
        match node:
            case Chars(ranges, at):
                self.ranges.append(ranges)
                self.places.append(at)
                self.follow.append({})
                state = len(self.ranges) - 1
                return _Part(first={state: 1}, last={state: 1})
            case Anchor(sign):
                if not self.reads_anchors:
                    return _Part(empty=1)
                return _Part(empty_begin=1) if sign == "^" else _Part(empty_end=1)
            case Series(parts):
                return self._series([self._part(part, copied) for part in parts])
            case Choice(options):
                return _choice([self._part(option, copied) for option in options])
        return self._repeat(node, copied)

    def _series(self, parts: Sequence[_Part]) -> _Part:
        done = _Part(empty=1)
        for part in parts:
            self._join(done.last, part.first)
            done = _Part(
                empty=done.empty * part.empty,
                empty_begin=done.empty_begin * (part.empty + part.empty_begin) + done.empty * part.empty_begin,
                empty_end=done.empty_end * (part.empty + part.empty_end) + done.empty * part.empty_end,
                first=_sum(done.first, _times(part.first, done.empty)),
                first_begin=_sum(
                    done.first_begin,
                    _times(part.first, done.empty_begin),
                    _times(part.first_begin, done.empty_begin + done.empty),
                ),
                last=_sum(part.last, _times(done.last, part.empty)),
            )
        return done

    def _repeat(self, node: Repeat, copied: int) -> _Part:
        if not _is_copied(node, copied):
            loop = self._part(node.body, copied)
            self._join(loop.last, loop.first)
            loop.empty += node.low == 0
            return loop
        high = node.high or 0
        tail = _Part(empty=1)
        for number in range(high, 0, -1):
            tail = self._series([self._part(node.body, copied), tail])
            tail.empty += number > node.low
        return tail


def _choice(parts: Sequence[_Part]) -> _Part:
    return _Part(
        sum(part.empty for part in parts),
        sum(part.empty_begin for part in parts),
        sum(part.empty_end for part in parts),
        _sum(*(part.first for part in parts)),
        _sum(*(part.first_begin for part in parts)),
        _sum(*(part.last for part in parts)),
    )


def _sum(*counts: Counts) -> Counts:
    total: Counts = {}
    for one in counts:
        for state, ways in one.items():
            total[state] = total.get(state, 0) + ways
    return total


def _times(counts: Counts, factor: int) -> Counts:
    return {state: ways * factor for state, ways in counts.items()} if factor else {}


def _is_copied(node: Repeat, copied: int) -> bool:
    return node.high is not None and (node.high <= 1 or _size(node.body, copied) * node.high <= copied)


def _size(node: Node, copied: int) -> int:
    """Return how many states the node gets."""
    match node:
        case Chars():
            return 1
        case Series(parts) | Choice(parts):
            return sum(_size(part, copied) for part in parts)
        case Repeat(body):
            return _size(body, copied) * ((node.high or 0) if _is_copied(node, copied) else 1)
    return 0


class _OutOfBudgetError(Exception):
    pass


@dataclass
class _Work:
    """Counts the operations of an analysis."""

    left: int = BUDGET

    def spend(self, operations: int) -> None:
        self.left -= operations
        if self.left < 0:
            raise _OutOfBudgetError


def _shared(one: Ranges, other: Ranges) -> int | None:
    """Return a character of both, one that is easily read where there is one."""
    found = None
    at = 0
    for low, high in one:
        while at < len(other) and other[at][1] < low:
            at += 1
        for begin, end in other[at:]:
            if begin > high:
                break
            readable = _readable(max(low, begin), min(high, end))
            found = readable if found is None or chr(readable).isalnum() > chr(found).isalnum() else found
    return found


def _readable(low: int, high: int) -> int:
    return next((code for code in (0x61, 0x30, 0x41, 0x20) if low <= code <= high), low)


def _steps(node: Node, automaton: Automaton, work: _Work, length: int) -> int | None:
    """Return the most steps for a text of this length; None when they grow faster than the square of the length."""
    growth = _Growth.of(automaton, work)
    weights = _tries(node)
    paths: Counts = {START: 1, ANYWHERE: 1}
    total, passed = 0, 0
    while not growth.passing.isdisjoint(paths):
        total += _weighed(paths, weights)
        paths = growth.after(paths)
        passed += 1
    # From here on, an upper bound that never falls: what is after k more characters is at most paths + k * slope.
    best = None
    for _ in range(2 * len(weights) + 10):
        total += _weighed(paths, weights)
        passed += 1
        later = paths | {state: max(count, paths.get(state, 0)) for state, count in growth.after(paths).items()}
        slope = {state: count - paths.get(state, 0) for state, count in later.items() if count > paths.get(state, 0)}
        next_slope = growth.after(slope)
        if all(count <= slope.get(state, 0) for state, count in next_slope.items()):
            left = max(length + 1 - passed, 0)
            bound = total + _weighed(paths, weights) * left + _weighed(slope, weights) * left * (left + 1) // 2
            best = bound if best is None else min(best, bound)
        if next_slope == slope or total > MOST_STEPS:
            break
        paths = later
    return best


def _tries(node: Node) -> list[int]:
    """Return what an engine tries in each state: its character, and each way to the next and to the pattern's end.

    Ways over an anchor count too, although few lead on: an engine goes them to see that.
    """
    follow = Automaton.of(Series((node, Chars((), 0))), reads_anchors=False).follow
    tries = [1 + sum(ways.values()) for ways in follow[:-1]]
    return [tries[ANYWHERE], *tries[1:]]


def _weighed(paths: Counts, weights: Sequence[int]) -> int:
    return sum(weights[state] * count for state, count in paths.items())


@dataclass
class _Growth:
    """How the bound of paths grows with a character.

    `groups`: of each state the sets of its predecessors that share a text with one of them, with the ways from each.
    `passing`: states that no loop leads to, so that only short texts lead to them.
    """

    follow: Sequence[Counts]
    groups: Sequence[Iterable[tuple[tuple[int, int], ...]]]
    passing: frozenset[int]
    work: _Work

    @classmethod
    def of(cls, automaton: Automaton, work: _Work) -> "_Growth":
        before: list[Counts] = [{} for _ in automaton.follow]
        for source, follow in enumerate(automaton.follow):
            for target, ways in follow.items():
                before[target][source] = ways
        together = _together(automaton, work)
        groups = []
        for sources in before:
            work.spend(len(sources) ** 2)
            groups.append(
                {
                    tuple((other, ways) for other, ways in sources.items() if other in together[source])
                    for source in sources
                }
            )
        return cls(automaton.follow, groups, _passing(automaton, before), work)

    def after(self, paths: Counts) -> Counts:
        """Return the bound of paths in each state after one more character; states without any are left out."""
        targets = {target for source in paths for target in self.follow[source]}
        self.work.spend(1 + len(targets))
        return {
            target: max(sum(paths.get(source, 0) * ways for source, ways in group) for group in self.groups[target])
            for target in targets
        }


def _passing(automaton: Automaton, before: Sequence[Counts]) -> frozenset[int]:
    open_sources = [len(sources) for sources in before]
    passing = [state for state, sources in enumerate(open_sources) if not sources]
    for state in passing:
        for target in automaton.follow[state]:
            open_sources[target] -= 1
            if not open_sources[target]:
                passing.append(target)
    return frozenset(passing)


def _together(automaton: Automaton, work: _Work) -> list[set[int]]:
    """Return for each state those that one and the same text leads to as well, itself too."""
    together = [{state} for state in range(len(automaton.follow))]
    together[START].add(ANYWHERE)
    together[ANYWHERE].add(START)
    pairs = deque([(START, START), (START, ANYWHERE), (ANYWHERE, ANYWHERE)])
    seen = set(pairs)
    while pairs:
        for pair, _ in _next_pairs(automaton, pairs.popleft(), work):
            ordered = (min(pair), max(pair))
            if ordered not in seen:
                seen.add(ordered)
                pairs.append(ordered)
                together[pair[0]].add(pair[1])
                together[pair[1]].add(pair[0])
    return together


def _next_pairs(automaton: Automaton, pair: tuple[int, int], work: _Work) -> Iterator[tuple[tuple[int, int], int]]:
    """Yield the pairs of states that one more character leads to from both, with such a character."""
    work.spend(1 + len(automaton.follow[pair[0]]) * len(automaton.follow[pair[1]]))
    for one in automaton.follow[pair[0]]:
        for other in automaton.follow[pair[1]]:
            shared = automaton.shared(one, other)
            if shared is not None:
                yield (one, other), shared


def _reason(automaton: Automaton) -> str:
    """Return why the pattern takes too many steps, and what to write."""
    try:
        return _read_in_two_ways(automaton, _Work()) or _loops_that_share(automaton, _Work())
    except _OutOfBudgetError:
        return f"{_TOO_LONG}: write fewer choices, options and repeats"


_TOO_LONG = "it can read one text in so many ways that it may run too long"


def _loops_that_share(automaton: Automaton, work: _Work) -> str:
    """Return loops that can begin at different characters of one text; each multiplies the steps by its length."""
    together = _together(automaton, work)
    loops = [_states_after(automaton, state) for state in range(len(automaton.follow))]
    places = {
        automaton.places[state]
        for source, follow in enumerate(automaton.follow)
        for state in follow
        if state in loops[state] and source not in loops[state]
        if any(other in loops[state] and state in automaton.follow[other] for other in together[source])
    }
    if not places:
        return f"{_TOO_LONG}: write fewer choices and options that can read the same characters"
    named = f"{'repeat' if len(places) == 1 else 'repeats'} at {', '.join(map(str, sorted(places)))}"
    begin = "begin it with ^, and " if automaton.follow[ANYWHERE] else ""
    advice = f"{begin}end each repeat at a character that it cannot read"
    return f"{_TOO_LONG}: the {named} can begin at many places of it: {advice}"


def _states_after(automaton: Automaton, state: int) -> set[int]:
    found: set[int] = set()
    waiting = [state]
    while waiting:
        for target in automaton.follow[waiting.pop()]:
            if target not in found:
                found.add(target)
                waiting.append(target)
    return found


def _read_in_two_ways(automaton: Automaton, work: _Work) -> str | None:
    """Return a loop that reads one text in two ways, doubling the steps each time; None where there is none."""
    for state in range(ANYWHERE + 1, len(automaton.follow)):
        text = _two_ways(automaton, state, work)
        if text is not None:
            return (
                f"character {automaton.places[state]}: the repeat here can read {text!r} in more than one way,"
                " so it may run too long: write it so that it reads each text in one way, as a+ for (a+)+ or [ab]+ for"
                " (a|[ab])+"
            )
    return None


def _two_ways(automaton: Automaton, state: int, work: _Work) -> str | None:
    """Return a text that leads from the state back to itself in two ways."""
    begin = (state, state, False)
    texts = {begin: ""}
    waiting = deque([begin])
    while waiting:
        one, other, parted = key = waiting.popleft()
        for pair, shared in _next_pairs(automaton, (one, other), work):
            twice = pair[0] != pair[1] or (one == other and automaton.follow[one][pair[0]] > 1)
            found = (*pair, parted or twice)
            if found not in texts:
                texts[found] = texts[key] + chr(shared)
                waiting.append(found)
            if found == (state, state, True):
                return texts[found]
    return None
