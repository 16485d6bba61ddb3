"""Keys made out of other keys: S3 takes them, no two are one, and people can read them."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickstream.load.unreadable import copy_key
from clickstream.staging.redrive import redriven_key
from clickstream_stream.keys import staging_key

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
LIMIT = 1024
# Any text that has an UTF-8 form is a key.
CHARACTERS = st.characters(exclude_categories=["Cs"]) | st.sampled_from("/._-=+% \u00e9\u20ac\U0001f600")
TEXTS = st.text(CHARACTERS, min_size=1, max_size=40)


def key(filler: int, text: str, end: str) -> str:
    """A key of at most 1,024 bytes; with much filler, two of them differ far behind only."""
    return ("k" * filler + text).encode()[: LIMIT - len(end)].decode(errors="ignore") + end


ENDS = st.sampled_from(["", ".gz", ".json.gz", f"=={'0' * 64}", f"=={'f' * 64}.gz"])
KEYS = st.builds(key, st.sampled_from([0, 900, 950, 990, LIMIT]), TEXTS, ENDS)


def quarantined(key: str) -> str:
    return copy_key(f"s3://{'b' * 63}/{key}")


def redriven(key: str) -> str:
    return redriven_key(f"processing-failed/{key}")


def staged(key: str) -> str:
    return staging_key("staging/", "2026-11-24T05:28:00.123Z", key)


MAKERS = pytest.mark.parametrize("make", [quarantined, redriven, staged])


@MAKERS
@given(keys=st.lists(KEYS, min_size=2, max_size=6, unique=True))
def test_no_two_keys_become_one_and_s3_takes_them(make: Callable[[str], str], keys: list[str]) -> None:
    made = [make(key) for key in keys]

    assert len(set(made)) == len(keys)
    assert max(len(one.encode()) for one in made) <= LIMIT


@MAKERS
@given(key=KEYS)
def test_what_was_made_never_meets_what_was_made_of_it(make: Callable[[str], str], key: str) -> None:
    """A shortened key, taken for a name, is another object's."""
    again = make(key).partition("/")[2].removeprefix("b" * 63 + "/")

    assert again == key or make(again) != make(key)


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (copy_key("s3://bucket/staging/20261124T12Z-a.gz"), "quarantine/bucket/staging/20261124T12Z-a.gz"),
        (redriven_key("processing-failed/2026/11/24/x"), "processing-failed-redriven/2026/11/24/x"),
        (redriven_key("refused/2026/11/24/x"), "refused-redriven/2026/11/24/x"),
        # Of exactly the length that S3 takes.
        (redriven_key("processing-failed/" + "k" * 997), "processing-failed-redriven/" + "k" * 997),
        # One byte more: SHA-256 of 997 k and .gz, as `sha256sum` gives it.
        (
            redriven_key("processing-failed/" + "k" * 997 + ".gz"),
            "processing-failed-redriven/" + "k" * 928
            + "==67d9fadbe9227513c322c959662ad3a557cb432212cef887037dc03de53625a9.gz",
        ),
    ],
)  # fmt: skip
def test_a_key_is_readable(made: str, expected: str) -> None:
    assert made == expected
