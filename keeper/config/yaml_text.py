"""YAML 1.2 with every scalar as the text that stands in the file.

So an unquoted 0x… stays an address, `NO` stays a word, `1e18` and `010` are refused by whoever expects a number, and
nothing is ever a float. Duplicate keys, tags and merges are refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from keeper.config.paths import Path, dotted
from keeper.core.errors import ConfigError

Tree = str | list["Tree"] | dict[str, "Tree"]
"""What a file says: mappings, lists and texts."""

_DEEPEST, _MOST = 24, 20_000
"""Nodes below each other and in all; aliases could otherwise multiply without end."""
_QUOTE = re.compile(r"'(?!<)[^'\s]{3,}'")
_MERGE = "tag:yaml.org,2002:merge"
_PLAIN_TAGS = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float", "bool", "null", "timestamp"))
_KNOWN_TAGS = _PLAIN_TAGS | {"tag:yaml.org,2002:map", "tag:yaml.org,2002:seq", _MERGE}


@dataclass(slots=True)
class Document:
    """A file's tree, and the line on which each path begins."""

    name: str
    tree: dict[str, Tree] = field(default_factory=dict)
    lines: dict[Path, int] = field(default_factory=dict)

    def line_of(self, path: Path) -> int:
        """Of the place or the nearest thing around it that the file has; 0 where there is none."""
        return next((self.lines[path[:end]] for end in range(len(path), 0, -1) if path[:end] in self.lines), 0)

    def where(self, path: Path) -> str:
        """`keeper.yaml:12`"""
        line = self.line_of(path)
        return f"{self.name}:{line}" if line else self.name

    def error(self, path: Path, expected: str, found: str) -> ConfigError:
        return ConfigError(self.where(path), dotted(path) or "file", expected, found)


def parse(text: str, name: str) -> Document:
    """Raises ConfigError with the line."""
    document = Document(name)
    try:
        root = YAML(typ="rt", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{name}:{mark.line + 1}" if mark else name
        raise ConfigError(where, "file", "well-formed YAML", f"a fault: {_problem(error)}") from None
    except (YAMLError, ValueError):
        raise ConfigError(name, "file", "well-formed YAML", "characters that YAML forbids") from None
    if root is None:
        raise ConfigError(name, "file", "a mapping with chains and vaults", "nothing")
    if not isinstance(root, MappingNode):
        raise ConfigError(f"{name}:1", "file", "a mapping with chains and vaults", _kind(root))
    _Reader(document).read_root(root)
    return document


class _Reader:
    def __init__(self, document: Document) -> None:
        self._document, self._count = document, 0

    def read_root(self, root: MappingNode) -> None:
        self._document.tree = self._mapping(root, ())

    def _read(self, node: Node, path: Path) -> Tree:
        self._count += 1
        if len(path) > _DEEPEST or self._count > _MOST:
            raise self._document.error(path, "a file of sensible depth and size", "more")
        self._document.lines.setdefault(path, node.start_mark.line + 1)
        if node.tag not in _KNOWN_TAGS and str(node.tag) not in _KNOWN_TAGS:
            raise self._document.error(path, "no tag", "a tag")
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        if isinstance(node, SequenceNode):
            return [self._read(item, (*path, index)) for index, item in enumerate(node.value)]
        assert isinstance(node, ScalarNode)
        return str(node.value)

    def _mapping(self, node: MappingNode, path: Path) -> dict[str, Tree]:
        found: dict[str, Tree] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode):
                raise self._document.error(path, "a plain key", _kind(key_node))
            key, line = str(key_node.value), key_node.start_mark.line + 1
            here = (*path, key)
            if key_node.style is None and key == "<<":
                raise ConfigError(f"{self._document.name}:{line}", dotted(path) or "file", "no merge key", "<<")
            if key in found:
                first = self._document.lines[here]
                where = f"{self._document.name}:{line}"
                raise ConfigError(where, dotted(here), "each key once", f"it again (first on line {first})")
            self._document.lines[here] = line
            found[key] = self._read(value_node, here)
        return found


def _kind(node: Node | Tree) -> str:
    if isinstance(node, SequenceNode | list):
        return "a list"
    return "a mapping" if isinstance(node, MappingNode | Mapping) else "a text"


def _problem(error: Any) -> str:
    """What the parser says, without the piece of the file that it quotes: that could be a secret."""
    said = " ".join(str(error.problem or error.context or "something else").split())
    return _QUOTE.sub("'…'", said)[:100].removeprefix("but ")
