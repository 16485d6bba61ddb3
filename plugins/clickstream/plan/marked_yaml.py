"""YAML that knows the line of each entry, so that a mistake can be shown where it is.

Read by the core schema of YAML 1.2 (https://yaml.org/spec/1.2.2/#103-core-schema), in which NO, 12:30 and 2024-01-01
are text, as they look; and keys are text whatever they look like.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml
from yaml.constructor import ConstructorError

Path = tuple[str | int, ...]


class DuplicateKeyError(ValueError):
    """A key is twice in one mapping, which YAML would pass over in silence."""

    def __init__(self, path: Path, line: int) -> None:
        super().__init__(f"{path[-1]!r} is there twice")
        self.path, self.line = path, line


@dataclass(frozen=True)
class Marked:
    """A document and the line (from 1) of each of its entries, by path."""

    value: Any
    lines: dict[Path, int]

    def line(self, path: Path) -> int:
        """Return the line of the entry at `path`, or of the nearest one around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


_NULL, _BOOL = "~|null|Null|NULL|", "true|True|TRUE|false|False|FALSE"
_INT, _FLOAT = "[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"


class _CoreLoader(yaml.SafeLoader):
    """SafeLoader, which reads YAML 1.1, with the core schema of 1.2; infinities and NaN stay text."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - as its base class has it

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        if not isinstance(node, yaml.MappingNode):
            raise ConstructorError(None, None, "a mapping was expected", node.start_mark)
        self.flatten_mapping(node)
        return {key.value: self.construct_object(value, deep) for key, value in node.value}

    def construct_number(self, node: yaml.ScalarNode) -> int | float:
        """Return the value of an integer; decimal unless it begins with 0o or 0x."""
        try:
            return int(node.value, 0 if node.value.startswith(("0o", "0x")) else 10)
        except ValueError as error:
            if node.value.strip("+-").isdigit():
                raise ConstructorError(None, None, f"not a number that can be read: {error}", node.start_mark) from None
            return float(node.value)


for _tag, _pattern in (("null", _NULL), ("bool", _BOOL), ("int", _INT), ("float", _FLOAT), ("merge", "<<")):
    _CoreLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"({_pattern})\\Z"), None)
for _tag in ("int", "float"):
    _CoreLoader.add_constructor(f"tag:yaml.org,2002:{_tag}", _CoreLoader.construct_number)


def is_unicode(text: str) -> bool:
    """Return whether text can be encoded. An escape such as \\ud83d makes half of a surrogate pair, which cannot."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def read(text: str) -> Marked:
    """Return the document in `text`. Raises yaml.YAMLError and DuplicateKeyError."""
    loader = _CoreLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return Marked(None, {})
        lines = dict(_lines(node, ()))
        return Marked(loader.construct_document(node), lines)
    except RecursionError:
        raise ConstructorError(None, None, "nested too deep, or an alias of what it is in") from None
    finally:
        loader.dispose()


def _lines(node: yaml.Node, path: Path) -> Iterator[tuple[Path, int]]:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise ConstructorError(None, None, "a key must be text", key.start_mark)
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
