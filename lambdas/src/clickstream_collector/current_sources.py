"""The sources of a running function: read again once a minute; a version that is broken leaves the last good one."""

from collections.abc import Callable

from clickstream_collector.sources import Sources, SourcesError, read_sources

PAUSE_SECONDS = 60.0

Fetch = Callable[[str], tuple[str, bytes] | None]
"""Takes the ETag of what is there already, empty for none; gives the ETag and the object, None if it is still that one.
Raises OSError."""


class CurrentSources:
    """Holds the last good version. `clock` counts seconds and never goes back; `tell` is told of what went wrong."""

    def __init__(self, fetch: Fetch, clock: Callable[[], float], tell: Callable[[str], None]) -> None:
        self._fetch, self._clock, self._tell = fetch, clock, tell
        self._sources: Sources | None = None
        self._etag = ""
        self._read_at: float | None = None

    def get(self) -> Sources | None:
        """The sources; None if no good version has been read yet, in which case each call tries."""
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
            self._tell(f"sources not read again: {error}")
