"""Names of events and properties as identifiers, by the rule of include/sql/macros/naming.sql."""

import re
import unicodedata

PLAIN = re.compile(r"[a-z_][a-z0-9_]{0,127}\Z")


def slug(name: str) -> str:
    """Return the name in lower case, words joined by one underscore, letters of any script kept; '' if none is left."""
    kinds = "".join(_kind(character) for character in name)
    starts = {match.end() for match in re.finditer(r"[ld](?=U)", kinds)}
    starts |= {match.end() for match in re.finditer(r"U(?=Ul)", kinds)}
    pieces = (
        ("_" if at in starts else "") + ("_" if kind == " " else _lower(character))
        for at, (character, kind) in enumerate(zip(name, kinds, strict=True))
    )
    return re.sub("_+", "_", "".join(pieces)).strip("_")


def identifier(name: str) -> str | None:
    """Return the slug as the name of a table or column: one that begins with a digit gets an underscore before it.

    None when it has other than ASCII letters, which Glue and Athena do not take, when it is too long or empty.
    """
    text = slug(name)
    text = f"_{text}" if text[:1].isdigit() else text
    return text if PLAIN.match(text) else None


def _kind(character: str) -> str:
    """Return U for upper case, l lower case, d digit, x any other letter or mark, a space for what parts words."""
    category = unicodedata.category(character)
    if "\ufe00" <= character <= "\ufe0f":
        return " "
    if category[0] == "L" or category in ("Mn", "Mc", "Nd"):
        return {"Lu": "U", "Ll": "l", "Nd": "d"}.get(category, "x")
    return " "


def _lower(character: str) -> str:
    return character.lower()[0]
