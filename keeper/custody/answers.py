"""What a custody's own reads answered at a view's block."""

from __future__ import annotations

from keeper.core.abi import WORD, word
from keeper.core.chain import Read, VaultView


def figure(view: VaultView, read: Read, index: int = 0) -> int | None:
    """Word `index` of the answer; None where the read failed, was not made, or is too short."""
    answer = view.extra.get(read)
    return None if answer is None or len(answer) < (index + 1) * WORD else word(answer, index)


def is_true(view: VaultView, read: Read) -> bool:
    """Exactly true; a read that failed is not."""
    return figure(view, read) == 1
