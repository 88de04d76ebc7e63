"""ABI of the contracts that the keeper talks to, and the bytecode of its own; sources stand in `contracts/`."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def load(name: str) -> dict[str, Any]:
    """`{"abi": [...], "bytecode": "0x…", "runtime": "0x…"}`; the last two only for contracts of our own.

    Raises FileNotFoundError where there is no such contract.
    """
    found: dict[str, Any] = json.loads((files(__name__) / f"{name}.json").read_text("utf-8"))
    return found


def runtime(name: str) -> bytes:
    """The code of a contract of ours, as it stands on a chain or in a state override."""
    return bytes.fromhex(load(name)["runtime"].removeprefix("0x"))
