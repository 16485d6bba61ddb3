"""Files that a full disk and a kill leave whole."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.aws.atomic_files import append_whole, cut_off_tail, write_atomically
from local.aws.firehose_sources import DirectPutSource

TEXT = "line\n" * 1000


@contextmanager
def full(size: int) -> Iterator[None]:
    """No file of this process can grow past that many bytes: the system takes a part and refuses the rest."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("size", [0, 100])
@pytest.mark.parametrize("write", [write_atomically, append_whole])
@pytest.mark.parametrize("before", [None, "old\n"])
def test_what_does_not_fit_leaves_the_file_as_it_was(tmp_path: Path, write, before: str | None, size: int) -> None:
    file = tmp_path / "file"
    if before is not None:
        file.write_text(before)

    with full(size), pytest.raises(OSError, match="File too large"):
        write(file, TEXT)

    left = {path.name: path.read_text() for path in tmp_path.iterdir() if path.stat().st_size}
    assert left == ({"file": before} if before else {})


@given(st.lists(st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]))), st.binary(max_size=9))
def test_only_a_line_without_an_end_is_cut_off(tmp_path_factory, lines: list[str], tail: bytes) -> None:
    file = tmp_path_factory.mktemp("f") / "file"
    whole = "".join(line + "\n" for line in lines).encode()
    file.write_bytes(whole + tail.replace(b"\n", b""))

    cut_off_tail(file)

    assert file.read_bytes() == whole


def test_a_put_that_follows_one_cut_short_by_a_kill_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "records.ndjson"
    DirectPutSource(file, 1.0).append([b"answered"], 5.0)
    with file.open("a") as target:
        target.write('[1.0, "0000')

    DirectPutSource(file, 1.0).append([b"after the kill"], 6.0)

    assert [record.data for record in DirectPutSource(file, 1.0).read()] == [b"answered", b"after the kill"]
