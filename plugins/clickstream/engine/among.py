"""A part of what a statement reads: the messages whose key lies in a range."""

from dataclasses import dataclass

LOWEST, HIGHEST = -(2**63), 2**63 - 1


@dataclass(frozen=True)
class Among:
    """The messages with a key from `low` to `high`, both included, that were not left out of `step`.

    include/sql/macros/keys.sql has the keys, and what a statement on such a part reads.
    """

    step: str
    low: int = LOWEST
    high: int = HIGHEST

    @property
    def is_one(self) -> bool:
        """Whether it holds one key only."""
        return self.low == self.high

    @property
    def beside(self) -> "Among":
        """A part that holds no message, if this one is cut to the keys that there are."""
        key = self.high + 1 if self.high < HIGHEST else self.low - 1
        return Among(self.step, key, key)

    def cut(self, low: int | None, high: int | None) -> "Among | None":
        """Return the part between these keys, the lowest and highest that it has; None when it has none."""
        return None if low is None or high is None else Among(self.step, low, high)

    def halves(self) -> tuple["Among", "Among"]:
        """Return its lower and its upper half."""
        middle = self.low + (self.high - self.low) // 2
        return Among(self.step, self.low, middle), Among(self.step, middle + 1, self.high)
