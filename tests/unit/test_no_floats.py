"""No float touches an amount: the pure rooms contain none, but for what is formatted for people."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

KEEPER = Path(__file__).parents[2] / "keeper"
ROOMS = ("core", "strategies", "venues", "routing", "guards", "custody")
FILES = sorted(path for room in ROOMS for path in (KEEPER / room).glob("*.py"))
FLOATING = frozenset({"float", "sqrt", "log", "log2", "log10", "log1p", "exp", "fsum", "pow", "Decimal"})


def floats(source: str) -> Iterator[str]:
    """Where a float comes from: a literal, or a call that makes one. What stands inside an f-string is for people."""
    tree = ast.parse(source)
    shown = {id(inner) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if id(node) in shown:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            yield f"line {node.lineno}: {node.value}"
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name in FLOATING:
                yield f"line {node.lineno}: {name}()"


@pytest.mark.fault("invariant 15")
@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_pure_room__source__contains_no_float(path: Path) -> None:
    assert list(floats(path.read_text())) == []


def test_floats__examples__are_found_or_left() -> None:
    assert list(floats("a = 0.5\nb = float(c)\nimport math\nd = math.sqrt(2)")) == [
        "line 1: 0.5",
        "line 2: float()",
        "line 4: sqrt()",
    ]
    assert list(floats('a = f"{float(b):g}"\nc = 10**9\nd = 7 // 2')) == []
    assert len(FILES) > 20
