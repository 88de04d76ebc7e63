"""The effective tree as rows: every value, as text, and where it came from."""

from __future__ import annotations

import hashlib
import json
import types
from collections.abc import Iterator, Mapping
from pathlib import Path as Folder
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel

from keeper.config.fields import Written
from keeper.config.paths import Path, dotted
from keeper.config.pools import PoolRef
from keeper.config.secret import Hidden
from keeper.config.tree import Config

Leaf = tuple[Path, Any, str]
"""Place, value, and the value as it is written."""


def leaves(config: Config) -> list[Leaf]:
    """Every single value of the tree, in the order of the models. None and what is empty are left out."""
    return list(_walk(config, Config, ()))


def _walk(value: Any, annotation: Any, path: Path) -> Iterator[Leaf]:
    if isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            inner = (*reversed(field.metadata), field.annotation)
            yield from _walk(getattr(value, name), inner, (*path, field.alias or name))
    elif isinstance(value, Mapping):
        kind = _argument(annotation, 1)
        for key, child in value.items():
            yield from _walk(child, kind, (*path, key))
    elif isinstance(value, tuple):
        kind = _argument(annotation, 0)
        for index, child in enumerate(value):
            key = child.name if isinstance(child, PoolRef) and child.address and child.name else index
            yield from _walk(child, kind, (*path, key))
    else:
        written = _written(annotation)
        if value is not None or (written is not None and written.shows_none):
            yield path, value, written.text(value) if written else str(value)


def _argument(annotation: Any, index: int) -> Any:
    """The type argument of a mapping or a tuple, through annotations and unions."""
    for part in _parts(annotation):
        if get_origin(part) is not None and get_origin(part) not in (Union, types.UnionType) and get_args(part):
            return get_args(part)[index]
    return None


def _parts(annotation: Any) -> Iterator[Any]:
    """Everything that an annotation says of one value, not of its elements; what is written last comes first."""
    if isinstance(annotation, tuple):
        for part in annotation:
            yield from _parts(part)
    elif hasattr(annotation, "__metadata__"):
        yield from reversed(annotation.__metadata__)
        yield from _parts(annotation.__origin__)
    elif get_origin(annotation) in (Union, types.UnionType):
        for part in get_args(annotation):
            yield from _parts(part)
    else:
        yield annotation


def _written(annotation: Any) -> Written | None:
    return next((part for part in _parts(annotation) if isinstance(part, Written)), None)


def canonical(config: Config, base: Folder) -> str:
    """The effective tree as JSON: (place, value) in order, equal wherever the file lies.

    Secrets stand as the reference they came from, URLs as reference or host, files as seen from the config's folder.
    """
    rows = [(dotted(path), _lasting(value, text, base)) for path, value, text in leaves(config)]
    return json.dumps(sorted(rows), ensure_ascii=False)


def _lasting(value: Any, text: str, base: Folder) -> str:
    if isinstance(value, Hidden):
        return value.source or str(value)
    return value.relative_to(base).as_posix() if isinstance(value, Folder) and value.is_relative_to(base) else text


def fingerprint(text: str) -> str:
    """SHA-256 of the canonical text."""
    return hashlib.sha256(text.encode()).hexdigest()


def origins(config: Config, written: frozenset[Path], presets: Mapping[Path, str]) -> dict[str, str]:
    """`file`, `preset NAME`, `default` or `env NAME` of each value; `written` are the places that the file has."""
    found = {}
    for path, value, _ in leaves(config):
        if isinstance(value, Hidden) and value.source:
            found[dotted(path)] = "env " + ", ".join(value.names)
        else:
            found[dotted(path)] = _origin(path, written, presets)
    return found


def _origin(path: Path, written: frozenset[Path], presets: Mapping[Path, str]) -> str:
    """Of the text at this place or, where a short form or one item for a list stands, of the one around it."""
    single = tuple(part for part in path if not isinstance(part, int))
    for place in (*_upwards(path), *(_upwards(single) if len(single) < len(path) else ())):
        if place in presets:
            return presets[place]
        if place in written:
            return "file"
    return "default"


def _upwards(path: Path) -> Iterator[Path]:
    return (path[:end] for end in range(len(path), 0, -1))
