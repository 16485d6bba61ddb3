"""Where an archive comes from, and so what it proves when the live tables have the same."""

from collections.abc import Iterable

from clickstream.load.archive import ArchivedObject, arrival_hour

PROVES = {
    "segment": "Segment's own S3 destination wrote it: the same messages prove the stream, staging and the load",
    "stream": "a second delivery of the same stream wrote it (ArchiveBy=Firehose): the same messages prove the "
    "transform, staging and the load, and nothing of what did not come to the stream",
    "copy": "it holds copies of the raw objects (ArchiveBy=Copy): both sides come of one delivery, so the same "
    "messages prove staging and the load only",
}
"""What it proves that both sides are equal, by where the archive comes from."""

# The name of a copy is the raw object's key: lambdas/src/clickstream_stream/keys.py.
_COPY = "raw_"


def archive_from(archived: Iterable[ArchivedObject]) -> list[str]:
    """Return where these objects come from, in order: some of the keys of PROVES."""
    return sorted({_origin(item) for item in archived})


def _origin(item: ArchivedObject) -> str:
    if arrival_hour(item.folder) is None:
        return "segment"
    return "copy" if item.path.rpartition("/")[2].startswith(_COPY) else "stream"
