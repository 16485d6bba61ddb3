"""YAML that knows the line of each entry, so that a mistake can be shown where it is."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

Path = tuple[str | int, ...]


class DuplicateKeyError(ValueError):
    """A key stands twice in one mapping, which YAML would pass over in silence."""

    def __init__(self, path: Path, line: int) -> None:
        super().__init__(f"{path[-1]!r} stands there twice")
        self.path, self.line = path, line


@dataclass(frozen=True)
class Marked:
    """A document and the line (from 1) of each of its entries, by path."""

    value: Any
    lines: dict[Path, int]

    def line(self, path: Path) -> int:
        """The line of the entry at `path`, or of the nearest one around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def read(text: str) -> Marked:
    """The document in `text`. Raises yaml.YAMLError and DuplicateKeyError."""
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return Marked(None, {})
        lines = dict(_lines(node, ()))
        return Marked(loader.construct_document(node), lines)
    finally:
        loader.dispose()


def _lines(node: yaml.Node, path: Path) -> Iterator[tuple[Path, int]]:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            inner = (*path, key.value)
            if key.value in seen and key.value != "<<":
                raise DuplicateKeyError(inner, key.start_mark.line + 1)
            seen.add(key.value)
            yield inner, key.start_mark.line + 1
            yield from _lines(value, path if key.value == "<<" else inner)
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield (*path, index), item.start_mark.line + 1
            yield from _lines(item, (*path, index))
