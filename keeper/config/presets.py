"""Chains that the keeper knows: what the preset says stands, unless the file says otherwise."""

from __future__ import annotations

from functools import cache
from pathlib import Path as FilePath

from keeper.config.paths import Path
from keeper.config.yaml_text import Document, Tree, parse

_FOLDER = FilePath(__file__).parent / "presets"


@cache
def known() -> tuple[str, ...]:
    """Their names, sorted."""
    return tuple(sorted(file.stem for file in _FOLDER.glob("*.yaml")))


def read(name: str) -> dict[str, Tree]:
    """The preset's own tree. Raises KeyError where there is none."""
    if name not in known():
        raise KeyError(name)
    return parse((_FOLDER / f"{name}.yaml").read_text("utf-8"), f"preset {name}").tree


def apply(document: Document, tree: dict[str, Tree]) -> tuple[dict[str, Tree], dict[Path, str]]:
    """The tree with each chain laid over its preset, and the preset's name for each text that came from one.

    Mappings are joined key by key, everything else is replaced. Raises ConfigError where a preset is unknown.
    """
    origins: dict[Path, str] = {}
    chains = tree.get("chains")
    if not isinstance(chains, dict):
        return tree, origins
    laid: dict[str, Tree] = {}
    for name, chain in chains.items():
        preset = chain.get("preset") if isinstance(chain, dict) else None
        if not isinstance(chain, dict) or not isinstance(preset, str):
            laid[name] = chain
            continue
        if preset not in known():
            raise document.error(("chains", name, "preset"), f"one of {', '.join(known())}", preset or "nothing")
        laid[name] = _lay(read(preset), chain, ("chains", name), f"preset {preset}", origins)
    return {**tree, "chains": laid}, origins


def _lay(under: Tree, over: Tree | None, path: Path, origin: str, origins: dict[Path, str]) -> Tree:
    if isinstance(under, dict) and (over is None or isinstance(over, dict)):
        over = over or {}
        joined = {key: _lay(child, over.get(key), (*path, key), origin, origins) for key, child in under.items()}
        return joined | {key: child for key, child in over.items() if key not in under}
    if over is not None:
        return over
    _note(under, path, origin, origins)
    return under


def _note(node: Tree, path: Path, origin: str, origins: dict[Path, str]) -> None:
    if isinstance(node, list):
        for index, child in enumerate(node):
            _note(child, (*path, index), origin, origins)
    elif isinstance(node, dict):
        for key, child in node.items():
            _note(child, (*path, key), origin, origins)
    else:
        origins[path] = origin
