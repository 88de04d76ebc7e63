"""Unions that say by `kind` which member is meant."""

from __future__ import annotations

from typing import Any

PREFIX = "kind="
"""Tags of union members begin with it, so that a place in an error can be told from a key of the file."""


def kind_of(value: Any) -> str | None:
    """The tag of a raw mapping or of a model; None where no kind is written."""
    kind = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)
    return f"{PREFIX}{kind}" if isinstance(kind, str) else None
