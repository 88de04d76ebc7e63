"""A page of text: the same words on a terminal, in colour, and in a pipe, plain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from io import StringIO

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions
from rich.text import Text

WIDTH = 110
"""Columns of a page where no terminal says otherwise."""

WIDEST = 120
"""The most that a terminal gets: longer lines are hard to read."""

DIM, STRONG, GOOD, BAD, WARN = "dim", "bold", "green", "bold red", "yellow"

Piece = str | tuple[str, str]
"""Words, or words and their style. Never markup: a token may call itself `[red]`."""


def styled(*pieces: Piece) -> Text:
    return Text.assemble(*pieces)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows for `columns`, and the order in which columns may be left out where space is short."""

    rows: Sequence[Sequence[Text | str]]
    align: str
    header: Sequence[str]
    drop: Sequence[int] = ()

    def fit(self, width: int) -> list[Text]:
        for dropped in range(len(self.drop) + 1):
            keep = [index for index in range(len(self.align)) if index not in self.drop[:dropped]]
            rows = [[row[index] for index in keep] for row in self.rows]
            align = "".join(self.align[index] for index in keep)
            lines = columns(rows, align, [self.header[index] for index in keep])
            if all(cell_len(line.plain) <= width for line in lines):
                break
        return lines


@dataclass(slots=True)
class Page:
    """Lines with a hanging indent each. Renders through Rich; `plain` is what a pipe gets."""

    lines: list[tuple[Text | Table, int]] = field(default_factory=list)

    def add(self, *pieces: Piece | Text, hang: int = 0) -> None:
        """One line; where it is too long it goes on below, `hang` columns in."""
        self.lines.append((Text.assemble(*pieces), hang))

    def label(self, label: str, *pieces: Piece | Text, indent: int = 0, width: int = 9) -> None:
        """A dim label in a column of its own, and what it says."""
        self.add(" " * indent, (f"{label:<{width}}", DIM), *pieces, hang=indent + width)

    def blank(self) -> None:
        last = self.lines[-1][0] if self.lines else None
        if isinstance(last, Table) or (last is not None and last.plain):
            self.add("")

    def extend(self, texts: Sequence[Text], indent: int = 0) -> None:
        for text in texts:
            self.add(" " * indent, text, hang=indent + 2)

    def table(
        self, rows: Sequence[Sequence[Text | str]], align: str, header: Sequence[str], drop: Sequence[int]
    ) -> None:
        """A table that leaves out the columns `drop`, one after the other, until it fits."""
        self.lines.append((Table(rows, align, header, drop), 2))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        width = min(options.max_width, WIDEST)
        for text, hang in self.lines:
            fitting = text.fit(width) if isinstance(text, Table) else [text]
            for line in fitting:
                yield from _folded(line, width, hang)

    def plain(self, width: int = WIDTH) -> str:
        """The page without colour, ending in a newline."""
        out = StringIO()
        Console(file=out, width=width, color_system=None, highlight=False).print(self, crop=False)
        return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"

    def show(self, console: Console) -> None:
        """Prints the page: as wide as the terminal, or plain at WIDTH where there is none."""
        if console.is_terminal:
            console.print(self, crop=False)
        else:
            console.file.write(self.plain())


def _folded(text: Text, width: int, hang: int) -> Iterator[Text]:
    rest, indent = text, 0
    while indent + cell_len(rest.plain) > width:
        cut = _cut(rest.plain, width - indent, 0 if indent else hang)
        if cut is None:
            break
        head, tail = rest.divide([cut])
        yield _line(head, indent)
        start = len(tail.plain) - len(tail.plain.lstrip(" ·"))
        rest, indent = tail[start:] if start else tail, hang
    yield _line(rest, indent)


def _line(text: Text, indent: int) -> Text:
    """Rich must not fold it again: what has no space to break at may stick out."""
    line = Text.assemble(" " * indent, text)
    line.no_wrap, line.overflow = True, "ignore"
    line.rstrip()
    return line


def _cut(plain: str, width: int, floor: int) -> int | None:
    """Where to break: before the last ` · ` of the second half, else at the last space; None where there is neither."""
    dot = plain.rfind(" · ", floor, width + 1)
    if dot > width // 2:
        return dot
    space = plain.rfind(" ", floor + 1, width + 1)
    while plain[space + 1 : space + 2] == "%" and space > floor:  # `62.00 %` stays together
        space = plain.rfind(" ", floor + 1, space)
    return space if space > floor else None


# --- columns ---------------------------------------------------------------------------------------------------------


def columns(rows: Sequence[Sequence[Text | str]], align: str, header: Sequence[str] = (), gap: int = 2) -> list[Text]:
    """Rows in columns. `align` has a letter for each: l(eft), r(ight), or `.`, aligned at the decimal point."""
    cells = [[cell if isinstance(cell, Text) else Text(cell) for cell in row] for row in rows]
    for index, way in enumerate(align):
        if way == ".":
            _align_points([row[index] for row in cells])
    head = [[Text(name, DIM) for name in header]] if header else []
    widths = [max((cell_len(row[i].plain) for row in head + cells), default=0) for i in range(len(align))]
    return [_row(row, widths, align, gap) for row in head + cells]


def _align_points(cells: list[Text]) -> None:
    def tail(cell: Text) -> int:
        return len(cell.plain) - cell.plain.index(".") if "." in cell.plain else 0

    longest = max((tail(cell) for cell in cells), default=0)
    for cell in cells:
        if cell.plain:
            cell.pad_right(longest - tail(cell))


def _row(row: Sequence[Text], widths: Sequence[int], align: str, gap: int) -> Text:
    line = Text()
    for index, (cell, width, way) in enumerate(zip(row, widths, align, strict=True)):
        space = " " * (width - cell_len(cell.plain))
        line.append(" " * gap if index else "")
        line.append_text(Text.assemble(cell, space) if way == "l" else Text.assemble(space, cell))
    line.rstrip()
    return line
