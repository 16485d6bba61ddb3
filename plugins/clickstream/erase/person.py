"""Which ids are one person's: found by the view `identities`, and only where nobody else's data can be meant."""

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from clickstream.form import FormError

MOST_IDS = 1_000
"""Ids of one erasure: a person has tens of devices, and statements name each id."""

MOST_CHARACTERS = 80_000
"""Of all ids of one erasure, as JSON: a statement names each up to three times, and Athena takes 262,144 bytes."""

LONGEST_ID = 1_000


@dataclass(frozen=True)
class Asked:
    """Whose data is to be erased: a user id, an anonymous id or both, and what a person decided of further ids."""

    user_id: str = ""
    anonymous_id: str = ""
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    @property
    def given(self) -> tuple[str, ...]:
        """The ids that were named, those included among them."""
        return tuple(dict.fromkeys(one for one in (self.user_id, self.anonymous_id, *self.include) if one))

    @property
    def erasure_id(self) -> str:
        """A digest of the user and anonymous id: the same for every run for them."""
        return digest(f"{self.user_id}\n{self.anonymous_id}")[:24]


def read_asked(params: Mapping[str, Any]) -> Asked:
    """Return the form's ids, checked. Raises FormError, which names the value and never shows it."""
    texts = {name: _read_id(params, name) for name in ("user_id", "anonymous_id")}
    asked = Asked(**texts, include=_read_ids(params, "include"), exclude=_read_ids(params, "exclude"))
    if not (asked.user_id or asked.anonymous_id):
        raise FormError("user_id and anonymous_id are empty: give one of them, or both")
    if set(asked.given) & set(asked.exclude):
        raise FormError("exclude: has an id that is also asked for or included")
    return asked


def _read_id(params: Mapping[str, Any], name: str) -> str:
    given = params.get(name)
    if given is None:
        return ""
    if not _is_id(given):
        raise FormError(f"{name}: must be a text of at most {LONGEST_ID:,} characters; it is not shown here")
    return str(given)


def _read_ids(params: Mapping[str, Any], name: str) -> tuple[str, ...]:
    given = params.get(name) or []
    if not isinstance(given, list) or not all(_is_id(one) and one for one in given):
        raise FormError(f"{name}: must be a list of ids; it is not shown here")
    return tuple(given)


def _is_id(given: object) -> bool:
    """Return whether it is a text that a statement can name: half of a surrogate pair is none."""
    return isinstance(given, str) and len(given) <= LONGEST_ID and not any("\ud800" <= one <= "\udfff" for one in given)


def digest(text: str) -> str:
    """Return the SHA-256 of an id as `suppressions` has it: of its UTF-8, in upper-case hexadecimal."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest().upper()


@dataclass(frozen=True)
class Link:
    """An id that was seen with a user, of how many users it was used, and how many ids that user has.

    `id` or `user_id` is None where there are too many to name: the other one is a hub.
    """

    id: str | None
    user_id: str | None
    user_count: int
    device_count: int


@dataclass(frozen=True)
class Undecided:
    """An id that may be the person's and others', so that a person has to decide."""

    id: str
    reason: str


@dataclass(frozen=True)
class Person:
    """The ids that are the person's alone, or were named, and those that somebody has to decide on."""

    ids: frozenset[str]
    undecided: tuple[Undecided, ...]


class TooManyIdsError(ValueError):
    """Too many ids for one erasure; the message says how many."""


def find(asked: Asked, links_of: Callable[[Collection[str]], Iterable[Link]]) -> Person:
    """Return the person's ids. `links_of` returns the links of some ids, as either end.

    Goes on until no id brings another one. Raises TooManyIdsError.
    """
    links: set[Link] = set()
    looked_at: set[str] = set()
    while True:
        person = choose(asked, links)
        new = (person.ids | {one.id for one in person.undecided}) - looked_at
        _require_few(person.ids)
        if not new:
            return person
        links |= set(links_of(sorted(new)))
        looked_at |= new


def _require_few(ids: Collection[str]) -> None:
    if len(ids) > MOST_IDS:
        raise TooManyIdsError(f"{len(ids)} ids are this person's, at most {MOST_IDS} in one erasure")
    characters = sum(len(json.dumps(one)) for one in ids)
    if characters > MOST_CHARACTERS:
        raise TooManyIdsError(
            f"the {len(ids)} ids of this person have {characters} characters as JSON, at most {MOST_CHARACTERS} in one "
            "erasure: erase some of them at a time, with the others in exclude"
        )


def choose(asked: Asked, links: Collection[Link]) -> Person:
    """Return whose the ids of these links are.

    An id is the person's if each of its users is; a user is if an id of the person had no other one. A user with too
    many ids, such as a test account, brings none; an id with too many users, such as a kiosk, is nobody's.
    """
    users_of: dict[str, set[str]] = {}
    ids_of: dict[str, set[str]] = {}
    hubs: dict[str, str] = {}
    for link in links:
        if link.id is None and link.user_id is not None:
            hubs[link.user_id] = f"a user of {link.device_count} ids"
        elif link.user_id is None and link.id is not None:
            hubs[link.id] = f"an id of {link.user_count} users"
        elif link.id is not None and link.user_id is not None:
            users_of.setdefault(link.id, set()).add(link.user_id)
            ids_of.setdefault(link.user_id, set()).add(link.id)
    ids = set(asked.given)
    undecided: dict[str, str] = {}
    grows = True
    while grows:
        undecided = {}
        before = len(ids)
        for one in sorted(ids - hubs.keys()):
            _add_ids(one, ids_of, users_of, hubs, ids, undecided)
            _add_user(one, users_of, hubs, ids, undecided)
        grows = len(ids) > before
    decided = ids | set(asked.exclude)
    return Person(
        frozenset(ids - set(asked.exclude)),
        tuple(Undecided(one, reason) for one, reason in sorted(undecided.items()) if one not in decided),
    )


def _add_ids(
    user: str,
    ids_of: Mapping[str, set[str]],
    users_of: Mapping[str, set[str]],
    hubs: Mapping[str, str],
    ids: set[str],
    undecided: dict[str, str],
) -> None:
    """Add the ids that only the person's users had."""
    for one in sorted(ids_of.get(user, ())):
        if one in hubs:
            undecided[one] = hubs[one]
        elif others := users_of[one] - ids:
            undecided[one] = f"an id of {len(others)} other users too"
        else:
            ids.add(one)


def _add_user(
    one: str,
    users_of: Mapping[str, set[str]],
    hubs: Mapping[str, str],
    ids: set[str],
    undecided: dict[str, str],
) -> None:
    """Add the user of an id of the person, if it had no other."""
    users = users_of.get(one, set())
    for user in sorted(users - ids):
        if user in hubs:
            undecided[user] = hubs[user]
        elif len(users) > 1:
            undecided[user] = f"one of {len(users)} users of an id of the person"
        else:
            ids.add(user)
