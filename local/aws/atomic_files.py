"""Files that a kill and a full disk leave whole."""

import os
from contextlib import suppress
from pathlib import Path


def not_stored(error: OSError) -> str:
    """Return the answer to a client when the disk refuses."""
    return f"The local AWS cannot store this: {error.strerror}"


def write_atomically(path: Path, text: str) -> None:
    """Replace a file in one step, so that a kill leaves the old text or the new. Raises OSError and leaves the old."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    try:
        partial.write_text(text)
        partial.replace(path)
    except OSError:
        # What was written of it would take room on a full disk.
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise


def append_whole(path: Path, text: str) -> int:
    """Append all of a text or, when the disk refuses, nothing: raises OSError. Returns the file's size in bytes.

    One writer at a time. A kill may leave a part: see `cut_off_tail`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    left = memoryview(text.encode())
    # Unbuffered: a buffer would keep what failed and write it later.
    with path.open("ab", buffering=0) as file:
        size = file.seek(0, os.SEEK_END)
        try:
            while left:
                left = left[file.write(left) :]
        except OSError:
            file.truncate(size)
            raise
        return file.tell()


def cut_off_tail(path: Path) -> None:
    """Remove a last line without an end, which a kill left, so that the next line does not join it."""
    with suppress(FileNotFoundError):
        whole = path.read_bytes().rpartition(b"\n")
        if whole[2]:
            os.truncate(path, len(whole[0]) + len(whole[1]))
