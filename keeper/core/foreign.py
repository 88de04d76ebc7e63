"""Text from strangers, made safe to print: symbols, revert reasons, names and node messages (FAULTS S18, K10)."""

from __future__ import annotations

import unicodedata

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that move the cursor, reverse the text, or show nothing: control, format, surrogate, …"""


def printable(text: str, cap: int = 2_000) -> str:
    """`text` on one line, without anything a terminal obeys, at most `cap` characters of it.

    An escape character becomes the four characters `\\x1b`. What is cut off is counted: `abc…(+997)`.
    """
    head = text[:cap]
    if not head.isprintable():
        head = "".join(_escaped(char) for char in head)
    return head if len(text) <= cap else f"{head}…(+{len(text) - cap})"


def _escaped(char: str) -> str:
    if unicodedata.category(char) not in _HIDDEN:
        return char
    return char.encode("unicode_escape").decode("ascii")
