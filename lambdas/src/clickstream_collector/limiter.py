"""A token bucket for each write key, in the memory of one environment of the function."""

from collections.abc import Callable, Hashable


class Limiter:
    """Let messages through at a rate. The bucket holds a second's worth, and may go into debt for one batch.

    A batch is accepted or not as a whole, so one larger than the bucket must be able to pass. With
    several environments each has a bucket: the rate is then that many times as high.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._buckets: dict[Hashable, tuple[float, float]] = {}

    def take(self, name: Hashable, count: int, per_second: float) -> float:
        """Accept `count` messages and return 0, else the seconds until some are accepted. A rate of 0 is no limit."""
        if not per_second:
            return 0.0
        now = self._clock()
        tokens, at = self._buckets.get(name, (per_second, now))
        tokens = min(per_second, tokens + (now - at) * per_second)
        if tokens <= 0:
            self._buckets[name] = (tokens, now)
            return max(-tokens / per_second, 1 / per_second)
        self._buckets[name] = (tokens - count, now)
        return 0.0
