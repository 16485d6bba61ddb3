"""What the fault tests of one run did, in numbers; printed at its end."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Figures:
    """`faults` by kind. Of what was compared with the model: lines staged, duplicates among them, and those caught."""

    scenarios: set[str] = field(default_factory=set)
    faults: Counter[str] = field(default_factory=Counter)
    comparisons: int = 0
    lines: int = 0
    duplicates: int = 0
    caught: int = 0

    def text(self) -> str:
        """A few lines for a person."""
        kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(self.faults.items()))
        scenarios = " ".join(sorted(self.scenarios, key=lambda number: int(number[1:])))
        return (
            f"scenarios played: {scenarios or 'none'}\n"
            f"faults injected: {self.faults.total()} ({kinds})\n"
            f"tables compared with the model {self.comparisons} times: {self.lines} lines, "
            f"{self.duplicates} duplicates among them, {self.caught} caught"
        )


FIGURES = Figures()
