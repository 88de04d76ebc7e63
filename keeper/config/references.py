"""`${NAME}` in a config: replaced from the environment, in secrets and URLs only."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import cast

from keeper.config.paths import Path
from keeper.config.secret import FromEnv
from keeper.config.yaml_text import Document, Tree

_REFERENCE = re.compile(r"\$\{([^}]*)\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


def is_secret(path: Path) -> bool:
    """Places that hold a URL or a key: references are replaced there, and their values never shown."""
    match path:
        case ("chains", _, "rpc" | "ws") | ("chains", _, "rpc" | "ws", _) | ("chains", _, "relay", "url"):
            return True
        case ("signers", _, "key" | "remote") | ("vaults", _, "custody", "safe_service") | ("journal", "url"):
            return True
        case ("alerts", "heartbeat" | "to") | ("alerts", "to", _):
            return True
    return False


def resolve(document: Document, env: Mapping[str, str], need_env: bool) -> dict[str, Tree]:
    """The tree with its references replaced. Raises ConfigError."""
    return cast("dict[str, Tree]", _resolve(document, document.tree, (), env, need_env))


def _resolve(document: Document, node: Tree, path: Path, env: Mapping[str, str], need_env: bool) -> Tree:
    if isinstance(node, dict):
        return {key: _resolve(document, child, (*path, key), env, need_env) for key, child in node.items()}
    if isinstance(node, list):
        return [_resolve(document, child, (*path, index), env, need_env) for index, child in enumerate(node)]
    return _replace(document, node, path, env, need_env) if "${" in node else node


def _replace(document: Document, text: str, path: Path, env: Mapping[str, str], need_env: bool) -> Tree:
    names = tuple(_REFERENCE.findall(text))
    if not names or not all(_NAME.fullmatch(name) for name in names) or text.count("${") != len(names):
        raise document.error(path, "a reference such as ${BASE_RPC}", "one that is malformed")
    if not is_secret(path):
        raise document.error(path, "the value itself: references are for URLs and keys", f"${{{names[0]}}}")
    missing = [name for name in names if not env.get(name)]
    if missing and need_env:
        raise document.error(path, f"the variable {missing[0]}", "it is not set")
    filled = "" if missing else _REFERENCE.sub(lambda found: env[found[1]], text)
    return FromEnv(filled, text, names)
