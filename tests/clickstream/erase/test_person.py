"""Which ids are one person's. Expected: worked out by hand from who used what."""

from collections.abc import Collection

import pytest

from clickstream.erase.person import Asked, Link, TooManyIdsError, digest, find, read_asked
from clickstream.form import FormError

MOST_USERS, MOST_IDS = 2, 3


def links(*pairs: tuple[str, str]):
    """What the statement returns of these sightings: each id and its user, and hubs without the other end."""

    def of(wanted: Collection[str]) -> list[Link]:
        found = []
        for one, user in pairs:
            users = len({other for own, other in pairs if own == one})
            ids = len({own for own, other in pairs if other == user})
            named_id = None if user in wanted and ids > MOST_IDS else one
            named_user = None if one in wanted and users > MOST_USERS else user
            if one in wanted or user in wanted:
                found.append(Link(named_id, named_user, users, ids))
        return found

    return of


KIOSK = [("kiosk", user) for user in ("kim", "lee", "pat")]
TESTER = [(f"phone-{number}", "tester") for number in range(4)]


@pytest.mark.parametrize(
    ("asked", "sightings", "ids", "undecided"),
    [
        (Asked("kim"), [], {"kim"}, []),
        (Asked("kim"), [("phone", "kim"), ("pad", "kim"), ("box", "lee")], {"kim", "phone", "pad"}, []),
        # Only the device is known: its one user, and what that user has.
        (Asked("", "phone"), [("phone", "kim"), ("pad", "kim")], {"kim", "phone", "pad"}, []),
        # A device that somebody else used too is not the person's, and its events with the user's id are.
        (Asked("kim"), [("phone", "kim"), ("pad", "kim"), ("pad", "lee")], {"kim", "phone"}, ["pad"]),
        (Asked("kim", include=("pad",)), [("pad", "kim"), ("pad", "lee")], {"kim", "pad"}, ["lee"]),
        (Asked("kim", exclude=("pad",)), [("pad", "kim"), ("pad", "lee")], {"kim"}, []),
        (Asked("", "pad"), [("pad", "kim"), ("pad", "lee")], {"pad"}, ["kim", "lee"]),
        # An alias: the earlier id is the person's, and so are the devices of both.
        (Asked("kim"), [("old", "kim"), ("pad", "old"), ("pad", "kim")], {"kim", "old", "pad"}, []),
        (Asked("old"), [("old", "kim"), ("phone", "kim")], {"kim", "old", "phone"}, []),
        (Asked("kim"), [*KIOSK, ("phone", "kim")], {"kim", "phone"}, ["kiosk"]),
        # A kiosk that is named brings none of its users.
        (Asked("kim", include=("kiosk",)), KIOSK, {"kim", "kiosk"}, []),
        (Asked("", "phone-1"), TESTER, {"phone-1"}, ["tester"]),
        (Asked("tester"), TESTER, {"tester"}, []),
    ],
)
def test_only_what_is_nobody_else_s_is_the_person_s(
    asked: Asked, sightings: list[tuple[str, str]], ids: set[str], undecided: list[str]
) -> None:
    person = find(asked, links(*sightings))

    assert (set(person.ids), [one.id for one in person.undecided]) == (ids, undecided)


def test_a_circle_of_aliases_ends() -> None:
    assert find(Asked("a"), links(("a", "b"), ("b", "c"), ("c", "a"))).ids == {"a", "b", "c"}


def test_too_many_ids_are_refused() -> None:
    many = [Link(f"phone-{number}", "kim", 1, 1) for number in range(1_000)]

    with pytest.raises(TooManyIdsError, match="1001 ids"):
        find(Asked("kim"), lambda _: many)


def test_too_long_ids_are_refused() -> None:
    many = [Link(f"phone-{number}-{'é' * 900}", "kim", 1, 1) for number in range(15)]

    with pytest.raises(TooManyIdsError, match="at most 80000 in one erasure"):
        find(Asked("kim"), lambda _: many)


def test_a_digest_is_the_sha_256_of_the_id() -> None:
    # FIPS 180-2, appendix B.1, in words of 32 bits.
    words = "BA7816BF 8F01CFEA 414140DE 5DAE2223 B00361A3 96177A9C B410FF61 F20015AD"
    assert digest("abc") == words.replace(" ", "")


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({}, "user_id and anonymous_id are empty"),
        ({"user_id": ""}, "user_id and anonymous_id are empty"),
        ({"user_id": 7}, "user_id: must be a text"),
        ({"anonymous_id": "s3cret" * 200}, "anonymous_id: must be a text"),
        ({"user_id": "s3cret", "include": "s3cret"}, "include: must be a list"),
        ({"user_id": "s3cret", "exclude": ["s3cret", ""]}, "exclude: must be a list"),
        ({"user_id": "s3cret", "exclude": ["s3cret"]}, "exclude: has an id that is also asked for"),
    ],
)
def test_a_form_is_refused_without_showing_an_id(params: dict[str, object], said: str) -> None:
    with pytest.raises(FormError, match=said) as error:
        read_asked(params)

    assert "s3cret" not in str(error.value)


def test_a_form_is_read() -> None:
    params = {"user_id": "kim", "anonymous_id": None, "include": ["pad"], "exclude": None}

    assert read_asked(params) == Asked("kim", "", ("pad",), ())
