"""A file becomes a checked, frozen tree, or one line that says what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from pydantic import ValidationError

from keeper.config import effective, presets
from keeper.config.checks import check, warnings
from keeper.config.complete import complete, inherited
from keeper.config.fields import Wrong
from keeper.config.files import check_config
from keeper.config.literals import refuse_secrets
from keeper.config.paths import Path as Place
from keeper.config.paths import dotted
from keeper.config.references import resolve
from keeper.config.translate import translate
from keeper.config.tree import Config
from keeper.config.yaml_text import Tree, parse
from keeper.core.errors import ConfigError

MOST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Loaded:
    """A config that may be acted on. `origins` maps each value's place to file, preset NAME, default or env NAME."""

    path: Path
    config: Config
    origins: Mapping[str, str]
    canonical: str
    """The effective tree as text, without secrets; `hash` is its SHA-256."""
    hash: str
    warnings: tuple[str, ...]


def load(path: Path, env: Mapping[str, str], *, need_env: bool = True) -> Loaded:
    """Reads and checks everything that needs no chain.

    Without `need_env`, references to variables that are not set are left open; they raise when they are used.
    Raises ConfigError: one line with file, line, place, expected and found, and no secret in it.
    """
    text = _read(path)
    refuse_secrets(text, path.name)
    document = parse(text, path.name)
    tree, preset_origins = presets.apply(document, resolve(document, env, need_env))
    try:
        config = Config.model_validate(tree, context={"base": path.parent})
    except ValidationError as error:
        raise translate(error, document, tree, Config) from None
    check(config, document)
    config = complete(config)
    origins = effective.origins(config, frozenset(_texts(document.tree, ())), preset_origins)
    origins |= inherited(config, origins)
    text = effective.canonical(config, path.parent)
    fingerprint = effective.fingerprint(text)
    return Loaded(path, config, MappingProxyType(origins), text, fingerprint, tuple(warnings(config)))


def _read(path: Path) -> str:
    try:
        check_config(path)
        data = path.read_bytes()
    except Wrong as wrong:
        raise ConfigError(path.name, "file", str(wrong), wrong.found or "another") from None
    except OSError as error:
        raise ConfigError(str(path), "file", "a readable file", (error.strerror or "an error").lower()) from None
    if len(data) > MOST_BYTES:
        raise ConfigError(path.name, "file", f"at most {MOST_BYTES} bytes", str(len(data)))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(path.name, "file", "UTF-8", "other bytes") from None


def _texts(node: Tree, path: Place) -> Iterator[Place]:
    """Places of the texts that the file has."""
    if isinstance(node, dict):
        for key, child in node.items():
            yield from _texts(child, (*path, key))
    elif isinstance(node, list):
        for index, child in enumerate(node):
            yield from _texts(child, (*path, index))
    else:
        yield path


def show(loaded: Loaded) -> list[tuple[str, str, str]]:
    """(place, value, origin) of every effective value, for `keeper config`. Secrets are masked."""
    return [(dotted(path), text, loaded.origins[dotted(path)]) for path, _, text in effective.leaves(loaded.config)]
