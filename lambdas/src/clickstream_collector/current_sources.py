"""The sources of a running function: read again once a minute; a version that is broken leaves the last good one."""

from collections.abc import Callable

from clickstream_collector.sources import Sources, SourcesError, read_sources

PAUSE_SECONDS = 60.0

Fetch = Callable[[str], tuple[str, bytes] | None]
"""From the ETag of the current object, empty for none, to the new ETag and object, None if it is the same.
Raises OSError."""


class CurrentSources:
    """Hold the last good version. `clock` counts seconds and never goes back; `report` gets what went wrong."""

    def __init__(self, fetch: Fetch, clock: Callable[[], float], report: Callable[[str], None]) -> None:
        self._fetch, self._clock, self._report = fetch, clock, report
        self._sources: Sources | None = None
        self._etag = ""
        self._read_at: float | None = None

    def get(self) -> Sources | None:
        """Return the sources; None if no good version has been read yet, in which case each call tries."""
        now = self._clock()
        if self._sources is None or self._read_at is None or now - self._read_at >= PAUSE_SECONDS:
            self._read_at = now
            self._read()
        return self._sources

    def _read(self) -> None:
        try:
            found = self._fetch(self._etag)
            if found:
                self._sources = read_sources(found[1])
                self._etag = found[0]
        except (SourcesError, OSError) as error:
            self._report(f"sources not read again: {error}")
