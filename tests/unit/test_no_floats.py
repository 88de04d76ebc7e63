"""No float touches an amount: the pure rooms contain none, but for what is formatted for people and what only steers
the search for a split: what says `float` in its signature, and a Side, except for its exact `out` and `into`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

KEEPER = Path(__file__).parents[2] / "keeper"
ROOMS = ("core", "strategies", "venues", "routing", "guards", "custody")
FILES = sorted(path for room in ROOMS for path in (KEEPER / room).glob("*.py"))
FLOATING = frozenset({"float", "sqrt", "log", "log2", "log10", "log1p", "exp", "fsum", "pow", "Decimal"})


EXACT = frozenset({"out", "into"})
"""Of a Side: whole amounts in, whole amounts out."""


def floats(source: str) -> Iterator[str]:
    """Where a float comes from: a literal, or a call that makes one. What stands inside an f-string is for people."""
    tree = ast.parse(source)
    left_out = {id(inner) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for inner in ast.walk(node)}
    left_out |= {id(inner) for node in searching(tree) for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if id(node) in left_out:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            yield f"line {node.lineno}: {node.value}"
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name in FLOATING:
                yield f"line {node.lineno}: {name}()"


def searching(tree: ast.Module) -> list[ast.AST]:
    """What steers the search for a split, and the constants of its file."""
    found: list[ast.AST] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and says_float(node):
            found.append(node)
        if isinstance(node, ast.ClassDef) and "sold_at" in {getattr(each, "name", "") for each in node.body}:
            found += [each for each in node.body if getattr(each, "name", "") not in EXACT]
    constants = [node for node in tree.body if isinstance(node, ast.Assign | ast.AnnAssign)]
    return found + constants if found else []


def says_float(function: ast.FunctionDef) -> bool:
    given = [argument.annotation for argument in function.args.args]
    names = {getattr(inner, "id", "") for each in (*given, function.returns) if each for inner in ast.walk(each)}
    return "float" in names


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
    side = (
        "X = 1e-5\nclass S:\n    def sold_at(self, slope): return 0.0\n    def out(self, sold): return int(sold * {})\n"
    )
    assert list(floats(side.format("2"))) == []
    assert list(floats(side.format("0.5"))) == ["line 4: 0.5"]
    assert list(floats("def slope(sold: float) -> float:\n    return 0.5")) == []
    assert list(floats("X = 0.5\ndef out(sold: int) -> int:\n    return sold")) == ["line 1: 0.5"]
    assert len(FILES) > 20
