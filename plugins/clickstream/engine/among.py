"""A part of what a statement reads: the messages whose key lies in a range."""

from dataclasses import dataclass

LOWEST, HIGHEST = -(2**63), 2**63 - 1

BATCH_KEY = "from_big_endian_64(xxhash64(to_utf8(coalesce(message_id, to_hex(line_digest)))))"
LINE_KEY = "from_big_endian_64(xxhash64(to_utf8(coalesce(line, ''))))"
TYPED_KEY = "from_big_endian_64(xxhash64(to_utf8(message_id)))"


# Trino moves no condition of a statement below a limit: what is left out is not looked at.
BARRIER = f"limit {HIGHEST}"


@dataclass(frozen=True)
class Among:
    """The messages with a key from `low` to `high`, both included, that were not left out of `step`.

    A key is a hash of 64 bits: of the line where it is not unpacked yet, and of the message id after that, so that all
    lines of one message are in one part.
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

    def of_batch(self, table: str) -> str:
        """Return what stands for the batch table in `from`."""
        is_left_out = f"coalesce(element_at(left_out, '{self.step}') is not null, false)"
        # The bounds are integers and the step is a name of ours.
        return f"(select * from {table} where not {is_left_out} and {self._holds(BATCH_KEY)} {BARRIER})"  # noqa: S608

    def of_typed(self, table: str) -> str:
        """Return what stands for the table of typed messages in `from`."""
        return f"(select * from {table} where {self._holds(TYPED_KEY)} {BARRIER})"  # noqa: S608 - see above

    @property
    def of_lines(self) -> str:
        """The condition on a raw line."""
        return self._holds(LINE_KEY)

    def _holds(self, key: str) -> str:
        return f"{key} between bigint '{self.low:d}' and bigint '{self.high:d}'"
