"""From pydantic's errors to one line: where in the file, what was expected, what was found."""

from __future__ import annotations

import difflib
import types
from collections.abc import Mapping
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from keeper.config.fields import Wrong
from keeper.config.kinds import PREFIX
from keeper.config.paths import Path, shown
from keeper.config.references import is_secret
from keeper.config.secret import masked
from keeper.config.yaml_text import Document, Tree
from keeper.core.errors import ConfigError

_MISSING = object()


def translate(error: ValidationError, document: Document, tree: Tree, root: type[BaseModel]) -> ConfigError:
    """The error that helps most: an unknown key before what is missing for want of it, then the first in the file."""
    details = error.errors(include_url=False, include_input=False)
    paths = [_path(detail["loc"]) for detail in details]

    def order(index: int) -> tuple[bool, int]:
        return details[index]["type"] != "extra_forbidden", document.line_of(paths[index])

    first = min(range(len(details)), key=order)
    return _one(details[first], paths[first], document, tree, root)


def _path(loc: tuple[int | str, ...]) -> Path:
    """Without the tags of unions and pydantic's mark for keys."""
    return tuple(part for part in loc if not (isinstance(part, str) and (part.startswith(PREFIX) or part == "[key]")))


def _one(detail: Any, path: Path, document: Document, tree: Tree, root: type[BaseModel]) -> ConfigError:
    context, kind = detail.get("ctx", {}), detail["type"]
    value = _at(tree, path)
    found = _found(value, path)
    match kind:
        case "extra_forbidden":
            return document.error(path, _known_keys(root, path, tree), "an unknown key")
        case "missing" | "union_tag_not_found":
            where = (*path, "kind") if kind == "union_tag_not_found" and isinstance(value, dict) else path
            return document.error(where, "a value", "nothing" if isinstance(value, dict) else found)
        case "union_tag_invalid":
            names = context["expected_tags"].replace(PREFIX, "").replace("'", "")
            return document.error((*path, "kind"), f"one of {names}", _found(_at(tree, (*path, "kind")), path))
        case "literal_error":
            return document.error(path, _literal(context["expected"]), found)
        case "value_error" | "assertion_error":
            wrong = context["error"]
            said = wrong.found if isinstance(wrong, Wrong) and wrong.found is not None else found
            return document.error(path, str(wrong), said)
        case "model_type" | "model_attributes_type" | "mapping_type" | "dict_type":
            return document.error(path, "a mapping", found)
        case "tuple_type" | "list_type":
            return document.error(path, "a list", found)
    return document.error(path, "another value", found)


def _literal(expected: str) -> str:
    """`'a', 'b' or 'c'` without the quotes."""
    return expected.replace("'", "")


def _at(tree: Tree, path: Path) -> Any:
    node: Any = tree
    for part in path:
        if isinstance(node, str):
            return node  # a short form: the text stands for the mapping
        try:
            node = node[part]
        except (KeyError, IndexError, TypeError):
            return _MISSING
    return node


def _found(value: Any, path: Path) -> str:
    """What the file says, never what a variable holds; of secret places, and of any URL, only the host."""
    if value is _MISSING or value == "":
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    source = getattr(value, "source", None)
    if source is not None:
        return "the value of " + ", ".join(f"${{{name}}}" for name in value.names)
    return masked(value) if is_secret(path) or "://" in value else shown(str(value))


def _known_keys(root: type[BaseModel], path: Path, tree: Tree) -> str:
    """The nearest key, or all keys that may stand there."""
    known = sorted(_keys(root, path[:-1], _at(tree, (*path[:-1], "kind"))))
    near = difflib.get_close_matches(str(path[-1]), known, n=1, cutoff=0.7)
    return f"{near[0]}, the nearest known key" if near else f"one of {', '.join(known)}"


def _keys(root: type[BaseModel], path: Path, kind: Any) -> set[str]:
    found: list[Any] = [root]
    for part in path:
        found = [inner for each in found for inner in _inside(each, part)]
    models = [each for each in found if _is_model(each)]
    meant = [model for model in models if kind in get_args(getattr(model.model_fields.get("kind"), "annotation", None))]
    return {field.alias or name for model in meant or models for name, field in model.model_fields.items()}


def _inside(annotation: Any, part: str | int) -> list[Any]:
    """What stands at `part` of this type: models, or types that still hold some."""
    if _is_model(annotation):
        fields = {field.alias or name: field.annotation for name, field in annotation.model_fields.items()}
        return _peeled(fields[part]) if part in fields else []
    arguments = get_args(annotation)
    if isinstance(part, int):
        return [inner for argument in arguments if argument is not Ellipsis for inner in _peeled(argument)]
    return _peeled(arguments[1]) if len(arguments) == 2 else []


def _peeled(annotation: Any) -> list[Any]:
    """The members of unions, without annotations."""
    if hasattr(annotation, "__metadata__"):
        return _peeled(annotation.__origin__)
    if get_origin(annotation) in (Union, types.UnionType):
        return [inner for argument in get_args(annotation) for inner in _peeled(argument)]
    origin = get_origin(annotation)
    is_container = isinstance(origin, type) and issubclass(origin, tuple | Mapping)
    return [annotation] if is_container or _is_model(annotation) else []


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
