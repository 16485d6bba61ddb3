"""The cases of plan_cases.yaml, one by one; nothing here judges."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

_FILE = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))

PLAN_TEXT: str = _FILE["plan"]
_COMPLETE = {"order_id": '"MO-1"', "total": "1"}


@dataclass(frozen=True)
class Case:
    """A message as JSON text, and the (property, rule) that it breaks. `id` begins with its messageId."""

    id: str
    text: str
    broken: frozenset[tuple[str, str]]


def cases() -> Iterator[Case]:
    """All cases."""
    for number, (why, event, kind, properties, broken) in enumerate([*_of_members(), *_of_messages()]):
        name = f"{number:03d} {why}: {properties[:60]}"
        head = f'"type": "{kind}", "event": "{event}", "messageId": "{name[:3]}", "receivedAt": "2026-11-24T01:00:00Z"'
        yield Case(name, f'{{{head}, "properties": {properties}}}', frozenset(map(_pair, broken)))


def _pair(text: str) -> tuple[str, str]:
    place, _, rule = text.rpartition(" ")
    return place.strip(), rule


def _of_members() -> Iterator[tuple[str, str, str, str, list[str]]]:
    for why, found in _FILE["members"].items():
        for members, broken in [found] if isinstance(found[0], str) else found:
            base = [f'"{name}": {value}' for name, value in _COMPLETE.items() if f'"{name}"' not in members]
            yield why, "Order Completed", "track", f"{{{', '.join([*base, *filter(None, [members])])}}}", broken


def _of_messages() -> Iterator[tuple[str, str, str, str, list[str]]]:
    for why, found in _FILE["messages"].items():
        for event, kind, properties, broken in found:
            yield why, event, kind, properties, broken
