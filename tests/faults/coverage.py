"""Which tests name which fault of docs/faults.md. `make faults` prints it; CI fails on one without test and reason.

Marks are read from the tests' text, so that nothing need be imported or run.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = ROOT / "docs" / "faults.md"
EXCUSES = Path(__file__).with_name("untested.toml")
FAULTS = 209
INVARIANTS = 22

_ROW = re.compile(r"^\| ([RTPMKCSH])(\d+) \| ([^|]+) \| ([^|]+) \|$")


@dataclass(frozen=True, slots=True)
class Fault:
    id: str
    what: str
    required: str

    @property
    def must_be_tested(self) -> bool:
        return self.id[0] in "RTPSK"


def read_catalogue(path: Path = CATALOGUE) -> dict[str, Fault]:
    rows = [match for line in path.read_text("utf-8").splitlines() if (match := _ROW.match(line))]
    return {
        f"{group}{number}": Fault(f"{group}{number}", what, needs) for group, number, what, needs in map(_cells, rows)
    }


def _cells(match: re.Match[str]) -> tuple[str, str, str, str]:
    group, number, what, needs = match.groups()
    return group, number, what, needs


def read_excuses(path: Path = EXCUSES) -> dict[str, str]:
    """Id -> why no test names it."""
    found: dict[str, str] = tomllib.loads(path.read_text("utf-8"))["untested"]
    return found


def read_marks(folder: Path = ROOT / "tests") -> dict[str, list[str]]:
    """Id -> `file::test`, for each test that names it."""
    marks: dict[str, list[str]] = {}
    for path in sorted(folder.rglob("test_*.py")):
        for name, fault in _marks(ast.parse(path.read_text("utf-8"))):
            place = f"{path.relative_to(folder.parent)}{name}"
            if place not in marks.setdefault(fault, []):
                marks[fault].append(place)
    return marks


def _marks(module: ast.Module) -> Iterator[tuple[str, str]]:
    """(`::test`, id) of each mark: on a test, a class, or, in a table of the module, for the file as a whole."""
    for node in module.body:
        if isinstance(node, ast.ClassDef):
            for inner in node.body:
                of_test = isinstance(inner, ast.FunctionDef)
                yield from _ids(inner, f"::{node.name}::{inner.name}" if of_test else f"::{node.name}")
            for decorator in node.decorator_list:
                yield from _ids(decorator, f"::{node.name}")
        else:
            yield from _ids(node, f"::{node.name}" if isinstance(node, ast.FunctionDef) else "")


def _ids(node: ast.AST, name: str) -> Iterator[tuple[str, str]]:
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and ast.unparse(call.func).endswith("mark.fault"):
            yield from ((name, arg.value) for arg in call.args if isinstance(arg, ast.Constant))


def problems(faults: Mapping[str, Fault], marks: Mapping[str, Sequence[str]], excuses: Mapping[str, str]) -> list[str]:
    """What CI must not let pass."""
    known = {*faults, *(f"invariant {number}" for number in range(1, INVARIANTS + 1))}
    return [
        *(f"{id_}: no test names it, and no reason is given" for id_ in _untested(faults, marks) if id_ not in excuses),
        *(
            f"{id_}: named by {places[0]}, but not in the catalogue"
            for id_, places in marks.items()
            if id_ not in known
        ),
        *(f"{id_}: has a reason, but is not in the catalogue" for id_ in excuses if id_ not in faults),
        *(f"{id_}: its reason is empty" for id_, reason in excuses.items() if not reason.strip()),
    ]


def outdated(marks: Mapping[str, Sequence[str]], excuses: Mapping[str, str]) -> list[str]:
    """Reasons that can go, as a test came."""
    return [id_ for id_ in excuses if id_ in marks]


def _untested(faults: Mapping[str, Fault], marks: Mapping[str, Sequence[str]]) -> list[str]:
    return [id_ for id_, fault in faults.items() if fault.must_be_tested and id_ not in marks]


def report() -> Iterator[str]:
    faults, marks, excuses = read_catalogue(), read_marks(), read_excuses()
    for fault in faults.values():
        yield f"{fault.id:4} {fault.what}"
        for place in marks.get(fault.id, ()):
            yield f"       {place}"
        if fault.id not in marks:
            reason = excuses.get(fault.id, "" if fault.must_be_tested else "its room is not finished")
            yield f"       – no test: {reason or 'NO REASON GIVEN'}"
    for number in range(1, INVARIANTS + 1):
        for place in marks.get(f"invariant {number}", ()):
            yield f"invariant {number}: {place}"
    needed = [fault for fault in faults.values() if fault.must_be_tested]
    tested = [fault for fault in needed if fault.id in marks]
    yield f"{len(faults)} faults; of the {len(needed)} in R, T, P, S and K {len(tested)} have a test"
    for id_ in outdated(marks, excuses):
        yield f"note: {id_} has a test now: take it out of {EXCUSES.name}"
    yield from (f"PROBLEM: {problem}" for problem in problems(faults, marks, excuses))


def main() -> int:
    lines = list(report())
    sys.stdout.write("\n".join(lines) + "\n")
    return int(any(line.startswith("PROBLEM") for line in lines))


if __name__ == "__main__":
    sys.exit(main())
